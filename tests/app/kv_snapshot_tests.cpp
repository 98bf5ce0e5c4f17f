#include "tests/app/kv_world.hpp"

#include <stdexcept>

using namespace troupe;
using namespace troupe::kv;
using namespace troupe::testing;

namespace {

constexpr std::size_t opening_bytes = 20; // The magic, how many, the state hash.

store of_keys(const std::vector<std::string>& keys) {
  auto made = store{};
  for (const auto& key : keys)
    carry_out(made, encoded(opcode::set, {key, "value"}));
  return made;
}

bool takes(store& machine, std::vector<std::string> chunks) {
  const auto before = dump(machine);
  const auto hash = machine.state_hash();
  auto list = chunk_list{std::move(chunks)};
  try {
    machine.load(list);
    return true;
  } catch (const std::runtime_error&) {
    CHECK_EQ(dump(machine), before); // All or nothing.
    CHECK_EQ(machine.state_hash(), hash);
    return false;
  }
}

/// The entries of a snapshot, each as its bytes.
std::vector<std::string> entries_of(std::string_view snapshot) {
  auto found = std::vector<std::string>{};
  auto rest = command_reader{snapshot.substr(opening_bytes)};
  while (const auto key = rest.next()) {
    auto one = std::string{};
    append_argument(one, *key);
    append_argument(one, *rest.next());
    found.push_back(one);
  }
  REQUIRE(rest.ended());
  return found;
}

} // namespace

TEST_CASE("a snapshot stays as it was while commands go on, and loads back whole however it is cut") {
  auto original = store{};
  for (int i = 0; i < 20000; ++i)
    carry_out(original,
              encoded(opcode::set, {"key" + std::to_string(i), std::string(static_cast<std::size_t>(i % 50), 'v')}));
  const auto expected = dump(original);

  const auto view = original.save();
  carry_out(original, encoded(opcode::del, {"key1"}));
  auto chunks = std::vector<std::string>{};
  for (auto chunk = view->next_chunk(); !chunk.empty(); chunk = view->next_chunk())
    chunks.push_back(chunk);
  CHECK_GT(chunks.size(), 1);

  auto loaded = store{};
  carry_out(loaded, encoded(opcode::set, {"gone", "after the load"}));
  auto as_written = chunk_list{chunks};
  loaded.load(as_written);
  CHECK_EQ(dump(loaded), expected);

  auto pieces = std::vector<std::string>{};
  for (std::size_t at = 0; at < expected.size(); at += 4099)
    pieces.push_back(expected.substr(at, 4099));
  auto cut_elsewhere = chunk_list{pieces};
  loaded.load(cut_elsewhere);
  CHECK_EQ(dump(loaded), expected);

  auto empty = store{};
  auto of_empty = chunk_list{{dump(empty)}};
  loaded.load(of_empty);
  CHECK_EQ(loaded.size(), 0);
}

TEST_CASE("a snapshot comes in chunks of one size, whatever the size of a value") {
  auto original = store{};
  for (const std::size_t size : {0u, 1u, 262143u, 262144u, 262145u, 16777216u})
    carry_out(original, encoded(opcode::set, {"of " + std::to_string(size), std::string(size, 'v')}));
  carry_out(original, encoded(opcode::set, {std::string(700000, 'k'), "a long key's"}));
  const auto view = original.save();
  auto chunks = std::vector<std::string>{};
  for (auto chunk = view->next_chunk(); !chunk.empty(); chunk = view->next_chunk())
    chunks.push_back(chunk);
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i)
    CHECK_EQ(chunks[i].size(), 262144);
  CHECK_LE(chunks.back().size(), 262144);
  auto loaded = store{};
  REQUIRE(takes(loaded, chunks));
  CHECK_EQ(dump(loaded), dump(original));
}

TEST_CASE("a damaged snapshot is refused and the state stays") {
  auto original = of_keys({"a", "b", "c"});
  const auto whole = dump(original);
  auto present = of_keys({"kept"});
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(takes(present, {whole.substr(0, size)}));
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    CHECK_FALSE(takes(present, {flipped}));
  }
  CHECK_FALSE(takes(present, {whole, "x"}));
  CHECK_FALSE(takes(present, {"TKV1" + whole.substr(4)}));
  CHECK(takes(present, {whole}));
}

TEST_CASE("a snapshot that no store would save is refused, wherever it is cut, and the state stays") {
  auto original = of_keys({"", "a", "ab", "b", "\xff"});
  const auto whole = dump(original);
  const auto opening = whole.substr(0, opening_bytes);
  const auto in_order = entries_of(whole);
  REQUIRE_EQ(in_order.size(), 5);
  auto present = of_keys({"kept"});

  const auto refused = [&](const std::vector<std::size_t>& order) {
    auto bytes = opening;
    for (const auto at : order)
      bytes += in_order[at];
    for (std::size_t cut = 1; cut < bytes.size(); ++cut)
      CHECK_FALSE(takes(present, {bytes.substr(0, cut), bytes.substr(cut)}));
  };
  refused({0, 1, 2, 4, 3});    // The same entries, so the same number and sum,
  refused({1, 0, 2, 3, 4});    // in another order,
  refused({0, 1, 2, 3, 4, 4}); // one twice,
  refused({0, 0, 1, 2, 3, 4});
  refused({0, 1, 2, 4}); // one missing.
  refused({});

  auto long_winded = whole; // A key's length takes a byte too many.
  const auto length = static_cast<std::size_t>(in_order[0].front());
  REQUIRE_LT(length, 127);
  long_winded.replace(opening_bytes, 1, std::string{static_cast<char>(length | 0x80), '\0'});
  CHECK_FALSE(takes(present, {long_winded}));

  CHECK(takes(present, {whole}));
  CHECK_EQ(present.size(), 5);
}

TEST_CASE("a length that makes no sense is refused at once, not when everything behind it has been gathered") {
  class endless final : public chunk_source {
  public:
    explicit endless(std::string begin) : begin_{std::move(begin)} {}
    std::string next_chunk() override {
      ++asked;
      return asked == 1 ? begin_ : asked < 1000 ? std::string(1000, 'x') : std::string{};
    }
    int asked = 0;

  private:
    std::string begin_;
  };
  auto some = of_keys({"a"});
  const auto opening = dump(some).substr(0, opening_bytes);
  for (const auto& length :
       {std::string{"\x81\x00", 2}, std::string{"\xff\xff\xff\xff\xff"}, std::string{"\xff\xff\xff\xff\x1f"}}) {
    auto source = endless{opening + length};
    CHECK_THROWS_AS(some.load(source), std::runtime_error);
    CHECK_LE(source.asked, 2);
    auto of_value = endless{opening + "\x01k" + length};
    CHECK_THROWS_AS(some.load(of_value), std::runtime_error);
    CHECK_LE(of_value.asked, 2);
  }
  auto of_two = of_keys({"a", "b"});
  auto two = dump(of_two);
  two[4] = 1;
  auto more_than_said = endless{two};
  CHECK_THROWS_AS(some.load(more_than_said), std::runtime_error);
  CHECK_LE(more_than_said.asked, 1);
  auto not_one = endless{"TXV2"};
  CHECK_THROWS_AS(some.load(not_one), std::runtime_error);
  CHECK_LE(not_one.asked, 1);
}

TEST_CASE("a state is built beside the present one, which goes on, and takes its place when told") {
  auto other = of_keys({"new", "newer"});
  const auto snapshot = dump(other);
  auto present = of_keys({"old"});
  auto chunks = chunk_list{{snapshot}};
  auto built = present.build(chunks);
  carry_out(present, encoded(opcode::set, {"old", "changed meanwhile"}));
  CHECK_EQ(query(present, encoded(opcode::get, {"old"})), "$17\r\nchanged meanwhile\r\n");
  CHECK_EQ(query(present, encoded(opcode::get, {"new"})), "$-1\r\n");
  const auto view = present.save();

  built->take_place();
  CHECK_EQ(dump(present), snapshot);
  CHECK_EQ(present.state_hash(), other.state_hash());
  carry_out(present, encoded(opcode::set, {"new", "again"}));
  built.reset(); // The old state with it, but for what the view shows.
  CHECK_EQ(query(present, encoded(opcode::get, {"new"})), "$5\r\nagain\r\n");

  auto from_view = store{};
  REQUIRE(takes(from_view, {read_all(*view)}));
  CHECK_EQ(query(from_view, encoded(opcode::get, {"old"})), "$17\r\nchanged meanwhile\r\n");
}

TEST_CASE("a state that was built and not wanted leaves the present one alone") {
  auto present = of_keys({"old"});
  const auto before = dump(present);
  auto chunks = chunk_list{{dump(present)}};
  present.build(chunks).reset();
  CHECK_EQ(dump(present), before);
  auto nonsense = chunk_list{{"nonsense"}};
  CHECK_THROWS_AS((void)present.build(nonsense), std::runtime_error);
  CHECK_EQ(dump(present), before);
}
