// Disks that do not answer. A stalled disk is worse than a dead node: it keeps its connections and its memory.
#include "tests/process/chance.hpp"
#include "tests/process/disk_faults.hpp"
#include "tests/process/real_cluster.hpp"
#include "tests/process/token_load.hpp"

#include <algorithm>
#include <csignal>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

// As nodes have it by default.
constexpr duration election_timeout_max = 1s;
constexpr duration patience = 60s;

instant now() {
  return std::chrono::steady_clock::now();
}

std::string milliseconds(duration time) {
  return std::to_string(time / 1ms) + " ms";
}

// Three nodes whose disks can be stalled.
struct stalling_cluster {
  explicit stalling_cluster(std::vector<std::string> flags = {})
      : faults{control.path()}, three{3, std::move(flags), faults.program()} {
    three.start_all();
  }

  // Whether a node that is not `deposed` leads.
  std::optional<node_status> leader_other_than(peer_id deposed) {
    for (const auto& each : three.cluster.members())
      if (each.id != deposed)
        if (auto status = three.cluster.status_of(each.id); status && status->role == "leader")
          return status;
    return std::nullopt;
  }

  bool has_role(peer_id id, const std::string& role) {
    const auto status = three.cluster.status_of(id);
    return status && status->role == role;
  }

  // Follows another and has applied all that was committed there when this was called.
  [[nodiscard]] bool comes_back_as_follower(peer_id id) {
    const auto leader = leader_other_than(id);
    return leader
        && comes_true(
               [&] {
                 const auto own = three.cluster.status_of(id);
                 return own && own->role == "follower" && own->leader != id && own->applied >= leader->commit;
               },
               patience);
  }

  scratch_directory control;
  disk_faults faults;
  real_cluster three;
};

// Says one command to each of `nodes` at once, on connections of their own, and tells how long the slowest took.
struct asked_at_once {
  asked_at_once(real_cluster& cluster, const std::vector<peer_id>& nodes, const std::vector<std::string>& words) {
    std::vector<std::jthread> threads;
    replies.resize(nodes.size());
    const auto began = now();
    for (std::size_t i = 0; i < nodes.size(); ++i)
      threads.emplace_back([&, i] {
        auto client = resp_client::connect(cluster.cluster.at(nodes[i]).client, 10s);
        replies[i] = client.call(words, patience);
      });
    threads.clear();
    took = now() - began;
  }

  std::vector<resp_reply> replies;
  duration took;
};

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE("Law 5 a leader whose disk stalls goes quiet, is replaced, and comes back as a follower") {
  seeded_dice dice;
  INFO(dice.words());
  stalling_cluster on;
  auto& three = on.three;
  INFO(three.log_tails());
  token_load load{three.doors(), 9, dice.seed};
  std::vector<duration> replaced_after;
  const int cycles = rounds(3, 5);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    const auto stalled = three.await_leader();
    REQUIRE_MESSAGE(load.is_served(patience), "before stall ", cycle);
    const auto began = now();
    dice.below(2) == 0 ? on.faults.stall(stalled) : on.faults.stall_writes_too(stalled);
    REQUIRE_MESSAGE(comes_true([&] { return on.leader_other_than(stalled).has_value(); }, patience),
                    "nobody took over from a leader whose disk stalls");
    replaced_after.push_back(now() - began);
    REQUIRE_MESSAGE(comes_true([&] { return !on.has_role(stalled, "leader"); }, patience),
                    "a leader whose disk stalls thinks that it leads");
    // The others serve, its own clients too: half of them stay with it, and are refused or passed on.
    for (int i = 0; i < 3; ++i)
      REQUIRE_MESSAGE(load.is_served(patience), "during stall ", cycle);
    on.faults.mend(stalled);
    REQUIRE_MESSAGE(on.comes_back_as_follower(stalled), "after stall ", cycle);
    say_progress("stall " + std::to_string(cycle) + " of " + std::to_string(cycles) + ": replaced after "
                 + milliseconds(replaced_after.back()));
  }
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  std::sort(replaced_after.begin(), replaced_after.end());
  say_figure("replaced after " + milliseconds(replaced_after.front()) + " to " + milliseconds(replaced_after.back())
             + ", median " + milliseconds(replaced_after[replaced_after.size() / 2]));
  // The fastest tells what the nodes do, the slowest what else the machine has to do.
  REQUIRE(replaced_after.front() < 3 * election_timeout_max);
  say_progress(load.tally());
}

TEST_CASE("A follower whose disk stalls holds up nobody else, and its own clients hear something in time") {
  seeded_dice dice;
  INFO(dice.words());
  stalling_cluster on{{"--client-deadline", "1s"}};
  auto& three = on.three;
  INFO(three.log_tails());
  const auto leader = three.await_leader();
  const auto stalled = three.other_than(leader);
  const auto third = three.other_than(leader, stalled);
  three.set(leader, "key", "value");
  on.faults.stall_writes_too(stalled);
  duration slowest{0};
  duration slowest_own{0};
  int asked = 0;
  int refused = 0;
  int read = 0;
  for (const auto began = now(); now() - began < (is_long_form() ? 20s : 3s); ++asked) {
    const auto value = std::to_string(asked);
    const asked_at_once others{three, {leader, third}, {"SET", "key", value}};
    slowest = std::max(slowest, others.took);
    // The leader may have changed, on a machine that does something else besides.
    const bool is_known = others.replies[0].is_ok() && others.replies[1].is_ok();
    refused += is_known ? 0 : 1;
    const asked_at_once own{three, {stalled}, {"GET", "key"}};
    slowest_own = std::max(slowest_own, own.took);
    REQUIRE_FALSE(own.replies.front().is_lost());
    if (is_known && own.replies.front().what == resp_reply::kind::bulk) {
      ++read;
      REQUIRE(own.replies.front().text == value);
    }
  }
  const asked_at_once write{three, {stalled}, {"SET", "other key", "value"}};
  REQUIRE_FALSE(write.replies.front().is_lost());
  slowest_own = std::max(slowest_own, write.took);
  say_figure(std::to_string(asked) + " writes at each of the others, the slowest took " + milliseconds(slowest) + ", "
             + std::to_string(refused) + " refused; the stalled node answered " + std::to_string(read)
             + " reads, its slowest answer took " + milliseconds(slowest_own));
  CHECK(asked > 3);
  CHECK(slowest < 10s);
  CHECK(refused < 10);
  CHECK(slowest_own < 20s);
  on.faults.mend(stalled);
  REQUIRE(on.comes_back_as_follower(stalled));
  three.set(leader, "key", "at last");
  REQUIRE(three.get(stalled, "key") == "at last");
}

TEST_CASE("While all disks stall clients hear errors by the deadline, and afterwards the nodes serve without help") {
  seeded_dice dice;
  INFO(dice.words());
  stalling_cluster on{{"--client-deadline", "1s"}};
  auto& three = on.three;
  INFO(three.log_tails());
  const std::vector<peer_id> all{peer_id{1}, peer_id{2}, peer_id{3}};
  token_load load{three.doors(), 6, dice.seed};
  duration slowest{0};
  const int cycles = rounds(2, 10);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "before stall ", cycle);
    for (const auto id : all)
      on.faults.stall(id);
    // The first may still ride on a sync that was under way, the second not: nothing can be promised any more.
    slowest = std::max(slowest, asked_at_once{three, all, {"SET", "key", "1"}}.took);
    for (const auto* verb : {"INCR", "GET"}) {
      const asked_at_once asked{three, all, {verb, "key"}};
      slowest = std::max(slowest, asked.took);
      for (const auto& reply : asked.replies) {
        REQUIRE_FALSE(reply.is_lost());
        if (verb == std::string{"INCR"})
          REQUIRE_MESSAGE(reply.what == resp_reply::kind::error, "a write is acknowledged though no disk has it");
      }
    }
    for (const auto id : all)
      on.faults.mend(id);
    REQUIRE_MESSAGE(load.is_served(patience), "after stall ", cycle);
  }
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_figure("the slowest error took " + milliseconds(slowest) + ", with a deadline of 1000 ms");
  CHECK(slowest < 20s);
}

TEST_CASE("A node whose disk stalls ends on SIGTERM all the same") {
  stalling_cluster on;
  const auto leader = on.three.await_leader();
  on.faults.stall_writes_too(leader);
  auto client = resp_client::connect(on.three.cluster.at(leader).client, 10s);
  std::jthread writing{[&] { (void)client.call({"SET", "key", "value"}, 10s); }};
  auto& node = *on.three.cluster.at(leader).process;
  node.send_signal(SIGTERM);
  const auto end = node.wait(20s);
  REQUIRE_MESSAGE(end, on.three.log_tails());
  CHECK_MESSAGE(end->words() == "exit code 0", on.three.log_tails());
}

TEST_SUITE_END();
