// The course's tests of persistence: restarts.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

void restart_and_connect(course& group, int server) {
  group.restart(server);
  group.connect(server);
}

} // namespace

TEST_CASE("2C-1: what was agreed survives restarts of all, of the leader, of a follower (N26b, N26c)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one(11, 3, true);
    for (int server = 0; server < 3; ++server)
      group.restart(server);
    for (int server = 0; server < 3; ++server) {
      group.disconnect(server);
      group.connect(server);
    }
    group.one(12, 3, true);
    const auto first = group.check_one_leader();
    group.disconnect(first);
    restart_and_connect(group, first);
    group.one(13, 3, true);
    const auto second = group.check_one_leader();
    group.disconnect(second);
    group.one(14, 2, true);
    restart_and_connect(group, second);
    group.wait(4, 3);
    const auto follower = (group.check_one_leader() + 1) % 3;
    group.disconnect(follower);
    group.one(15, 2, true);
    restart_and_connect(group, follower);
    group.one(16, 3, true);
    group.end();
  });
}

TEST_CASE("2C-2: only a peer that has what was agreed can lead after a restart") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 5};
    int command = 10;
    for (int round = 0; round < 5; ++round) {
      group.one(command++, 5, true);
      const auto leader = group.check_one_leader();
      const auto next = [&](int steps) { return (leader + steps) % 5; };
      group.disconnect(next(1));
      group.disconnect(next(2));
      group.one(command++, 3, true);
      group.disconnect(leader);
      group.disconnect(next(3));
      group.disconnect(next(4));
      group.restart(next(1));
      group.restart(next(2));
      group.connect(next(1));
      group.connect(next(2));
      group.sleep(1s);
      restart_and_connect(group, next(3));
      group.one(command++, 3, true);
      group.connect(next(4));
      group.connect(leader);
    }
    group.one(1000, 5, true);
    group.end();
  });
}

TEST_CASE("2C-3: a peer that was away must not win without the entry agreed on meanwhile (N26c)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one(101, 3, true);
    const auto leader = group.check_one_leader();
    group.disconnect((leader + 2) % 3);
    group.one(102, 2, true);
    group.crash(leader);
    group.crash((leader + 1) % 3);
    group.connect((leader + 2) % 3);
    restart_and_connect(group, leader);
    group.one(103, 2, true);
    restart_and_connect(group, (leader + 1) % 3);
    group.one(104, 3, true);
    group.end();
  });
}
