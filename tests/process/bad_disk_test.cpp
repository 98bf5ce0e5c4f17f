// P6: after a sync that failed nobody can say what the disk holds. The node ends; it does not try again and says
// nothing.
#include "tests/process/chance.hpp"
#include "tests/process/disk_faults.hpp"
#include "tests/process/real_cluster.hpp"
#include "tests/process/token_load.hpp"

#include <csignal>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr duration patience = 60s;
constexpr std::uint64_t writes = 6;

std::string last_line(const std::string& path) {
  std::istringstream text{contents(path)};
  std::string last;
  for (std::string line; std::getline(text, line);)
    if (!line.empty())
      last = line;
  return last;
}

// How a node must end whose disk has failed.
void check_end(const std::optional<process_end>& end, const std::string& log, const std::string& verb = "sync",
               const std::string& why = "Input/output error") {
  REQUIRE_MESSAGE(end, "still running after its disk has failed");
  CHECK_MESSAGE(end->words() == "exit code 1", contents(log));
  const auto last = last_line(log);
  CHECK_MESSAGE(last.starts_with("troupe node: cannot " + verb + " "), last);
  CHECK_MESSAGE(last.find(why) != std::string::npos, last);
}

// A node on its own, a sync of which fails.
class failing_node {
public:
  explicit failing_node(const disk_faults& faults)
      : one_{1, {"--heartbeat", "10ms", "--election-timeout", "25ms..50ms"}, faults.program()} {}

  // Writes tokens until there have been some, or an answer does not come. False if the node ended.
  bool serves(token_ledger& ledger) {
    const auto why = one_.cluster.start(self_, patience);
    auto client = resp_client::connect(one_.cluster.at(self_).client, 1s);
    while (!why && client.is_open() && ledger.acknowledged() < writes) {
      const auto token = ledger.asks();
      const auto reply = client.call({"APPEND", "log", std::to_string(token) + ","}, patience);
      if (reply.what == resp_reply::kind::integer)
        ledger.is_acknowledged(token, static_cast<std::uint64_t>(reply.number));
      else if (reply.is_error("CLUSTERDOWN"))
        ledger.is_refused(token);
    }
    return client.is_open();
  }

  void must_have_failed() { check_end(one_.cluster.at(self_).process->wait(patience), one_.cluster.at(self_).log); }

  // On a good disk.
  void must_have_kept(const token_ledger& ledger) {
    one_.start(self_);
    const auto found = parse_tokens(one_.get(self_, "log"));
    REQUIRE(found);
    const auto wrong = ledger.judge(*found);
    CHECK_MESSAGE(wrong.empty(), wrong.front());
  }

private:
  real_cluster one_;
  peer_id self_{1};
};

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE("P6 a node ends with exit code 1 at whatever sync its disk fails, and has kept what it acknowledged") {
  scratch_directory control;
  const disk_faults faults{control.path()};
  const peer_id self{1};
  int sync = 1;
  for (bool has_failed = true; has_failed; ++sync) {
    INFO("sync number ", sync);
    REQUIRE(sync < 200);
    failing_node node{faults};
    token_ledger ledger;
    faults.fail_at(self, sync);
    has_failed = !node.serves(ledger);
    faults.mend(self);
    if (has_failed) {
      node.must_have_failed();
      node.must_have_kept(ledger);
    }
  }
  // It takes a few to make the files, and one for each write.
  CHECK(sync > 2 + static_cast<int>(writes));
  say_progress(std::to_string(sync - 2) + " syncs were made to fail");
}

TEST_CASE("P6 a node whose disk fails under load ends at once, the others go on, and nothing acknowledged is lost") {
  seeded_dice dice;
  INFO(dice.words());
  scratch_directory control;
  const disk_faults faults{control.path()};
  real_cluster three{3, quick_elections(), faults.program()};
  INFO(three.log_tails());
  three.start_all();
  token_load load{three.doors(), 9, dice.seed};
  const int cycles = rounds(4, 5);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "before failure ", cycle);
    // Leaders and others in turn.
    const auto leader = three.await_leader();
    const auto victim = cycle % 2 == 1 ? leader : three.other_than(leader);
    faults.fail(victim);
    auto& failing = three.cluster.at(victim);
    check_end(failing.process->wait(patience), failing.log);
    REQUIRE_MESSAGE(load.is_served(patience), "without node ", victim.value());
    faults.mend(victim);
    three.start(victim);
  }
  REQUIRE(load.is_served(patience));
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_progress(load.tally());
}

TEST_CASE("P7 short writes are completed, and a full disk ends a node with exit code 1, under load without a loss") {
  seeded_dice dice;
  INFO(dice.words());
  scratch_directory control;
  const disk_faults faults{control.path()};
  real_cluster three{3, quick_elections(), faults.program()};
  INFO(three.log_tails());
  for (const auto& each : three.cluster.members())
    faults.write_short(each.id);
  three.start_all();
  token_load load{three.doors(), 9, dice.seed};
  for (int cycle = 1; cycle <= rounds(2, 10); ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "with short writes, ", cycle);
    three.kill_all();
    three.start_all();
    REQUIRE_MESSAGE(load.is_served(patience), "after kill -9, ", cycle);
    const auto victim = cycle % 2 == 1 ? three.await_leader() : three.other_than(three.await_leader());
    faults.fill(victim);
    auto& full = three.cluster.at(victim);
    check_end(full.process->wait(patience), full.log, "write", "No space left on device");
    REQUIRE_MESSAGE(load.is_served(patience), "without node ", victim.value());
    faults.mend(victim);
    three.start(victim);
  }
  REQUIRE(load.is_served(patience));
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_progress(load.tally());
}

TEST_SUITE_END();
