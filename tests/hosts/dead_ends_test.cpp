#include "tests/hosts/cluster.hpp"

#include <algorithm>
#include <thread>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// Links wait at most 1 s between attempts (`link_options::retry_most`) and give an attempt 1 s (`connect_deadline`).
/// So a link is back within 2 s of its network; the rest is for busy machines, and for the address resolution of hosts
/// that have not answered for long. Without the bound it would be the kernel's: up to two minutes between its SYNs.
constexpr duration soon_back = 10s;

bool is_connected(hosted_cluster& cluster, host_number leader, host_number follower) {
  const auto status = cluster.status_of(leader);
  if (!status)
    return false;
  return std::any_of(status->followers.begin(), status->followers.end(), [&](const follower_status& each) {
    return each.id == peer_id{follower} && each.connected && each.lag == 0;
  });
}

} // namespace

TEST_CASE("N10 an address that swallows connections delays neither links nor elections nor commits of the others") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster two_of_three{2, 3};
  two_of_three.start(1);
  two_of_three.start(2);
  (void)two_of_three.await_leader();
  // Node 2 has found node 1, which was there, before its first attempt at the black hole had its time.
  REQUIRE(comes_true([&] { return two_of_three.log_of(2).find("event=link_waiting peer=3") != std::string::npos; },
                     patience));
  const auto log = two_of_three.log_of(2);
  CHECK(log.find("event=link_up peer=1") < log.find("event=link_waiting peer=3"));
  // Each of these would take a second if it waited for an attempt.
  const auto begun = std::chrono::steady_clock::now();
  for (int n = 0; n < 200; ++n)
    two_of_three.must_set({1, 2}, "k", std::to_string(n));
  CHECK(std::chrono::steady_clock::now() - begun < 60s);
}

TEST_CASE("a node that starts behind a long cut is linked again within seconds of its network") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster three{3};
  three.start_all();
  const auto leader = host_of(three.await_leader());
  const auto cut = three.all_but(leader).front();
  three.network.unplug(cut);
  three.kill_hard(cut);
  three.must_set(three.all_but(cut), "k", "1");
  three.start(cut);                // It dials into the void, as the others do.
  std::this_thread::sleep_for(8s); // Every back-off has grown to its most by now, and so have the kernel's.
  three.network.plug(cut);
  CHECK(comes_true([&] { return is_connected(three, leader, cut); }, soon_back));
  CHECK(three.call(cut, {"GET", "k"}).text == "1");
}
