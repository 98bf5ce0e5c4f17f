// Power failures, as far as a process can show them: after kill -9, what the node had not synced is taken from it too.
#include "tests/process/chance.hpp"
#include "tests/process/disk_faults.hpp"
#include "tests/process/power_failure.hpp"
#include "tests/process/real_cluster.hpp"
#include "tests/process/token_load.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr unsigned clients = 16;
constexpr duration patience = 60s;

// Takes from a killed node what it had not synced: all of it, or any sectors.
power_loss lose_power_of(const demo_cluster::member& node, const std::string& journals, seeded_dice& dice) {
  const auto survivors_in_ten = dice.below(3) == 0 ? 0 : dice.below(10);
  return lose_power(node.data_directory, journals, [&] { return dice.below(10) < survivors_in_ten; });
}

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE("P1 P2 power that fails under all nodes, or under one, takes nothing that was acknowledged") {
  seeded_dice dice;
  INFO(dice.words());
  scratch_directory control;
  const disk_faults faults{control.path()};
  real_cluster three{3, quick_elections({"--segment-size", "256KiB"}), faults.program()};
  INFO(three.log_tails());
  std::vector<std::string> journals;
  for (const auto& each : three.cluster.members())
    journals.push_back(faults.note_unsynced_writes(each.id));
  three.start_all();
  token_load load{three.doors(), clients, dice.seed};
  power_loss sum;
  const int cycles = rounds(15);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "before failure ", cycle);
    std::this_thread::sleep_for(std::chrono::milliseconds{dice.below(50)});
    const peer_id victim{1 + dice.below(4)}; // The fourth stands for all.
    victim.value() == 4 ? three.kill_all() : three.cluster.kill_hard(victim);
    for (const auto& each : three.cluster.members())
      if (victim.value() == 4 || each.id == victim)
        sum += lose_power_of(each, journals[each.id.value() - 1], dice);
    if (victim.value() == 4)
      three.start_all();
    else
      three.start(victim);
    if (cycle % 10 == 0)
      say_progress("power failure " + std::to_string(cycle) + " of " + std::to_string(cycles) + ", "
                   + std::to_string(load.acknowledged()) + " tokens acknowledged, " + dice.words());
  }
  REQUIRE(load.is_served(patience));
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_figure(std::to_string(sum.writes) + " writes were not synced; " + std::to_string(sum.lost) + " of their "
             + std::to_string(sum.sectors) + " sectors were lost");
  CHECK(sum.lost > 0); // Else this has shown nothing that kill -9 does not.
  say_progress(load.tally());
}

TEST_SUITE_END();
