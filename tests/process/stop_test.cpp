// SIGTERM under load: a clean end, soon, that costs nothing acknowledged.
#include "tests/process/chance.hpp"
#include "tests/process/real_cluster.hpp"
#include "tests/process/token_load.hpp"

#include <csignal>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

// Small segments, so that there are several to recover.
const auto quick = quick_elections({"--segment-size", "1MiB"});
constexpr unsigned clients = 16;
constexpr duration patience = 60s;
// "Within a few seconds", three of which are the farewells and the alarm of app/node_command.cpp.
constexpr duration end_patience = 15s;

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE("SIGTERM to all nodes at once under load ends each with exit code 0 and loses nothing acknowledged") {
  seeded_dice dice;
  INFO(dice.words());
  real_cluster three{3, quick};
  INFO(three.log_tails());
  three.start_all();
  token_load load{three.doors(), clients, dice.seed};
  const int cycles = rounds(10, 3);
  duration longest{0};
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "before stop ", cycle);
    std::this_thread::sleep_for(std::chrono::milliseconds{dice.below(50)});
    const auto began = std::chrono::steady_clock::now();
    const auto trouble = three.cluster.stop_all(end_patience);
    REQUIRE_MESSAGE(!trouble, *trouble);
    longest = std::max<duration>(longest, std::chrono::steady_clock::now() - began);
    three.start_all();
  }
  REQUIRE(load.is_served(patience));
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_progress(load.tally() + "; the longest stop of three took " + std::to_string(longest / 1ms) + " ms");
}

TEST_CASE("A rolling restart of all nodes under load, one SIGTERM after the other, loses nothing acknowledged") {
  seeded_dice dice;
  INFO(dice.words());
  real_cluster three{3, quick};
  INFO(three.log_tails());
  three.start_all();
  token_load load{three.doors(), clients, dice.seed};
  const int cycles = rounds(2, 10);
  for (int cycle = 1; cycle <= cycles; ++cycle)
    for (auto& each : three.cluster.members()) {
      REQUIRE_MESSAGE(load.is_served(patience), "before the stop of node ", each.id.value());
      each.process->send_signal(SIGTERM);
      const auto end = each.process->wait(end_patience);
      REQUIRE_MESSAGE(end, "node ", each.id.value(), " did not end");
      REQUIRE(end->words() == "exit code 0");
      REQUIRE_MESSAGE(load.is_served(patience), "without node ", each.id.value());
      three.start(each.id);
    }
  REQUIRE(load.is_served(patience));
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_progress(load.tally());
}

TEST_SUITE_END();
