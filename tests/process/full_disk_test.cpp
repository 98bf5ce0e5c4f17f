// Disks without room: a state, and no failure. Whoever has room goes on, nobody ends, and with the room the service
// comes back by itself.
#include "tests/process/chance.hpp"
#include "tests/process/small_disks.hpp"
#include "tests/process/token_load.hpp"

#include <algorithm>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr duration election_timeout_max = 500ms; // As quick_elections has it.
constexpr duration patience = 60s;

// From the moment there is room again. The fastest tells what the nodes do, the slowest what else the machine has to
// do.
constexpr duration promised = 2s;
constexpr duration tolerated = 5s;

// The log of a long test fits. No snapshot makes room in it: that is another story.
constexpr unsigned disk_mebibytes = 64;
const auto flags =
    quick_elections({"--segment-size", "256KiB", "--snapshot-log-size", "1GiB", "--client-deadline", "2s"});

int cycles() {
  return std::min(rounds(3, 5), 20);
}

instant now() {
  return std::chrono::steady_clock::now();
}

std::string milliseconds(duration time) {
  return std::to_string(time / 1ms) + " ms";
}

// How long something took, each time.
class stopwatch {
public:
  void note(duration took) { all_.push_back(took); }

  [[nodiscard]] duration fastest() const { return *std::min_element(all_.begin(), all_.end()); }
  [[nodiscard]] duration slowest() const { return *std::max_element(all_.begin(), all_.end()); }
  [[nodiscard]] std::string words() const { return milliseconds(fastest()) + " to " + milliseconds(slowest()); }

private:
  std::vector<duration> all_;
};

// Three nodes on small disks, and clients that write all the time.
struct cluster_on_small_disks {
  cluster_on_small_disks() { three.start_all(); }

  [[nodiscard]] std::optional<node_status> status(peer_id id) { return three.cluster.status_of(id); }

  [[nodiscard]] bool is_full(peer_id id) {
    const auto own = status(id);
    return own && own->is_disk_full;
  }

  // Leaves a node no room until it says so. It uses up what it has set aside first, and what it gives back in between
  // (a file that could not be made in full) goes to the balloon too.
  void fill_until_noticed(peer_id id) {
    const auto notice = [&] {
      disks.fill(id);
      return is_full(id);
    };
    REQUIRE_MESSAGE(comes_true(notice, patience), "a disk without room is not noticed", three.log_tails());
  }

  // Whether the node takes part as before: has room, and has everything that was committed when this was called.
  [[nodiscard]] bool is_well(peer_id id, log_index committed) {
    const auto own = status(id);
    return own && !own->is_disk_full && own->applied >= committed;
  }

  void nobody_has_ended() {
    const auto ended = three.cluster.unexpected_end();
    REQUIRE_MESSAGE(!ended, *ended, three.log_tails());
  }

  real_cluster three{3, flags};
  small_disks disks{three, disk_mebibytes};
};

void judge(token_load& load) {
  REQUIRE(load.is_served(patience));
  const auto wrong = load.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong, load.tally());
  say_progress(load.tally());
}

void check_promise(const stopwatch& watch) {
  CHECK_MESSAGE(watch.fastest() < promised, watch.words());
  CHECK_MESSAGE(watch.slowest() < tolerated, watch.words());
}

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE(
    "Z2 a leader whose disk is full hands over, and takes part again soon after there is room, without a restart") {
  TROUPE_NEEDS_SMALL_DISKS();
  seeded_dice dice;
  INFO(dice.words());
  cluster_on_small_disks on;
  auto& three = on.three;
  token_load load{three.doors(), 12, dice.seed};
  stopwatch replaced;
  stopwatch resumed;
  for (int cycle = 1; cycle <= cycles(); ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "before balloon ", cycle);
    const auto full = three.await_leader();
    on.fill_until_noticed(full);
    const auto noticed = now();
    const auto heir = three.await_leader(full);
    replaced.note(now() - noticed);
    for (int i = 0; i < 3; ++i)
      REQUIRE_MESSAGE(load.is_served(patience), "under another leader, ", cycle, three.log_tails());
    CHECK(on.is_full(full));

    const auto committed = on.status(heir)->commit;
    const auto emptied = now();
    on.disks.empty(full);
    REQUIRE_MESSAGE(comes_true([&] { return on.is_well(full, committed); }, patience), three.log_tails());
    resumed.note(now() - emptied);
    three.set(full, "after", std::to_string(cycle));
    on.nobody_has_ended();
  }
  judge(load);
  say_figure("replaced " + replaced.words() + " after it was full; well again " + resumed.words()
             + " after there was room");
  CHECK_MESSAGE(replaced.fastest() < 3 * election_timeout_max, replaced.words());
  check_promise(resumed);
}

TEST_CASE("Z1 a follower whose disk is full acknowledges nothing new and holds up nobody, and catches up without a "
          "restart") {
  TROUPE_NEEDS_SMALL_DISKS();
  seeded_dice dice;
  INFO(dice.words());
  cluster_on_small_disks on;
  auto& three = on.three;
  token_load load{three.doors(), 12, dice.seed};
  stopwatch resumed;
  for (int cycle = 1; cycle <= cycles(); ++cycle) {
    REQUIRE_MESSAGE(load.is_served(patience), "before balloon ", cycle);
    const auto leader = three.await_leader();
    const auto full = three.other_than(leader);
    on.fill_until_noticed(full);
    const auto before = on.status(full);
    REQUIRE(before);
    for (int i = 0; i < 3; ++i)
      REQUIRE_MESSAGE(load.is_served(patience), "without node ", full.value(), three.log_tails());

    // What it had said before is all that it says. Only a new leader may open its term in there.
    const auto theirs = on.status(leader);
    const auto own = on.status(full);
    REQUIRE(theirs);
    REQUIRE(own);
    CHECK(own->is_disk_full);
    if (theirs->role == "leader" && theirs->term == before->term && own->term == before->term) {
      CHECK(theirs->commit > before->last);
      CHECK(own->last == before->last);
      for (const auto& each : theirs->followers)
        if (each.id == full)
          CHECK(each.match <= before->last);
    }
    // Its clients are served: what they ask for is the leader's to say.
    CHECK(three.call(full, {"PING"}).text == "PONG");
    three.set(full, "through", std::to_string(cycle));
    CHECK(three.get(full, "through") == std::to_string(cycle));

    const auto emptied = now();
    on.disks.empty(full);
    REQUIRE_MESSAGE(comes_true([&] { return on.is_well(full, theirs->commit); }, patience), three.log_tails());
    resumed.note(now() - emptied);
    on.nobody_has_ended();
  }
  judge(load);
  say_figure("well again " + resumed.words() + " after there was room");
  check_promise(resumed);
}

TEST_CASE("Z3 with all disks full commands are refused as busy and reads go on, and soon after there is room commands "
          "are taken") {
  TROUPE_NEEDS_SMALL_DISKS();
  seeded_dice dice;
  INFO(dice.words());
  cluster_on_small_disks on;
  auto& three = on.three;
  token_load load{three.doors(), 12, dice.seed};
  stopwatch answered;
  stopwatch resumed;
  const std::vector<peer_id> all{peer_id{1}, peer_id{2}, peer_id{3}};
  for (int cycle = 1; cycle <= cycles(); ++cycle) {
    const auto value = std::to_string(cycle);
    three.set(three.await_leader(), "known", value);
    REQUIRE_MESSAGE(load.is_served(patience), "before balloon ", cycle);
    // The last that has room need not have used it up: alone it can keep no promise.
    for (const auto id : all) {
      resp_reply refused;
      REQUIRE_MESSAGE(comes_true(
                          [&] {
                            for (const auto each : all)
                              on.disks.fill(each);
                            refused = three.call(id, {"SET", "refused", value}, 1s);
                            return refused.is_error("BUSY");
                          },
                          patience),
                      "without room a command is answered with '", refused.text, "'", three.log_tails());
    }
    const auto full = std::count_if(all.begin(), all.end(), [&](peer_id id) { return on.is_full(id); });
    CHECK(full >= 2);
    const auto leader = three.await_leader();
    for (int i = 0; i < 20; ++i) {
      const auto asked = now();
      CHECK(three.get(leader, "known") == value);
      CHECK(three.get(three.other_than(leader), "known") == value);
      answered.note(now() - asked);
    }

    const auto emptied = now();
    for (const auto id : all)
      on.disks.empty(id);
    resp_reply taken;
    REQUIRE_MESSAGE(comes_true(
                        [&] {
                          taken = three.call(three.await_leader(), {"SET", "after", value});
                          return taken.is_ok();
                        },
                        patience),
                    taken.text, three.log_tails());
    resumed.note(now() - emptied);
    REQUIRE_MESSAGE(
        comes_true([&] { return std::none_of(all.begin(), all.end(), [&](peer_id id) { return on.is_full(id); }); }),
        three.log_tails());
    on.nobody_has_ended();
  }
  judge(load);
  say_figure("two reads took " + answered.words() + " on full disks; commands are taken " + resumed.words()
             + " after there was room");
  check_promise(resumed);
}

TEST_CASE("Z4 on full disks nodes note whom they meet, and start again: nobody ends, and reads go on") {
  TROUPE_NEEDS_SMALL_DISKS();
  cluster_on_small_disks on;
  auto& three = on.three;
  const std::vector<peer_id> full{peer_id{1}, peer_id{2}};
  three.set(three.await_leader(), "known", "value");
  const auto start_again = [&](peer_id id) {
    for (const auto each : full)
      on.disks.fill(each);
    three.cluster.kill_hard(id);
    three.start(id);
  };
  for (int start = 0; start < 5; ++start)
    start_again(peer_id{3}); // Each is to be noted by the two, on disks without room.
  on.nobody_has_ended();
  CHECK(three.get(peer_id{1}, "known") == "value");
  for (const auto id : full)
    start_again(id);
  on.nobody_has_ended();
  CHECK(three.get(peer_id{2}, "known") == "value");

  for (const auto id : full)
    on.disks.empty(id);
  three.set(peer_id{3}, "after", "value");
  CHECK(three.get(peer_id{3}, "after") == "value");
  on.nobody_has_ended();
}

TEST_CASE(
    "Z4 without a block set aside, whom a node meets on a full disk is noted when there is room, and nobody ends") {
  TROUPE_NEEDS_SMALL_DISKS();
  cluster_on_small_disks on;
  auto& three = on.three;
  const std::vector<peer_id> full{peer_id{1}, peer_id{2}};
  three.set(three.await_leader(), "known", "value");
  const auto is_unnoted = [&](peer_id id) {
    return contents(three.cluster.at(id).log).find("event=peer_not_noted") != std::string::npos;
  };
  REQUIRE_MESSAGE(comes_true(
                      [&] {
                        for (const auto id : full) {
                          std::filesystem::remove(three.cluster.at(id).data_directory + "/identity.room");
                          on.disks.fill(id);
                        }
                        three.cluster.kill_hard(peer_id{3});
                        three.start(peer_id{3});
                        return is_unnoted(peer_id{1}) && is_unnoted(peer_id{2});
                      },
                      patience),
                  three.log_tails());
  on.nobody_has_ended();
  CHECK(three.get(peer_id{1}, "known") == "value"); // The two still know each other.

  for (const auto id : full)
    on.disks.empty(id);
  three.set(peer_id{3}, "after", "value");
  CHECK(three.get(peer_id{3}, "after") == "value");
  on.nobody_has_ended();
}

TEST_SUITE_END();
