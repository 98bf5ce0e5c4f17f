// The course's tests of leader election.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("2A-1: three peers, made from handles of all and their own id, choose one leader and keep it (N1, N6)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.check_one_leader();
    group.sleep(50ms);
    const auto term = group.check_terms();
    group.expect(term >= 1, "a leader of no term");
    group.sleep(2s);
    group.expect(group.check_terms() == term, "the term changed although nothing failed");
    group.check_one_leader();
    group.end();
  });
}

TEST_CASE("2A-2: when the leader is lost another one leads, and the old one returns as a follower (N12, N14)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    const auto first = group.check_one_leader();
    group.disconnect(first);
    group.check_one_leader();
    group.connect(first);
    const auto second = group.check_one_leader();
    // No quorum, no leader.
    group.disconnect(second);
    group.disconnect((second + 1) % 3);
    group.sleep(2s);
    group.check_no_leader();
    group.connect((second + 1) % 3);
    group.check_one_leader();
    group.connect(second);
    group.check_one_leader();
    group.end();
  });
}

TEST_CASE("2A-3: seven peers choose leaders again and again while a minority is lost (N7)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 7};
    group.check_one_leader();
    for (int round = 0; round < 9; ++round) {
      const int lost[] = {group.random(7), group.random(7), group.random(7)};
      for (const auto server : lost)
        group.disconnect(server);
      group.check_one_leader();
      for (const auto server : lost)
        group.connect(server);
    }
    group.check_one_leader();
    group.end();
  });
}
