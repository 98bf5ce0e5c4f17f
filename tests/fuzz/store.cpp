// The key-value machine, on entries that no gateway wrote and snapshots that nobody saved. Input: u8 which | u8 how to
// cut | entries, each u8 length and that many bytes; or, if `which` is odd, a snapshot.
#include "app/kv/store.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/replies.hpp"

#include <stdexcept>

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
  std::string all;
  const auto view = machine.save();
  for (auto chunk = view->next_chunk(); !chunk.empty(); chunk = view->next_chunk())
    all += chunk;
  return all;
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
  while (!in.empty()) {
    const auto content = in.bytes(in.byte());
    const auto before = saved(machine);
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
  }
  const auto snapshot = saved(machine);
  TROUPE_ASSERT(snapshot == saved(twin), "and stay equal");
  kv::store restored;
  TROUPE_ASSERT(loads(restored, chunks{{snapshot, how}}) && saved(restored) == snapshot, "a snapshot is the state");
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
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in{bytes, size};
  const auto which = in.byte();
  const auto how = in.byte();
  if (which % 2 == 0)
    check_entries(in, how);
  else
    check_snapshot(in.rest(), how);
  return 0;
}
