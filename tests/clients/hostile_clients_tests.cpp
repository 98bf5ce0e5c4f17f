#include "tests/clients/clients.hpp"

#include <deque>

using namespace troupe;
using namespace std::string_literals;

namespace {

std::string repeated(const std::string& text, int times) {
  auto all = std::string{};
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}

} // namespace

TEST_CASE("a protocol error is read by its client even behind much unread input, and nobody else notices") {
  auto one = served_cluster{{}, 1};
  const auto port = one.port(peer_id{1});
  auto bystander = raw_connection{port};
  bystander.say("SET k 1\r\n");
  CHECK_EQ(bystander.hear(5), "+OK\r\n");
  const std::pair<std::string, std::string> wrong[] = {
      {"*1\r\nx\r\n" + repeated("PING\r\n", 100000), "expected '$', got 'x'"},
      {"*65537\r\n", "invalid multibulk length"},
      {"*2\r\n$4\r\nECHO\r\n$8388609\r\n", "invalid bulk length"},
      {std::string(70000, 'x'), "too big inline request"},
  };
  for (const auto& [bytes, words] : wrong) {
    auto broken = raw_connection{port};
    broken.say(bytes);
    CHECK_EQ(broken.hear_all(), "-ERR Protocol error: " + words + "\r\n");
    CHECK(broken.ended);
    CHECK_FALSE(broken.was_reset);
  }
  bystander.say("GET k\r\n");
  CHECK_EQ(bystander.hear(7), "$1\r\n1\r\n");
}

TEST_CASE("a deep mixed pipeline through a follower is answered in order") {
  auto three = served_cluster{};
  auto client = raw_connection{three.port(three.follower)};
  auto requests = std::string{};
  auto replies = std::string{};
  for (int i = 0; i < 5000; ++i) {
    const auto n = std::to_string(i);
    const auto bulk = "$" + std::to_string(n.size()) + "\r\n" + n + "\r\n";
    requests += "SET mixed " + n + "\r\nGET mixed\r\nPING " + n + "\r\n";
    replies += "+OK\r\n" + bulk + bulk;
  }
  CHECK_EQ(client.say(requests), requests.size());
  CHECK(client.hear(replies.size()) == replies);
}

TEST_CASE("one client more than allowed is told so - when one leaves there is room again") {
  auto one = served_cluster{{"--max-clients", "5"}, 1};
  const auto port = one.port(peer_id{1});
  one.cluster.at(peer_id{1}).connection.close();
  auto guests = std::vector<std::unique_ptr<raw_connection>>{};
  for (int i = 0; i < 5; ++i) {
    guests.push_back(std::make_unique<raw_connection>(port));
    guests.back()->say("PING\r\n");
    CHECK_EQ(guests.back()->hear(7), "+PONG\r\n");
  }
  auto late = raw_connection{port};
  CHECK_EQ(late.hear_all(), "-ERR max number of clients reached\r\n");
  guests[0]->say("SET k 1\r\nQUIT\r\n");
  CHECK_EQ(guests[0]->hear_all(), "+OK\r\n+OK\r\n");
  guests.erase(guests.begin());
  for (int i = 0; i < 200; ++i) {
    auto next = raw_connection{port};
    next.say("PING\r\n");
    if (next.hear(7) == "+PONG\r\n")
      return;
    ::usleep(20000);
  }
  FAIL("no room for the next client");
}

TEST_CASE("a client that never reads is left alone, and given up beyond its bound - others are served meanwhile") {
  auto one = served_cluster{{"--output-pause", "64KiB", "--max-output", "4MiB"}, 1};
  const auto port = one.port(peer_id{1});
  auto setter = raw_connection{port};
  const auto value = std::string(std::size_t{6} << 20, 'v');
  setter.say("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n");
  CHECK_EQ(setter.hear(5), "+OK\r\n");

  auto deaf = raw_connection{port};
  const auto offered = repeated("PING " + std::string(10000, 'x') + "\r\n", 3000);
  CHECK_LT(deaf.say(offered, 500), offered.size()); // Its own socket fills: nobody reads it.
  auto greedy = raw_connection{port};
  greedy.say("GET big\r\n");
  CHECK_LT(greedy.hear_all().size(), value.size());
  CHECK(greedy.ended);

  setter.say("PING\r\n");
  CHECK_EQ(setter.hear(7), "+PONG\r\n");
  // Whoever reads at last finds everything there, in order.
  const auto reply = "$10000\r\n" + std::string(10000, 'x') + "\r\n";
  CHECK_EQ(deaf.hear(reply.size()), reply);
}

TEST_CASE("SIGTERM under load, while segments roll, ends every node at once with exit code 0") {
  for (int round = 0; round < 4; ++round) {
    auto three = served_cluster{{"--segment-size", "4KiB"}};
    std::deque<raw_connection> busy;
    for (const auto& each : three.cluster.members())
      for (int i = 0; i < 2; ++i)
        busy.emplace_back(each.client.port)
            .say(repeated("SET k 0123456789012345678901234567890123456789\r\n", 20000), 100);
    const auto began = std::chrono::steady_clock::now();
    const auto wrong = three.cluster.stop_all(std::chrono::seconds{20});
    CHECK_MESSAGE(!wrong, wrong.value_or(""));
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds{10});
  }
}

TEST_CASE("a browser's request is cut off before its body, which a page could fill with commands") {
  auto three = served_cluster{};
  auto browser = raw_connection{three.port(three.leader)};
  browser.say("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nSET pwned yes\r\n");
  CHECK_EQ(browser.hear_all(), "-ERR this is no web server\r\n");
  CHECK_EQ(three.call(three.leader, {"EXISTS", "pwned"}).number, 0);
}

TEST_CASE("clients that hang up in the middle of a pipeline harm nobody") {
  auto three = served_cluster{};
  for (int i = 0; i < 20; ++i) {
    auto rude = raw_connection{three.port(i % 2 == 0 ? three.leader : three.follower)};
    rude.say(repeated("INCR n\r\nGET n\r\n", 1000) + "INCR");
  }
  CHECK_EQ(three.call(three.follower, {"SET", "k", "1"}).text, "OK");
  CHECK_EQ(three.call(three.leader, {"GET", "k"}).text, "1");
}

TEST_CASE("without a quorum a write on its way is UNCERTAIN, and a read ends with CLUSTERDOWN") {
  auto three = served_cluster{{"--client-deadline", "1s"}};
  for (const auto& member : three.cluster.members())
    if (member.id != three.leader)
      three.cluster.kill_hard(member.id);
  auto writer = raw_connection{three.port(three.leader)};
  auto reader = raw_connection{three.port(three.leader)};
  writer.say("SET k 1\r\n");
  reader.say("GET k\r\n");
  CHECK_EQ(writer.hear(11), "-UNCERTAIN ");
  CHECK_EQ(reader.hear(13), "-CLUSTERDOWN ");
  // By now nobody leads: what comes is refused, and certainly not carried out.
  auto later = raw_connection{three.port(three.leader)};
  later.say("SET k 2\r\n");
  CHECK_EQ(later.hear(13), "-CLUSTERDOWN ");
}
