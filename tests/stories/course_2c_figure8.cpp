// The course's long tests around Figure 8: leaders that come and go with entries of old terms.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// Mostly a few milliseconds, sometimes long enough to elect.
milliseconds some_pause(course& group) {
  return milliseconds{group.random(1000) < 100 ? group.random(500) : group.random(13)};
}

} // namespace

TEST_CASE("2C-4: leaders crash with entries of old terms, and no two peers ever deliver differently (N21)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 5};
    group.one(group.random_command(), 1, true);
    int up = 5;
    for (int i = 0; i < 1000; ++i) {
      int leader = -1;
      for (int server = 0; server < 5; ++server)
        if (group.node(server).alive() && group.start(server, group.random_command()).is_leader)
          leader = server;
      group.sleep(some_pause(group));
      if (leader != -1) {
        group.crash(leader);
        --up;
      }
      if (up < 3) {
        const auto server = group.random(5);
        if (!group.node(server).alive()) {
          group.restart(server);
          group.connect(server);
          ++up;
        }
      }
    }
    for (int server = 0; server < 5; ++server)
      if (!group.node(server).alive()) {
        group.restart(server);
        group.connect(server);
      }
    group.one(group.random_command(), 5, true);
    group.end();
  });
}

TEST_CASE("2C-6: replies come seconds late and out of order, and each is judged by the request it answers (N4, N18)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, with_servers(5, false)};
    group.one(std::to_string(group.random(10000)), 1, true);
    int connected = 5;
    for (int i = 0; i < 1000; ++i) {
      if (i == 200)
        group.network().set_long_reordering(true);
      int leader = -1;
      for (int server = 0; server < 5; ++server)
        if (group.start(server, std::to_string(group.random(10000))).is_leader && group.connected(server))
          leader = server;
      group.sleep(some_pause(group));
      if (leader != -1 && group.random(1000) < 500) {
        group.disconnect(leader);
        --connected;
      }
      if (connected < 3) {
        const auto server = group.random(5);
        if (!group.connected(server)) {
          group.connect(server);
          ++connected;
        }
      }
    }
    group.connect_all();
    group.one(std::to_string(group.random(10000)), 5, true);
    std::uint64_t stale = 0;
    for (int server = 0; server < 5; ++server)
      stale += group.state(server).stale_replies_dropped;
    group.expect(stale > 0, "replies came seconds late, and none was counted as stale");
    group.end();
  });
}
