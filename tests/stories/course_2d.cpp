// The course's tests of snapshots: the log is trimmed, and who lacks what was trimmed is sent a snapshot.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// Term, vote and live entries of any server, at any time the course looks.
constexpr std::size_t most_state_bytes = 2000;

course_options with_snapshots(bool reliable) {
  auto options = with_servers(3, reliable);
  options.snapshots = true;
  return options;
}

enum class fault { none, disconnect, crash };

/// The course of the first five: 30 times somebody is away while others go on, the log stays short, and who was away
/// catches up.
void trims_and_catches_up(std::uint64_t seed, bool reliable, fault what) {
  course group{seed, with_snapshots(reliable)};
  group.one(group.random_command(), 3, true);
  auto leader = group.check_one_leader();
  for (int i = 0; i < 30; ++i) {
    const bool leader_is_victim = i % 3 == 1;
    const auto victim = leader_is_victim ? leader : (leader + 1) % 3;
    const auto sender = leader_is_victim ? (leader + 1) % 3 : leader;
    if (what == fault::disconnect)
      group.disconnect(victim);
    else if (what == fault::crash)
      group.crash(victim);
    if (what != fault::none)
      group.one(group.random_command(), 2, true);
    for (int n = 5 + group.random(10); n > 0; --n)
      (void)group.start(sender, group.random_command());
    group.one(group.random_command(), what == fault::none ? 3 : 2, true);
    const auto bytes = group.largest_state_bytes();
    group.expect(bytes < most_state_bytes, "a server keeps " + std::to_string(bytes) + " bytes of log");
    if (what == fault::none)
      continue;
    if (what == fault::crash)
      group.restart(victim);
    group.connect(victim);
    group.one(group.random_command(), 3, true);
    leader = group.check_one_leader();
  }
  if (what == fault::disconnect)
    group.expect(group.installed() > 0, "nobody was ever sent a snapshot");
  group.end();
}

} // namespace

TEST_CASE("2D-1: logs are trimmed behind snapshots") {
  over_seeds([](std::uint64_t seed) { trims_and_catches_up(seed, true, fault::none); });
}

TEST_CASE("2D-2: who was cut off catches up by a snapshot") {
  over_seeds([](std::uint64_t seed) { trims_and_catches_up(seed, true, fault::disconnect); });
}

TEST_CASE("2D-3: who was cut off catches up by a snapshot over a lossy network") {
  over_seeds([](std::uint64_t seed) { trims_and_catches_up(seed, false, fault::disconnect); });
}

TEST_CASE("2D-4: who crashed catches up by a snapshot") {
  over_seeds([](std::uint64_t seed) { trims_and_catches_up(seed, true, fault::crash); });
}

TEST_CASE("2D-5: who crashed catches up by a snapshot over a lossy network") {
  over_seeds([](std::uint64_t seed) { trims_and_catches_up(seed, false, fault::crash); });
}

TEST_CASE("2D-6: after a crash of all, indices go on where they were") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, with_snapshots(true)};
    group.one(group.random_command(), 3, true);
    for (int round = 0; round < 5; ++round) {
      for (int n = 5 + group.random(10); n > 0; --n)
        group.one(group.random_command(), 3, true);
      const auto before = group.one(group.random_command(), 3, true);
      for (int server = 0; server < 3; ++server)
        group.crash(server);
      for (int server = 0; server < 3; ++server) {
        group.restart(server);
        group.connect(server);
      }
      const auto after = group.one(group.random_command(), 3, true);
      group.expect(after >= before + 1,
                   "the index fell back from " + std::to_string(before) + " to " + std::to_string(after));
    }
    group.end();
  });
}

TEST_CASE("2D-7: a server that restarts carries the snapshot it found along") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, with_snapshots(true)};
    const auto crash_all = [&] {
      for (int server = 0; server < 3; ++server)
        group.crash(server);
      for (int server = 0; server < 3; ++server) {
        group.restart(server);
        group.connect(server);
      }
    };
    for (int n = 0; n < 12; ++n)
      group.one(group.random_command(), 3, true);
    crash_all();
    group.one(group.random_command(), 3, true);
    crash_all();
    group.one(group.random_command(), 3, true);
    group.end();
  });
}
