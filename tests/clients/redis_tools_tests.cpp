#include "tests/clients/clients.hpp"

using namespace troupe;
using namespace std::string_literals;

namespace {

std::string redis_cli(served_cluster& cluster, peer_id at) {
  return "redis-cli -p " + std::to_string(cluster.port(at)) + " ";
}

} // namespace

TEST_CASE("redis-cli works against every node, in RESP2 and RESP3") {
  auto three = served_cluster{};
  int n = 0;
  for (const auto at : {three.leader, three.follower, peer_id{6 - three.leader.value() - three.follower.value()}})
    for (const auto* protocol : {"", "-3 "}) {
      const auto cli = redis_cli(three, at) + protocol;
      const auto key = "key" + std::to_string(++n);
      CHECK_EQ(shell(three, cli + "ping").text, "PONG\n");
      CHECK_EQ(shell(three, cli + "set " + key + " 'a value'").text, "OK\n");
      CHECK_EQ(shell(three, cli + "get " + key).text, "a value\n");
      CHECK_EQ(shell(three, cli + "--no-raw get none").text, "(nil)\n");
      CHECK_EQ(shell(three, cli + "--no-raw mget " + key + " none").text, "1) \"a value\"\n2) (nil)\n");
      CHECK_EQ(shell(three, cli + "incr " + key).text, "ERR value is not an integer or out of range\n\n");
      CHECK_EQ(shell(three, cli + "no-such a").text,
               "ERR unknown command 'no-such', with args beginning with: 'a' \n\n");
      CHECK_EQ(shell(three, cli + "dbsize").text, std::to_string(n) + "\n");
      CHECK_NE(shell(three, cli + "info raft").text.find("raft_current_term:"), std::string::npos);
      CHECK_NE(shell(three, cli + "troupe status").text.find("\"leader\":" + std::to_string(three.leader.value())),
               std::string::npos);
    }
}

TEST_CASE("redis-cli as people use it: commands typed one by one, with help") {
  auto one = served_cluster{{}, 1};
  const auto typed = shell(one, "printf 'set a 5\\nincrby a 37\\nget a\\nhelp get\\n' | " + redis_cli(one, peer_id{1}));
  CHECK_EQ(typed.text.substr(0, 9), "OK\n42\n42\n");
  CHECK_NE(typed.text.find("Get the value of a key"), std::string::npos);
}

TEST_CASE("redis-cli --pipe loads many keys, none is lost") {
  auto three = served_cluster{};
  const auto loaded = shell(three,
                            "i=0; while [ $i -lt 20000 ]; do echo SET pipe$i $i; i=$((i+1)); done | "
                                + redis_cli(three, three.follower) + "--pipe");
  CHECK_NE(loaded.text.find("errors: 0, replies: 20000"), std::string::npos);
  CHECK_EQ(three.call(three.leader, {"DBSIZE"}).number, 20000);
  CHECK_EQ(three.call(three.leader, {"GET", "pipe19999"}).text, "19999");
}

TEST_CASE("redis-benchmark runs against leader and follower, without and with pipelines") {
  auto three = served_cluster{};
  std::int64_t counted = 0;
  for (const auto& [pipeline, requests] : {std::pair{1, 2000}, std::pair{32, 32000}})
    for (const auto at : {three.leader, three.follower}) {
      const auto run =
          shell(three,
                "redis-benchmark -p " + std::to_string(three.port(at)) + " -t ping,set,get,incr,mset -q -P "
                    + std::to_string(pipeline) + " -n " + std::to_string(requests));
      CAPTURE(run.text);
      CHECK_EQ(run.code, 0);
      CHECK_EQ(run.text.find("rror"), std::string::npos);
      CHECK_EQ(run.text.find("WARNING"), std::string::npos);
      for (const auto* name : {"PING_INLINE: ", "PING_MBULK: ", "SET: ", "GET: ", "INCR: ", "MSET (10 keys): "})
        CHECK_NE(run.text.find(name), std::string::npos);
      counted += requests;
      // Every INCR was carried out exactly once.
      CHECK_EQ(three.call(at, {"GET", "counter:__rand_int__"}).text, std::to_string(counted));
    }
}
