#include "tests/app/fake_node.hpp"

#include <doctest/doctest.h>

using namespace troupe::resp;
using namespace std::string_view_literals;

namespace {

/// What redis-server 7.0.15 said; see capture_redis_replies.py.
struct exchange {
  std::string_view request;
  std::string_view reply;
  bool ends_connection;
};

constexpr exchange captured[] = {
#include "tests/app/redis_replies.inc"
};

} // namespace

TEST_CASE("every reply is, byte for byte, what redis-server 7.0 says") {
  auto node = fake_node{};
  auto client = node.connect();
  for (const auto& [request, reply, ends] : captured) {
    CAPTURE(request);
    CHECK_EQ(node.ask(client, request), reply);
    CHECK_EQ(node.clients.at(client)->mind.is_over(), ends);
    if (ends)
      client = node.connect();
  }
}

TEST_CASE("the whole captured conversation as one pipeline, in pieces of any size, gives the same replies") {
  for (const std::size_t piece : {1, 2, 3, 7, 64, 1000, 100000}) {
    CAPTURE(piece);
    auto requests = std::string{};
    auto replies = std::string{};
    for (const auto& [request, reply, ends] : captured) {
      if (ends)
        continue;
      requests += request;
      replies += reply;
    }
    auto node = fake_node{};
    const auto client = node.connect();
    for (std::size_t at = 0; at < requests.size(); at += piece)
      node.tell(client, std::string{requests.substr(at, piece)});
    node.settle();
    CHECK_EQ(node.hears(client), replies);
  }
}
