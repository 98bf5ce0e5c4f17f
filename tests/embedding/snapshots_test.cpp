// Snapshots through both front doors: what a service or a state machine hears of them, and that logs begin behind them.
#include "tests/embedding/trio.hpp"
#include "troupe/node.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

using namespace troupe;
using namespace troupe::embedding;
using namespace std::chrono_literals;

namespace {

/// One thing that a service heard: a command, or a snapshot and what is in it.
struct heard {
  log_index index;
  bool is_snapshot = false;
  std::string text;
  friend bool operator==(const heard&, const heard&) = default;
};

/// The state of the test's service as of an index.
std::string state_at(std::uint64_t index) {
  return "as of " + std::to_string(index);
}

/// Commands `from` to `to`, as any service hears them.
std::vector<heard> commands(std::uint64_t from, std::uint64_t to) {
  std::vector<heard> all;
  for (auto i = from; i <= to; ++i)
    all.push_back({log_index{i}, false, "command " + std::to_string(i)});
  return all;
}

std::vector<heard> snapshot_then_commands(std::uint64_t index, std::uint64_t to) {
  auto all = commands(index + 1, to);
  all.insert(all.begin(), {log_index{index}, true, state_at(index)});
  return all;
}

/// The snapshots in a data directory, by index; those that are being written do not count.
std::vector<std::uint64_t> snapshots_in(const std::string& directory) {
  constexpr std::size_t index_at = 9;
  std::vector<std::uint64_t> found;
  std::error_code none_yet;
  for (const auto& each : std::filesystem::directory_iterator{directory + "/log/snapshots", none_yet})
    if (each.path().extension() == ".snap")
      found.push_back(std::stoull(each.path().filename().string().substr(index_at), nullptr, 16));
  std::sort(found.begin(), found.end());
  return found;
}

/// Stands for a peer that nothing reaches.
raft_actor::behavior_type hear_nothing() {
  return {[](const request_vote&) {}, [](const vote_reply&) {},       [](const append_entries&) {},
          [](const append_reply&) {}, [](const install_snapshot&) {}, [](const snapshot_reply&) {},
          [](const timeout_now&) {},  [](const forward&) {},          [](const forward_reply&) {}};
}

struct snapshot_trio : trio {
  /// Has command `index` accepted, which must get that index, by whoever leads.
  void command(std::uint64_t index) {
    start_reply reply;
    REQUIRE(eventually([&] {
      reply = start(peers[await_leader()], "command " + std::to_string(index));
      return reply.is_leader;
    }));
    REQUIRE(reply.index == log_index{index});
  }

  void commands_up_to(std::uint64_t last, std::uint64_t first = 1) {
    for (auto i = first; i <= last; ++i)
      command(i);
  }

  /// All that the services hear until each of `whom` has come to `last`.
  [[nodiscard]] std::map<peer_id, std::vector<heard>> hear_up_to(std::uint64_t last, const std::vector<peer_id>& whom) {
    std::map<peer_id, std::vector<heard>> all;
    const auto is_there = [&](peer_id id) { return !all[id].empty() && all[id].back().index >= log_index{last}; };
    while (!std::all_of(whom.begin(), whom.end(), is_there))
      test->receive(
          [&](const applied_command& m) {
            all[m.peer].push_back({m.index, false, std::string{m.command.view()}});
          },
          [&](const installed_snapshot& m) {
            all[m.peer].push_back({m.index, true, std::string{m.state.view()}});
          },
          caf::after(patience) >> [] { FAIL("nothing more is delivered"); });
    return all;
  }

  void take_snapshot(peer_id id, std::uint64_t index) {
    caf::anon_send(peers[id], troupe::take_snapshot{log_index{index}, shared_bytes{state_at(index)}});
  }

  [[nodiscard]] std::vector<std::uint64_t> snapshots(peer_id id) const {
    return snapshots_in(disk / std::to_string(id.value()));
  }

  /// Has it take several at once, and waits until there is the last one only: then the log begins behind that.
  void take_snapshots(peer_id id, const std::vector<std::uint64_t>& indices) {
    for (const auto index : indices)
      take_snapshot(id, index);
    REQUIRE(eventually([&] { return snapshots(id) == std::vector{indices.back()}; }));
  }

  void restart(const std::vector<peer_id>& whom) {
    for (const auto id : whom) {
      caf::anon_send(peers[id], stop_peer{});
      await_end(peers[id]);
      peers.erase(id);
    }
    for (const auto id : whom)
      peers.insert_or_assign(id, make(system, parts(id)));
    begin_all();
  }
};

/// A counter that also knows its last index, and what it was made of.
class dated_counter final : public state_machine {
public:
  struct facts {
    std::atomic<int> loads{0};
    std::atomic<std::uint64_t> first_loaded{0};
    std::atomic<std::uint64_t> last_loaded{0};
    std::atomic<std::uint64_t> first_applied{0};
    std::atomic<std::uint64_t> last_applied{0};
    std::atomic<int> out_of_order{0};
    std::atomic<long long> value{0};
  };

  explicit dated_counter(std::shared_ptr<facts> life) : life_{std::move(life)} {}

  std::size_t apply(std::span<const troupe::command> commands, answer_list& answers) override {
    for (const auto& each : commands) {
      life_->out_of_order += each.index.value() <= index_;
      index_ = each.index.value();
      life_->last_applied = index_;
      if (life_->first_applied == 0)
        life_->first_applied = index_;
      value_ += std::stoll(std::string{each.content});
      life_->value = value_;
      answers.add(std::to_string(value_));
    }
    return commands.size();
  }

  void query(std::string_view, answer_list& answers) override { answers.add(std::to_string(value_)); }

  std::unique_ptr<state_view> save() override { return view_of(std::to_string(index_) + " " + std::to_string(value_)); }

  void load(chunk_source& chunks) override {
    const auto text = read_all(chunks);
    const auto loaded = std::stoull(text);
    life_->out_of_order += loaded < index_;
    index_ = loaded;
    value_ = std::stoll(text.substr(text.find(' ')));
    life_->last_loaded = index_;
    if (life_->first_loaded == 0)
      life_->first_loaded = index_;
    life_->value = value_;
    ++life_->loads;
  }

private:
  std::shared_ptr<facts> life_;
  std::uint64_t index_ = 0;
  long long value_ = 0;
};

/// Three nodes that take a snapshot every twenty entries.
struct snapshot_cluster {
  scratch_directory disk;
  std::vector<std::string> addresses = free_addresses(3);
  std::vector<std::shared_ptr<dated_counter::facts>> lives{3};
  std::vector<std::unique_ptr<node>> nodes{3};

  snapshot_cluster() { be_quiet(); }

  void start(std::size_t i) {
    node_config config;
    config.id = peer_id{i + 1};
    for (std::size_t k = 0; k < addresses.size(); ++k)
      config.peers[peer_id{k + 1}] = addresses[k];
    config.data_directory = disk / std::to_string(i + 1);
    config.segment_bytes = 64 << 10;
    config.options.snapshots = {.log_entries = 20, .ratio_percent = 0, .trailing_entries = 5, .kept = 2};
    lives[i] = std::make_shared<dated_counter::facts>();
    nodes[i] = std::make_unique<node>(config, std::make_shared<dated_counter>(lives[i]));
  }

  [[nodiscard]] static outcome wait_for(std::future<outcome> later) {
    REQUIRE(later.wait_for(patience) == std::future_status::ready);
    return later.get();
  }

  /// Adds one, until it is accepted; the counter's value.
  [[nodiscard]] std::string add_one(std::size_t i) {
    for (;;) {
      auto outcome = wait_for(nodes[i]->submit("1"));
      if (outcome.refused != refusal::no_leader)
        return outcome.is_answered() ? outcome.answer : std::string{in_words(*outcome.refused)};
      std::this_thread::sleep_for(10ms);
    }
  }

  [[nodiscard]] std::string value_at(std::size_t i) {
    std::string found;
    CHECK(eventually([&] {
      const auto outcome = wait_for(nodes[i]->read(""));
      found = outcome.answer;
      return outcome.is_answered();
    }));
    return found;
  }
};

} // namespace

SCENARIO("N3: a bare peer that is made anew hears its snapshot first, and then only what is behind it") {
  snapshot_trio world;
  world.make_all();
  world.begin_all();
  world.commands_up_to(25);
  for (const auto& [id, all] : world.hear_up_to(25, world.ids))
    CHECK(all == commands(1, 25));
  for (const auto id : world.ids)
    world.take_snapshots(id, {10, 14, 20});
  WHEN("all are stopped and made anew") {
    world.restart(world.ids);
    world.command(26);
    THEN("each hears the snapshot, and each command behind it once") {
      for (const auto& [id, all] : world.hear_up_to(26, world.ids))
        CHECK(all == snapshot_then_commands(20, 26));
    }
    AND_WHEN("they take another one, and are made anew again") {
      (void)world.hear_up_to(26, world.ids);
      for (const auto id : world.ids)
        world.take_snapshots(id, {26});
      world.restart(world.ids);
      world.command(27);
      THEN("it is that one") {
        for (const auto& [id, all] : world.hear_up_to(27, world.ids))
          CHECK(all == snapshot_then_commands(26, 27));
      }
    }
  }
}

TEST_CASE("a peer that lacks what was forgotten hears a snapshot in its stream, and goes on behind it") {
  snapshot_trio world;
  world.make_all();
  const peer_id late{3};
  const std::vector<peer_id> early{peer_id{1}, peer_id{2}};
  std::map<peer_id, raft_actor> known{world.peers.begin(), world.peers.end()};
  known.erase(late);
  for (const auto id : early)
    caf::anon_send(world.peers[id], begin{known});
  world.commands_up_to(25);
  (void)world.hear_up_to(25, early);
  SUBCASE("it has heard nothing yet") {
    for (const auto id : early)
      world.take_snapshots(id, {10, 14, 20});
    world.begin_all();
    const auto all = world.hear_up_to(25, {late});
    CHECK(all.at(late) == snapshot_then_commands(20, 25));
    CHECK(world.snapshots(late) == std::vector<std::uint64_t>{20});
  }
  SUBCASE("it lives on with what it had") {
    world.begin_all();
    const auto before = world.hear_up_to(25, {late});
    CHECK(before.at(late) == commands(1, 25));
    const raft_actor deaf = world.system.spawn(hear_nothing);
    for (const auto id : early)
      caf::anon_send(world.peers[id], begin{{{late, deaf}}});
    world.commands_up_to(45, 26);
    (void)world.hear_up_to(45, early);
    for (const auto id : early)
      world.take_snapshots(id, {30, 40});
    for (const auto id : early)
      caf::anon_send(world.peers[id], begin{{{late, world.peers[late]}}});
    CHECK(world.hear_up_to(45, {late}).at(late) == snapshot_then_commands(40, 45));
    caf::anon_send_exit(deaf, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a snapshot that is of no use is ignored: of what was not delivered, or not behind the newest") {
  snapshot_trio world;
  world.ids.resize(1);
  const auto id = world.ids.front();
  world.make_all();
  world.begin_all();
  world.commands_up_to(25);
  (void)world.hear_up_to(25, world.ids);
  world.take_snapshot(id, 26);
  world.take_snapshot(id, 0);
  world.take_snapshots(id, {10, 14, 20});
  world.take_snapshot(id, 15);
  world.take_snapshot(id, 20);
  world.restart(world.ids);
  world.command(26);
  CHECK(world.hear_up_to(26, world.ids).at(id) == snapshot_then_commands(20, 26));
}

SCENARIO("a managed node restarts from a snapshot of its own and the log behind it") {
  snapshot_cluster three;
  for (std::size_t i = 0; i < 3; ++i)
    three.start(i);
  constexpr int many = 130;
  for (int k = 1; k <= many; ++k)
    REQUIRE(three.add_one(static_cast<std::size_t>(k) % 3) == std::to_string(k));
  for (std::size_t i = 0; i < 3; ++i)
    REQUIRE(three.value_at(i) == std::to_string(many));
  WHEN("all are stopped and started again") {
    for (auto& each : three.nodes)
      each.reset();
    for (std::size_t i = 0; i < 3; ++i)
      three.start(i);
    THEN("each loads a state, applies only what is behind it, and counts on") {
      for (std::size_t i = 0; i < 3; ++i)
        CHECK(three.value_at(i) == std::to_string(many));
      CHECK(three.add_one(0) == std::to_string(many + 1));
      for (const auto& life : three.lives) {
        CHECK(eventually([&] { return life->value == many + 1; })); // Its own: reads are answered by the leader.
        CHECK(life->first_loaded >= 20);
        CHECK(life->first_applied > life->first_loaded);
        CHECK(life->out_of_order == 0);
      }
    }
  }
  WHEN("one of them has lost nothing but was away for long") {
    const auto last = three.nodes[2]->state().last.value();
    three.nodes[2].reset();
    auto value = many;
    // When a snapshot is gone, so is the log up to the next. Disks may be slow, and then there are fewer snapshots.
    const auto has_forgotten = [&](std::size_t i) {
      const auto kept = snapshots_in(three.disk / std::to_string(i + 1));
      return !kept.empty() && kept.front() > last;
    };
    for (; value < 5000 && !(has_forgotten(0) && has_forgotten(1)); ++value)
      REQUIRE(three.add_one(static_cast<std::size_t>(value) % 2) == std::to_string(value + 1));
    // What they have sent to it meanwhile may lie with their links, and reach it though it is forgotten since.
    three.nodes[0].reset();
    three.nodes[1].reset();
    for (std::size_t i = 0; i < 3; ++i)
      three.start(i);
    THEN("it is sent the state, and has it") {
      CHECK(eventually([&] { return three.lives[2]->value == value; }));
      CHECK(three.lives[2]->out_of_order == 0);
      CHECK(three.lives[2]->loads >= 2); // Its own, and the leader's.
      CHECK(three.lives[2]->last_loaded > last);
      CHECK(three.add_one(2) == std::to_string(value + 1));
    }
  }
}
