// kill -9 under load: what was acknowledged is there, once, whoever was killed.
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
// For an election and what comes before and after it, on a machine that does something else besides.
constexpr duration patience = 60s;

// Kills a node. Sometimes the others stand still just before: nothing that only it has may have been acknowledged.
void kill(real_cluster& three, peer_id victim, seeded_dice& dice) {
  const bool is_alone = dice.below(3) == 0;
  const auto others_hear = [&](int signal) {
    for (const auto& each : three.cluster.members())
      if (is_alone && each.id != victim)
        each.process->send_signal(signal);
  };
  others_hear(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::milliseconds{dice.below(40)});
  three.cluster.kill_hard(victim);
  others_hear(SIGCONT);
}

// Starts a node. Sometimes it is killed on its way once more.
void start(real_cluster& three, peer_id id, seeded_dice& dice) {
  auto& node = three.cluster.at(id);
  if (dice.below(4) == 0) {
    std::string why;
    node.process = child_process::start(three.cluster.program(), three.cluster.flags(node), node.log, {}, why);
    REQUIRE_MESSAGE(node.process, why);
    std::this_thread::sleep_for(std::chrono::milliseconds{dice.below(40)});
    three.cluster.kill_hard(id);
  }
  three.start(id);
}

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE("N26c kill -9 of any node, again and again under load, loses and doubles no write") {
  seeded_dice dice;
  INFO(dice.words());
  real_cluster three{3, quick};
  INFO(three.log_tails());
  three.start_all();
  token_load load{three.doors(), clients, dice.seed};
  const int cycles = rounds(30);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "before kill ", cycle);
    const peer_id victim{1 + dice.below(3)};
    kill(three, victim, dice);
    // Not always: then the next may be killed before this one has caught up.
    if (dice.below(3) != 0)
      REQUIRE_MESSAGE(load.is_served(patience), "after kill ", cycle, " of node ", victim.value());
    start(three, victim, dice);
    if (cycle % 10 == 0)
      say_progress("kill " + std::to_string(cycle) + " of " + std::to_string(cycles) + ", "
                   + std::to_string(load.acknowledged()) + " tokens acknowledged, " + dice.words());
  }
  REQUIRE(load.is_served(patience));
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_progress(load.tally());
}

TEST_CASE("N26c kill -9 of all nodes at once under load loses nothing, and they serve again without help") {
  seeded_dice dice;
  INFO(dice.words());
  real_cluster three{3, quick};
  INFO(three.log_tails());
  three.start_all();
  token_load load{three.doors(), clients, dice.seed};
  const int cycles = rounds(10, 3);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "before kill ", cycle);
    // At any moment, not only when a wait has just ended.
    std::this_thread::sleep_for(std::chrono::milliseconds{dice.below(50)});
    three.kill_all();
    three.start_all();
    if (cycle % 10 == 0)
      say_progress("kill of all " + std::to_string(cycle) + " of " + std::to_string(cycles) + ", "
                   + std::to_string(load.acknowledged()) + " tokens acknowledged, " + dice.words());
  }
  REQUIRE(load.is_served(patience));
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_progress(load.tally());
}

TEST_SUITE_END();
