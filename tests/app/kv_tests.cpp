#include "app/kv/integer.hpp"
#include "tests/app/kv_world.hpp"

#include <map>
#include <optional>
#include <random>

using namespace troupe;
using namespace troupe::kv;
using namespace troupe::testing;

namespace {

std::string encoded_add(std::string_view key, std::int64_t delta) {
  auto out = std::string{};
  append_opcode(out, opcode::add);
  append_argument(out, key);
  append_delta(out, delta);
  return out;
}

std::string bulk(const std::optional<std::string>& value) {
  return value ? "$" + std::to_string(value->size()) + "\r\n" + *value + "\r\n" : "$-1\r\n";
}

/// The store once more, as plainly as can be.
struct model {
  std::map<std::string, std::string> values;

  std::optional<std::string> at(const std::string& key) const {
    const auto found = values.find(key);
    return found == values.end() ? std::nullopt : std::optional{found->second};
  }

  std::string add(const std::string& key, std::int64_t delta) {
    const auto old = strict_integer(at(key).value_or("0"));
    if (!old)
      return "-ERR value is not an integer or out of range\r\n";
    const auto sum = static_cast<__int128>(*old) + delta;
    if (sum > INT64_MAX || sum < INT64_MIN)
      return "-ERR increment or decrement would overflow\r\n";
    values[key] = std::to_string(static_cast<std::int64_t>(sum));
    return ":" + values[key] + "\r\n";
  }

  std::string set(const std::string& key, const std::string& value, unsigned flags) {
    const auto old = at(key);
    const auto allowed = !((flags & set_if_absent) && old) && !((flags & set_if_present) && !old);
    if (allowed)
      values[key] = value;
    if (flags & set_and_get)
      return bulk(old);
    return allowed ? "+OK\r\n" : "$-1\r\n";
  }
};

/// One random command to both; the store's answer, and the model's.
std::pair<std::string, std::string> step(std::mt19937& random, store& tested, model& plain) {
  const auto one_of = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto key = "k" + std::to_string(one_of(8));
  const auto other = "k" + std::to_string(one_of(8));
  const std::string values[] = {"",
                                "7",
                                "-3",
                                "x",
                                "9223372036854775807",
                                "-9223372036854775808",
                                std::string(300, 'y'),
                                std::string("\0\r\n", 3)};
  const auto value = values[one_of(8)];
  switch (one_of(12)) {
  case 0: {
    const auto flags = static_cast<unsigned>(one_of(8));
    return {carry_out(tested, encoded(opcode::set, {key, value, std::string(1, static_cast<char>(flags))})),
            plain.set(key, value, flags)};
  }
  case 1: return {carry_out(tested, encoded(opcode::set, {key, value})), plain.set(key, value, 0)};
  case 2: {
    const std::int64_t deltas[] = {1, -1, 100, INT64_MAX, INT64_MIN, 0};
    const auto delta = deltas[one_of(6)];
    return {carry_out(tested, encoded_add(key, delta)), plain.add(key, delta)};
  }
  case 3: {
    plain.values[key] += value;
    return {carry_out(tested, encoded(opcode::append, {key, value})),
            ":" + std::to_string(plain.values[key].size()) + "\r\n"};
  }
  case 4: {
    const auto removed = plain.values.erase(key) + plain.values.erase(other);
    return {carry_out(tested, encoded(opcode::del, {key, other})), ":" + std::to_string(removed) + "\r\n"};
  }
  case 5: {
    const auto old = plain.at(key);
    plain.values[key] = value;
    return {carry_out(tested, encoded(opcode::get_set, {key, value})), bulk(old)};
  }
  case 6: {
    const auto fresh = plain.values.emplace(key, value).second;
    return {carry_out(tested, encoded(opcode::set_nx, {key, value})), fresh ? ":1\r\n" : ":0\r\n"};
  }
  case 7: {
    plain.values[key] = value;
    plain.values[other] = "m";
    return {carry_out(tested, encoded(opcode::mset, {key, value, other, "m"})), "+OK\r\n"};
  }
  case 8: return {query(tested, encoded(opcode::get, {key})), bulk(plain.at(key))};
  case 9:
    return {carry_out(tested, encoded(opcode::mget, {key, other})),
            "*2\r\n" + bulk(plain.at(key)) + bulk(plain.at(other))};
  case 10:
    return {query(tested, encoded(opcode::exists, {key, key, other})),
            ":" + std::to_string(2 * plain.values.count(key) + plain.values.count(other)) + "\r\n"};
  default: return {query(tested, encoded(opcode::dbsize, {})), ":" + std::to_string(plain.values.size()) + "\r\n"};
  }
}

} // namespace

TEST_CASE("the store answers random commands as a plain model does, and replicas of it stay equal") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    auto random = std::mt19937{seed};
    auto tested = store{};
    auto plain = model{};
    for (int i = 0; i < 3000; ++i) {
      const auto [said, expected] = step(random, tested, plain);
      REQUIRE_EQ(said, expected);
    }
    auto again = std::mt19937{seed};
    auto replica = store{};
    auto unused = model{};
    for (int i = 0; i < 3000; ++i)
      step(again, replica, unused);
    CHECK_EQ(dump(replica), dump(tested));
  }
}

TEST_CASE("a command that cannot be decoded answers an error and changes nothing") {
  auto tested = store{};
  carry_out(tested, encoded(opcode::mset, {"a", "1", "b", "2"}));
  const auto before = dump(tested);
  constexpr auto error = "-ERR command could not be decoded; nothing was done\r\n";

  SUBCASE("truncated anywhere, or with a byte too many") {
    for (const auto& whole :
         {encoded(opcode::set, {"a", "9"}), encoded(opcode::del, {"a", "b"}),
          encoded(opcode::mset, {"a", "9", "b", "9"}), encoded_add("a", 1), encoded(opcode::append, {"a", "9"}),
          encoded(opcode::get_set, {"a", "9"}), encoded(opcode::set_nx, {"c", "9"})}) {
      for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto part = whole.substr(0, size);
        // A list of keys that ends between two of them is a command of its own.
        if (part == encoded(opcode::del, {"a"}) || part == encoded(opcode::mset, {"a", "9"}))
          continue;
        CHECK_EQ(carry_out(tested, part), error);
      }
      CHECK_EQ(carry_out(tested, whole + '\x05'), error);
    }
  }
  SUBCASE("of an unknown code") {
    for (int code = 0; code < 256; ++code)
      if (!command_reader{std::string(1, static_cast<char>(code))}.code())
        CHECK_EQ(carry_out(tested,
                           std::string(1, static_cast<char>(code))
                               + "\x01"
                                 "a"),
                 error);
  }
  SUBCASE("a write that comes as a query") {
    CHECK_EQ(query(tested, encoded(opcode::set, {"a", "9"})), error);
  }
  SUBCASE("random bytes") {
    auto random = std::mt19937{7};
    for (int i = 0; i < 20000; ++i) {
      auto bytes = std::string(random() % 12, '\0');
      for (auto& c : bytes)
        c = static_cast<char>(random());
      CHECK_FALSE(query(tested, bytes).empty());
    }
  }
  CHECK_EQ(dump(tested), before);
}

TEST_CASE("an argument's length takes one, two or more bytes and comes back") {
  for (const std::size_t size : {0u, 1u, 127u, 128u, 16383u, 16384u, 3000000u}) {
    auto bytes = std::string{};
    append_argument(bytes, std::string(size, 'x'));
    auto reader = command_reader{bytes};
    const auto read = reader.next();
    REQUIRE(read);
    CHECK_EQ(read->size(), size);
    CHECK(reader.ended());
  }
}

TEST_CASE("a value does not grow beyond its bound") {
  auto tested = store{};
  carry_out(tested, encoded(opcode::set, {"a", std::string(max_value_bytes - 1, 'x')}));
  CHECK_EQ(carry_out(tested, encoded(opcode::append, {"a", "xx"})),
           "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
  CHECK_EQ(carry_out(tested, encoded(opcode::append, {"a", "x"})), ":" + std::to_string(max_value_bytes) + "\r\n");
}

TEST_CASE("an answer does not grow beyond its bound") {
  auto tested = store{};
  carry_out(tested, encoded(opcode::set, {"a", std::string(max_value_bytes, 'x')}));
  CHECK_EQ(query(tested, encoded(opcode::mget, {"a", "a", "a"})),
           "-ERR reply would exceed the limit of 32 MiB; ask for fewer keys\r\n");
}
