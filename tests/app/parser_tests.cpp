#include "app/resp/parser.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace troupe::resp;

namespace {

using commands = std::vector<std::vector<std::string>>;

/// Feeds `pieces` one by one and collects what is found; the error, if one ends it, comes as a last one-word command.
commands parse(const std::vector<std::string>& pieces, const client_limits& limits = {}) {
  auto tested = parser{limits};
  auto found = commands{};
  for (const auto& piece : pieces) {
    auto bytes = std::make_unique<std::string>(piece); // Gone after `settle`: views into it must be, too.
    tested.feed(*bytes);
    for (;;) {
      const auto outcome = tested.next();
      if (outcome == parser::outcome::broken) {
        found.push_back({std::string{tested.error()}});
        return found;
      }
      if (outcome == parser::outcome::incomplete)
        break;
      const auto words = tested.arguments();
      found.emplace_back(words.begin(), words.end());
      tested.drop_command();
    }
    tested.settle();
  }
  return found;
}

std::string bulk_command(const std::vector<std::string>& words) {
  auto out = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words)
    out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return out;
}

std::string only_error(const std::string& bytes, const client_limits& limits = {}) {
  const auto found = parse({bytes}, limits);
  REQUIRE_EQ(found.size(), 1);
  return found[0][0];
}

} // namespace

TEST_CASE("a mixed pipeline cut at every place gives the same commands") {
  const auto pipeline = bulk_command({"SET", "k", "v"}) + "PING\r\n" + "*0\r\n" + "  GET 'a b' \"\\x41\\n\" \n"
      + bulk_command({"SET", "", std::string("\r\n$1\0*", 6)}) + "\r\n" + "*-1\r\n"
      + bulk_command({"MGET", "a", "b", "c", std::string(300, 'x')}) + bulk_command({"PING"});
  const auto expected = commands{{"SET", "k", "v"},
                                 {"PING"},
                                 {"GET", "a b", "A\n"},
                                 {"SET", "", std::string("\r\n$1\0*", 6)},
                                 {"MGET", "a", "b", "c", std::string(300, 'x')},
                                 {"PING"}};
  REQUIRE_EQ(parse({pipeline}), expected);
  for (std::size_t one = 0; one <= pipeline.size(); ++one) {
    CAPTURE(one);
    REQUIRE_EQ(parse({pipeline.substr(0, one), pipeline.substr(one)}), expected);
    for (std::size_t two = one; two <= pipeline.size(); two += 7)
      REQUIRE_EQ(parse({pipeline.substr(0, one), pipeline.substr(one, two - one), pipeline.substr(two)}), expected);
  }
  auto bytes = std::vector<std::string>{};
  for (const char c : pipeline)
    bytes.emplace_back(1, c);
  CHECK_EQ(parse(bytes), expected);
}

TEST_CASE("a command that nobody has taken yet is still there after more bytes came") {
  const auto limits = client_limits{};
  auto tested = parser{limits};
  const auto first = bulk_command({"SET", "k", "v"}) + bulk_command({"GET"}).substr(0, 6);
  tested.feed(first);
  REQUIRE_EQ(tested.next(), parser::outcome::command);
  tested.settle();
  const auto second = bulk_command({"GET"}).substr(6) + "'in line'\r\n";
  tested.feed(second);
  REQUIRE_EQ(tested.next(), parser::outcome::command);
  CHECK_EQ(tested.arguments()[0], "SET");
  CHECK_EQ(tested.arguments()[2], "v");
  tested.drop_command();
  REQUIRE_EQ(tested.next(), parser::outcome::command);
  CHECK_EQ(tested.arguments()[0], "GET");
  tested.drop_command();
  REQUIRE_EQ(tested.next(), parser::outcome::command);
  tested.settle();
  REQUIRE_EQ(tested.next(), parser::outcome::command);
  CHECK_EQ(tested.arguments()[0], "in line");
  tested.drop_command();
  CHECK_EQ(tested.next(), parser::outcome::incomplete);
  CHECK_EQ(tested.held_bytes(), 0);
}

TEST_CASE("each limit holds exactly, and beyond it stands Redis's protocol error") {
  auto limits = client_limits{};
  limits.arguments = 3;
  limits.argument_bytes = 10;
  limits.command_bytes = 15;
  limits.inline_bytes = 20;

  CHECK_EQ(parse({bulk_command({"a", "b", "c"})}, limits).size(), 1);
  CHECK_EQ(only_error("*4\r\n", limits), "Protocol error: invalid multibulk length");
  CHECK_EQ(parse({bulk_command({std::string(10, 'x')})}, limits).size(), 1);
  CHECK_EQ(only_error("*1\r\n$11\r\n", limits), "Protocol error: invalid bulk length");
  CHECK_EQ(parse({bulk_command({"12345", std::string(10, 'x')})}, limits).size(), 1);
  CHECK_EQ(only_error("*2\r\n$6\r\n123456\r\n$10\r\n", limits), "Protocol error: invalid bulk length");
  CHECK_EQ(parse({std::string(20, 'x') + "\n"}, limits).size(), 1);
  CHECK_EQ(only_error(std::string(21, 'x') + "\n", limits), "Protocol error: too big inline request");
  CHECK_EQ(only_error(std::string(21, 'x'), limits), "Protocol error: too big inline request");
  CHECK_EQ(only_error("a b c d\r\n", limits), "Protocol error: too big inline request");
  CHECK_EQ(only_error("*" + std::string(21, '1'), limits), "Protocol error: too big mbulk count string");
  CHECK_EQ(only_error("*1\r\n$" + std::string(21, '1'), limits), "Protocol error: too big bulk count string");
}

TEST_CASE("a size is refused when it is announced: nothing is held for it") {
  const auto limits = client_limits{};
  auto tested = parser{limits};
  tested.feed("*2\r\n$3\r\nSET\r\n$8388609\r\nxxxxxxxxxxx");
  CHECK_EQ(tested.next(), parser::outcome::broken);
  tested.settle();
  CHECK_EQ(tested.held_bytes(), 0);
  tested.feed(std::string_view{"PING\r\n"});
  CHECK_EQ(tested.next(), parser::outcome::broken);
}

TEST_CASE("a large argument in small pieces costs no more than its bytes") {
  const auto value = std::string(std::size_t{8} << 20, 'v');
  const auto whole = bulk_command({"SET", "k", value});
  auto pieces = std::vector<std::string>{};
  for (std::size_t at = 0; at < whole.size(); at += 1000)
    pieces.push_back(whole.substr(at, 1000));
  const auto found = parse(pieces);
  REQUIRE_EQ(found.size(), 1);
  CHECK(found[0][2] == value);
}

TEST_CASE("random bytes end as commands, as an error, or as a wish for more, however they are cut") {
  auto random = std::mt19937{11};
  const std::string alphabet = "*$0123-\r\n\r\n\r\n 'x\"\\ab";
  for (int round = 0; round < 20000; ++round) {
    auto bytes = std::string(random() % 40, ' ');
    for (auto& c : bytes)
      c = alphabet[random() % alphabet.size()];
    auto pieces = std::vector<std::string>{};
    for (std::size_t at = 0; at < bytes.size();) {
      const auto size = 1 + random() % 5;
      pieces.push_back(bytes.substr(at, size));
      at += size;
    }
    CAPTURE(bytes);
    REQUIRE_EQ(parse(pieces), parse({bytes}));
  }
}
