#include "app/resp/outbox.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

using namespace troupe::resp;

namespace {

void say(outbox& replies, const std::string& text) {
  replies.end().insert(replies.end().end(), text.begin(), text.end());
}

} // namespace

TEST_CASE("what is said reaches the connection whole and in order, a piece at a time") {
  std::mt19937_64 dice{1};
  outbox replies;
  std::string said;
  std::string heard;
  std::vector<char> wire;
  while (heard.size() < (8u << 20)) {
    if (said.size() < (8u << 20) && dice() % 3 != 0) {
      const auto size = dice() % 10 == 0 ? dice() % 600000 : dice() % 300;
      const auto text = std::string(size, static_cast<char>('a' + dice() % 26)) + std::to_string(said.size());
      say(replies, text);
      said += text;
    }
    replies.hand_over(wire);
    REQUIRE(wire.size() <= outbox::piece_bytes);
    const auto taken = dice() % (wire.size() + 1);
    heard.append(wire.data(), taken);
    wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(taken));
    replies.written(taken);
  }
  CHECK(heard == said.substr(0, heard.size()));
}

TEST_CASE("a client that was told much keeps little when it has taken all") {
  outbox replies;
  say(replies, std::string(std::size_t{10} << 20, 'x'));
  std::vector<char> wire;
  while (replies.hand_over(wire)) {
    replies.written(wire.size());
    wire.clear();
  }
  CHECK(wire.capacity() <= 2 * outbox::piece_bytes);
  CHECK(replies.end().capacity() <= 2 * outbox::piece_bytes);
}

TEST_CASE("a client that is always behind a little takes no more and more room") {
  outbox replies;
  std::vector<char> wire;
  for (int i = 0; i < 2000; ++i) {
    say(replies, std::string(50000, 'x'));
    replies.hand_over(wire);
    const auto taken = std::min<std::size_t>(wire.size(), 50000);
    wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(taken));
    replies.written(taken);
  }
  CHECK(replies.end().capacity() <= 1u << 20);
}
