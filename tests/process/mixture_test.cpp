// Everything at once: nodes are killed, stopped, ended and robbed of power or disk in any mixture, then healed.
#include "tests/process/chance.hpp"
#include "tests/process/disk_faults.hpp"
#include "tests/process/power_failure.hpp"
#include "tests/process/real_cluster.hpp"
#include "tests/process/register_clients.hpp"
#include "tests/process/token_load.hpp"

#include <csignal>
#include <map>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr duration patience = 60s;
constexpr int faults_between_healings = 8;

// Three nodes, and what is wrong with each.
class tormented_cluster {
public:
  explicit tormented_cluster(seeded_dice& dice)
      : dice_{dice}, faults_{control_.path()}, three{3, quick_elections({"--segment-size", "256KiB"}),
                                                     faults_.program()} {
    for (const auto& each : three.cluster.members())
      journals_.push_back(faults_.note_unsynced_writes(each.id));
    three.start_all();
  }

  // Does something to some node, whatever else is wrong with it.
  void torment() {
    auto& node = three.cluster.at(peer_id{1 + dice_.below(3)});
    switch (node.process ? dice_.below(7) : 7) {
    case 0: tell("kill -9", node), three.cluster.kill_hard(node.id); break;
    case 1: tell("power failure", node), fail_power(node); break;
    case 2: tell("SIGSTOP", node), node.process->send_signal(SIGSTOP); break;
    case 3: tell("SIGCONT", node), node.process->send_signal(SIGCONT); break;
    case 4: tell("stalled disk", node), faults_.stall_writes_too(node.id); break;
    case 5: tell("failing disk", node), end_by_disk(node); break;
    case 6: tell("SIGTERM", node), end_by_signal(node); break;
    default: start(node); break;
    }
  }

  // All nodes are well again. None may have ended but by what was done to it.
  void heal() {
    const auto ended = three.cluster.unexpected_end();
    REQUIRE_MESSAGE(!ended, *ended, history_, three.log_tails());
    for (auto& each : three.cluster.members()) {
      faults_.mend(each.id);
      if (each.process)
        each.process->send_signal(SIGCONT);
      else
        start(each);
    }
  }

  [[nodiscard]] std::string tally() const {
    std::string words = std::to_string(lost_.lost) + " sectors lost";
    for (const auto& [what, count] : counts_)
      words += ", " + std::to_string(count) + " x " + what;
    return words;
  }

private:
  using member = demo_cluster::member;

  void tell(const std::string& what, const member& node) {
    ++counts_[what];
    history_ += what + " " + std::to_string(node.id.value()) + "; ";
  }

  void start(member& node) {
    faults_.mend(node.id);
    tell("start", node);
    three.start(node.id);
  }

  void fail_power(member& node) {
    three.cluster.kill_hard(node.id);
    lost_ += lose_power(node.data_directory, journals_[node.id.value() - 1], [&] { return dice_.below(2) == 0; });
  }

  // It ends by itself at its next sync. One that has nothing to write goes on, and is killed.
  void end_by_disk(member& node) {
    faults_.mend(node.id);
    faults_.fail(node.id);
    node.process->send_signal(SIGCONT);
    if (const auto end = node.process->wait(1s))
      REQUIRE_MESSAGE(end->words() == "exit code 1", history_);
    three.cluster.kill_hard(node.id);
  }

  void end_by_signal(member& node) {
    node.process->send_signal(SIGTERM);
    node.process->send_signal(SIGCONT);
    const auto end = node.process->wait(patience);
    REQUIRE_MESSAGE(end, history_);
    REQUIRE_MESSAGE(end->words() == "exit code 0", history_);
    node.process.reset();
  }

  seeded_dice& dice_;
  scratch_directory control_;
  disk_faults faults_;
  std::vector<std::string> journals_;
  std::map<std::string, int> counts_;
  power_loss lost_;
  std::string history_;

public:
  real_cluster three;
};

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE("Any mixture of faults of real nodes loses, doubles and reorders no write, and ends when they are healed") {
  seeded_dice dice;
  INFO(dice.words());
  tormented_cluster on{dice};
  INFO(on.three.log_tails());
  token_load load{on.three.doors(), 12, dice.seed};
  register_clients others{on.three.doors(), 6, 3, dice.seed};
  const int cycles = rounds(5, 2);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "after healing ", cycle - 1);
    for (int i = 0; i < faults_between_healings; ++i) {
      on.torment();
      std::this_thread::sleep_for(std::chrono::milliseconds{dice.below(400)});
    }
    on.heal();
    if (cycle % 10 == 0)
      say_progress("mixture " + std::to_string(cycle) + " of " + std::to_string(cycles) + ", "
                   + std::to_string(load.acknowledged()) + " tokens acknowledged, " + dice.words());
  }
  REQUIRE(load.is_served(patience));
  on.heal();
  const auto alternation = others.judge();
  REQUIRE_MESSAGE(alternation.empty(), alternation);
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_figure(on.tally());
  say_progress(load.tally() + "; registers: " + others.tally());
}

TEST_SUITE_END();
