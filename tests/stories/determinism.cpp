// What all other stories stand on: a seed is a run.
#include "stage/transcript.hpp"
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// All that is said in a run with losses, delays, crashes and slow disks, as one number.
std::uint32_t fingerprint(std::uint64_t seed) {
  course group{seed, with_servers(5, false)};
  std::uint32_t sum = 0;
  group.network().watch([&](const peer_message& message) {
    sum = crc32c(std::to_string(group.runtime().now().time_since_epoch().count()) + describe(message), sum);
  });
  for (int round = 0; round < 10; ++round) {
    for (int server = 0; server < 5; ++server)
      if (group.node(server).alive())
        group.start(server, group.random_command());
    group.sleep(300ms);
    const auto server = group.random(5);
    if (group.node(server).alive())
      group.crash(server);
    group.sleep(300ms);
    group.restart(server);
    group.connect(server);
  }
  return sum;
}

} // namespace

TEST_CASE("One seed gives one run, message by message - another seed another one") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto once = fingerprint(seed);
    CHECK(once == fingerprint(seed));
    CHECK(once != fingerprint(seed + 100));
  }
}
