// The key-value machine, on entries that no gateway wrote and snapshots that nobody saved. Input: u8 which | u8 how to
// cut | entries, each u8 length and that many bytes; or, if `which` is odd, a snapshot; if its second bit is set, too,
// one without its opening, which is put before it: or the sum in there would be all that was ever tried.
#include "app/kv/store.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/replies.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

using namespace troupe;

namespace {

/// A snapshot as it may arrive: cut anywhere.
class chunks final : public state_view {
public:
  explicit chunks(fuzz::pieces bytes) : bytes_{bytes} {}
  std::string next_chunk() override { return bytes_.any() ? std::string{fuzz::view(bytes_.next())} : std::string{}; }

private:
  fuzz::pieces bytes_;
};

class whole final : public state_view {
public:
  explicit whole(std::string bytes) : bytes_{std::move(bytes)} {}
  std::string next_chunk() override { return std::exchange(bytes_, {}); }

private:
  std::string bytes_;
};

std::string saved(kv::store& machine) {
  return read_all(*machine.save());
}

bool loads(kv::store& machine, state_view&& snapshot) {
  try {
    machine.load(snapshot);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

void check_reply(const answer_list& answers) {
  TROUPE_ASSERT(answers.count() == 1, "one entry, one answer");
  auto reply = answers.at(0);
  TROUPE_ASSERT(fuzz::take_reply(reply) && reply.empty(), "an answer is one whole reply");
}

void check_entries(fuzz::input& in, std::uint8_t how) {
  kv::store machine;
  kv::store twin;
  std::vector<std::pair<std::unique_ptr<state_view>, std::string>> views;
  while (!in.empty()) {
    const auto content = in.bytes(in.byte());
    const auto before = saved(machine);
    const auto hash = machine.state_hash();
    if (views.size() < how % 4u)
      views.emplace_back(machine.save(), before);
    answer_list asked;
    machine.query(content, asked);
    check_reply(asked);
    TROUPE_ASSERT(saved(machine) == before, "a query changes nothing");
    const command one{log_index{1}, term_number{1}, 0, 0, content};
    answer_list answers;
    answer_list answers_of_twin;
    TROUPE_ASSERT(machine.apply({&one, 1}, answers) == 1 && twin.apply({&one, 1}, answers_of_twin) == 1,
                  "an entry is applied");
    check_reply(answers);
    TROUPE_ASSERT(answers.bytes == answers_of_twin.bytes, "equal states answer equally");
    TROUPE_ASSERT((saved(machine) == before) == (machine.state_hash() == hash), "a change shows in the state hash");
  }
  const auto snapshot = saved(machine);
  TROUPE_ASSERT(snapshot == saved(twin) && machine.state_hash() == twin.state_hash(), "and stay equal");
  kv::store restored;
  TROUPE_ASSERT(loads(restored, chunks{{snapshot, how}}) && saved(restored) == snapshot, "a snapshot is the state");
  for (const auto& [view, then] : views)
    TROUPE_ASSERT(read_all(*view) == then, "a view stays as it was");
}

constexpr std::size_t opening_bytes = 20;

/// The opening that would go with these entries, whatever their order.
std::string opening_for(std::string_view entries) {
  kv::store machine;
  auto arguments = kv::command_reader{entries};
  for (;;) {
    const auto key = arguments.next();
    const auto value = key ? arguments.next() : std::nullopt;
    if (!value)
      break;
    std::string content;
    kv::append_opcode(content, kv::opcode::set);
    kv::append_argument(content, *key);
    kv::append_argument(content, *value);
    const command one{log_index{1}, term_number{1}, 0, 0, content};
    answer_list answers;
    static_cast<void>(machine.apply({&one, 1}, answers));
  }
  return saved(machine).substr(0, opening_bytes);
}

void check_snapshot(std::string_view bytes, std::uint8_t how) {
  kv::store machine;
  kv::store cut;
  const auto empty = saved(machine);
  const bool is_one = loads(machine, whole{std::string{bytes}});
  TROUPE_ASSERT(loads(cut, chunks{{bytes, how}}) == is_one, "a snapshot is one however it is cut");
  const auto state = saved(machine);
  TROUPE_ASSERT(saved(cut) == state, "and the same one");
  TROUPE_ASSERT(state == (is_one ? bytes : empty), "what is taken is what the state saves, what is refused nothing");
  whole again{std::string{bytes}};
  try {
    const auto built = cut.build(again);
    TROUPE_ASSERT(is_one && saved(cut) == state, "built of what loads, aside");
    built->take_place();
    TROUPE_ASSERT(saved(cut) == state && cut.state_hash() == machine.state_hash(), "into the same");
  } catch (const std::runtime_error&) {
    TROUPE_ASSERT(!is_one, "and of nothing else");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in{bytes, size};
  const auto which = in.byte();
  const auto how = in.byte();
  if (which % 2 == 0)
    check_entries(in, how);
  else if (which % 4 == 1)
    check_snapshot(in.rest(), how);
  else {
    const auto entries = in.rest();
    check_snapshot(opening_for(entries) + std::string{entries}, how);
  }
  return 0;
}
