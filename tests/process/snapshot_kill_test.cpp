// kill -9 while snapshots are written, the log is let go behind them, and one is sent to a follower that needs it.
#include "tests/process/chance.hpp"
#include "tests/process/real_cluster.hpp"
#include "tests/process/token_load.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr duration patience = 60s;
constexpr unsigned clients = 12;

// A snapshot every few hundred entries, however large the state is; a follower takes one in thousands of bites, and a
// leader remembers little for one that is away. (A leader goes on keeping its log for a follower for ten election
// timeouts after it was sent a piece: these are short.)
const std::vector<std::string> flags{
    "--heartbeat",         "30ms",   "--election-timeout",     "150ms..300ms", "--segment-size",   "64KiB",
    "--snapshot-log-size", "256KiB", "--snapshot-log-entries", "500",          "--snapshot-ratio", "0",
    "--trailing-entries",  "50",     "--max-snapshot-piece",   "1KiB",         "--max-in-flight",  "64KiB",
    "--max-request",       "64KiB",  "--state-hash-entries",   "500"};
constexpr std::size_t chunk_bytes = std::size_t{64} << 10; // A draft grows by so much.
constexpr std::size_t state_chunks = 48;

// What lies in a data directory.
class directory_of {
public:
  explicit directory_of(const demo_cluster::member& node) : log_{node.data_directory + "/log"} {}

  // The size of the snapshot behind `index` that is being written or received, if there is one.
  [[nodiscard]] std::optional<std::size_t> draft_behind(log_index index = {}) const {
    for (const auto& each : names(log_ + "/snapshots"))
      if (each.ends_with(".tmp") && index_in(each) > index) {
        std::error_code gone;
        if (const auto size = std::filesystem::file_size(log_ + "/snapshots/" + each, gone); !gone)
          return size;
      }
    return std::nullopt;
  }

  [[nodiscard]] bool has_snapshot_behind(log_index index) const {
    const auto all = names(log_ + "/snapshots");
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& each) { return each.ends_with(".snap") && index_in(each) > index; });
  }

  // Where the log begins.
  [[nodiscard]] std::string first_segment() const {
    for (const auto& each : names(log_))
      if (each.ends_with(".log"))
        return each;
    return {};
  }

  // Segments that have left the log, and are not yet gone or used anew.
  [[nodiscard]] bool has_retired_segments() const {
    const auto all = names(log_);
    return std::any_of(all.begin(), all.end(), [](const auto& each) { return each.starts_with("retired-"); });
  }

private:
  // Sorted. The node goes on meanwhile: what comes and goes may be in it or not.
  [[nodiscard]] static std::vector<std::string> names(const std::string& directory) {
    std::vector<std::string> all;
    std::error_code ignored;
    for (std::filesystem::directory_iterator each{directory, ignored}, end; each != end; each.increment(ignored))
      all.push_back(each->path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }

  // GROUP-INDEX-TERM.snap, in hexadecimal digits.
  [[nodiscard]] static log_index index_in(const std::string& name) {
    std::uint64_t index = 0;
    if (const auto dash = name.find('-'); dash != std::string::npos)
      std::from_chars(name.data() + dash + 1, name.data() + name.size(), index, 16);
    return log_index{index};
  }

  std::string log_;
};

// Three nodes with a state of some MiB, and clients that write all the time.
struct snapshotting_cluster {
  explicit snapshotting_cluster(std::uint64_t seed) {
    three.start_all();
    const auto leader = three.await_leader();
    for (std::size_t i = 0; i < state_chunks; ++i)
      three.set(leader, "ballast:" + std::to_string(i), std::string(chunk_bytes, 'b'));
    load.emplace(three.doors(), clients, seed);
  }

  [[nodiscard]] node_status status(peer_id id) {
    std::optional<node_status> found;
    REQUIRE_MESSAGE(comes_true([&] { return (found = three.cluster.status_of(id)).has_value(); }, patience),
                    three.log_tails());
    return *found;
  }

  [[nodiscard]] directory_of directory(peer_id id) { return directory_of{three.cluster.at(id)}; }

  // What a killed node leaves must be whole, or torn where it was being written.
  void must_be_readable(peer_id id) {
    const auto found = run_to_end({"log", "verify", three.cluster.at(id).data_directory, "--output", "json"});
    CHECK_MESSAGE(found.end.code == 0, found.out, found.err);
    const auto verdict = nlohmann::json::parse(found.out).at("verdict").get<std::string>();
    CHECK_MESSAGE((verdict == "intact" || verdict == "torn"), found.out);
  }

  [[nodiscard]] bool is_served() { return load->is_served(patience); }

  // Every node has the same log, and has applied all of it.
  [[nodiscard]] bool is_at_rest() {
    std::vector<log_index> all;
    for (const auto& each : three.cluster.members()) {
      const auto own = three.cluster.status_of(each.id);
      if (!own)
        return false;
      all.insert(all.end(), {own->applied, own->last});
    }
    return std::adjacent_find(all.begin(), all.end(), std::not_equal_to<>{}) == all.end();
  }

  void judge() {
    REQUIRE(is_served());
    const auto wrong = load->judge();
    REQUIRE_MESSAGE(wrong.empty(), wrong, load->tally());
    CHECK_MESSAGE(comes_true([&] { return is_at_rest(); }, patience), three.log_tails());
    const auto ended = three.cluster.unexpected_end();
    CHECK_MESSAGE(!ended, *ended);
    say_progress(load->tally());
  }

  real_cluster three{3, flags};
  std::optional<token_load> load;
};

std::size_t installations(const demo_cluster::member& node) {
  const auto text = contents(node.log);
  std::size_t count = 0;
  for (auto at = text.find("event=snapshot_installed"); at != std::string::npos;
       at = text.find("event=snapshot_installed", at + 1))
    ++count;
  return count;
}

// A follower that was away for so long that it needs a snapshot, and is being sent one.
class latecomer {
public:
  // Stops it, until both others have forgotten more than it can have: what it had, and what a replicator holds ready
  // for it, which may lead it over the gap to what the log still has (--max-in-flight and a batch, of entries of 40
  // bytes).
  explicit latecomer(snapshotting_cluster& on)
      : on_{on}, leader_{on.three.await_leader()}, id_{on.three.other_than(leader_)} {
    on_.three.cluster.kill_hard(id_);
    on_.must_be_readable(id_);
    for (const auto other : {leader_, on_.three.other_than(leader_, id_)})
      had_ = std::max(had_, on_.status(other).last);
    for (const auto other : {leader_, on_.three.other_than(leader_, id_)})
      REQUIRE_MESSAGE(comes_true([&] { return on_.status(other).log_start > had_ + 4000; }, patience), "the log stays",
                      on_.three.log_tails());
    installed_before_ = installations(node());
    on_.three.start(id_);
  }

  [[nodiscard]] peer_id id() const { return id_; }

  // Waits until it has so much of the snapshot; it may have all of it before anyone looks.
  void await_bytes(std::size_t bytes) {
    const auto is_there = [&] {
      const auto draft = on_.directory(id_).draft_behind(had_);
      return (draft && *draft >= bytes) || on_.directory(id_).has_snapshot_behind(had_);
    };
    REQUIRE_MESSAGE(comes_true(is_there, patience), "no snapshot comes", on_.three.log_tails());
  }

  // It has a part of a snapshot, and none that is whole.
  [[nodiscard]] bool is_under_way() {
    const auto directory = on_.directory(id_);
    return directory.draft_behind(had_) && !directory.has_snapshot_behind(had_);
  }

  // It has been sent one after all, and follows. (What a node has just said may go with it.)
  void must_be_installed(bool is_heard) {
    if (is_heard)
      REQUIRE_MESSAGE(comes_true([&] { return installations(node()) > installed_before_; }, patience),
                      on_.three.log_tails());
    const auto committed = on_.status(on_.three.await_leader()).commit;
    REQUIRE_MESSAGE(comes_true([&] { return on_.status(id_).applied >= committed; }, patience), on_.three.log_tails());
    CHECK(on_.directory(id_).has_snapshot_behind(had_));
    CHECK(on_.status(id_).log_start > had_);
  }

private:
  [[nodiscard]] const demo_cluster::member& node() { return on_.three.cluster.at(id_); }

  snapshotting_cluster& on_;
  peer_id leader_;
  peer_id id_;
  log_index had_; ///< No entry that it had before is behind this one.
  std::size_t installed_before_ = 0;
};

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE("S1 kill -9 while a snapshot is written or the log is let go behind it loses and doubles no write") {
  seeded_dice dice;
  INFO(dice.words());
  snapshotting_cluster on{dice.seed};
  auto& three = on.three;
  REQUIRE(on.is_served());
  const auto first = on.status(three.await_leader());
  int drafts = 0;
  int retired = 0;
  const int cycles = rounds(6);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    REQUIRE_MESSAGE(on.is_served(), "before kill ", cycle, three.log_tails());
    const peer_id victim{1 + dice.below(3)};
    const auto directory = on.directory(victim);
    const auto segment = directory.first_segment();
    const auto is_the_moment = [&] {
      return cycle % 2 == 1 ? directory.draft_behind().has_value() : directory.first_segment() != segment;
    };
    REQUIRE_MESSAGE(comes_true(is_the_moment, patience), "no snapshot is taken", three.log_tails());
    const auto before = on.status(victim);
    three.cluster.kill_hard(victim);
    on.must_be_readable(victim);
    drafts += directory.draft_behind() ? 1 : 0;
    retired += directory.has_retired_segments() ? 1 : 0;
    if (dice.below(2) == 0)
      REQUIRE_MESSAGE(on.is_served(), "after kill ", cycle, " of node ", victim.value(), three.log_tails());
    three.start(victim);
    // What was said to be durable is.
    CHECK(on.status(victim).snapshot >= before.snapshot);
    CHECK_FALSE(directory.has_retired_segments());
    if (cycle % 10 == 0)
      say_progress("kill " + std::to_string(cycle) + " of " + std::to_string(cycles) + ", " + dice.words());
  }
  on.judge();
  for (const auto& each : three.cluster.members()) {
    CHECK(on.status(each.id).snapshot > first.snapshot);
    CHECK(on.status(each.id).log_start > first.log_start);
  }
  say_figure(std::to_string(cycles) + " kills: " + std::to_string(drafts) + " left a part of a snapshot, "
             + std::to_string(retired) + " segments that had left the log");
  CHECK(drafts > 0); // Else this has shown nothing that other kills do not.
}

TEST_CASE(
    "S9 kill -9 of the follower that is sent a snapshot, of its leader, or of all, and it is installed after all") {
  seeded_dice dice;
  INFO(dice.words());
  snapshotting_cluster on{dice.seed};
  auto& three = on.three;
  int cut_off = 0;
  const int cycles = rounds(6, 4);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    REQUIRE_MESSAGE(on.is_served(), "before installation ", cycle, three.log_tails());
    latecomer late{on};
    const auto leader = three.await_leader();
    late.await_bytes((1 + dice.below(state_chunks / 8)) * chunk_bytes);
    std::vector<peer_id> victims{late.id()};
    if (cycle % 3 == 2)
      victims = {leader};
    else if (cycle % 3 == 0)
      victims = {leader, late.id(), three.other_than(leader, late.id())};
    for (const auto victim : victims)
      three.cluster.kill_hard(victim);
    const bool is_cut_off = late.is_under_way();
    cut_off += is_cut_off ? 1 : 0;
    for (const auto victim : victims)
      on.must_be_readable(victim);
    // The leader stays away until the follower is well: the two have nobody else.
    if (cycle % 3 == 2)
      late.must_be_installed(is_cut_off);
    for (const auto victim : victims)
      three.start(victim);
    late.must_be_installed(is_cut_off);
    say_progress("installation " + std::to_string(cycle) + " of " + std::to_string(cycles) + ", " + dice.words());
  }
  on.judge();
  say_figure(std::to_string(cut_off) + " of " + std::to_string(cycles) + " installations were cut off under way");
  CHECK(cut_off * 3 >= cycles); // Else this has shown less than it says.
}

TEST_SUITE_END();
