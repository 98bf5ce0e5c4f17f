#include "tests/hosts/cluster.hpp"

#include <thread>

using namespace troupe;
using namespace troupe::testing;

namespace {

std::size_t connected_clients(hosted_cluster& cluster, host_number host) {
  const auto text = cluster.call(host, {"INFO", "clients"}).text;
  const auto found = text.find("connected_clients:");
  REQUIRE(found != std::string::npos);
  return std::stoul(text.substr(found + 18));
}

} // namespace

TEST_CASE("clients whose host has vanished are let go: an idle one, and one that left answers unread") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster one{2, 1}; // The second host has no node, only clients.
  one.start(1, {"--client-keepalive", "4s"});
  (void)one.await_leader({1});
  REQUIRE(one.call(1, {"SET", "big", std::string(std::size_t{2} << 20, 'v')}).is_ok());
  auto idle = one.client(1, 2);
  REQUIRE(idle.call({"PING"}, 5s).text == "PONG");
  auto deaf = one.client(1, 2);
  REQUIRE(deaf.call({"PING"}, 5s).text == "PONG");
  (void)deaf.call_all(std::vector<std::vector<std::string>>(64, {"GET", "big"}), 0s); // Hears none of it.
  CHECK(connected_clients(one, 1) >= 2);
  one.network.unplug(2);
  CHECK(comes_true([&] { return connected_clients(one, 1) == 1; }, patience)); // The one who asks.
}

TEST_CASE("an idle client whose host answers stays, however long it says nothing") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster one{2, 1};
  one.start(1, {"--client-keepalive", "3s"});
  (void)one.await_leader({1});
  auto idle = one.client(1, 2);
  REQUIRE(idle.call({"PING"}, 5s).text == "PONG");
  std::this_thread::sleep_for(8s);
  CHECK(idle.call({"PING"}, 5s).text == "PONG");
}
