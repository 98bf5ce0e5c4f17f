// What befalls nodes on the stage is what it says, and a quorum that is not healed is not taken for one that is.
#include "stage/register_workload.hpp"
#include "stage/world.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<workload> some_clients() {
  return make_register_workload(5, 30, 16);
}

world_options calm(std::uint64_t nodes, double operations_per_second = 50) {
  world_options options;
  options.knobs = plain_knobs(nodes);
  options.knobs.operations_per_second = operations_per_second;
  return options;
}

/// A cluster that has been running for two seconds, and who has spoken since when.
struct running_cluster {
  explicit running_cluster(std::uint64_t seed, world_options options = calm(3),
                           std::unique_ptr<workload> clients = some_clients())
      : world{seed, std::move(options), std::move(clients)} {
    world.network().watch([this](const peer_message& message) {
      said[about(message).from].push_back(world.runtime().now());
      if (std::holds_alternative<append_entries>(message) || std::holds_alternative<install_snapshot>(message))
        ++requests[about(message).from];
    });
    world.start_all();
    world.runtime().run_for(2s);
    REQUIRE(world.leader() != nobody);
  }

  [[nodiscard]] std::uint64_t said_between(peer_id who, instant from, instant until) {
    std::uint64_t count = 0;
    for (const auto when : said[who])
      count += when >= from && when <= until ? 1 : 0;
    return count;
  }
  [[nodiscard]] peer_id follower() {
    for (std::uint64_t id = 1; id <= world.nodes(); ++id)
      if (peer_id{id} != world.leader())
        return peer_id{id};
    return nobody;
  }

  std::map<peer_id, std::vector<instant>> said;
  std::map<peer_id, std::uint64_t> requests;
  stage_world world;
};

fault befalls(fault_kind what, peer_id node, duration lasts) {
  fault f;
  f.what = what;
  f.node = node;
  f.lasts = lasts;
  return f;
}

/// What is broken; empty if nothing is.
std::string broken(const std::function<void()>& story) {
  try {
    story();
  } catch (const story_failed& failure) {
    return failure.what();
  }
  return "";
}

} // namespace

TEST_CASE("A leader that is paused says nothing, its replicators neither, and is replaced") {
  over_seeds(10, [](std::uint64_t seed) {
    running_cluster cluster{seed};
    auto& runtime = cluster.world.runtime();
    const auto paused = cluster.world.leader();
    cluster.world.strike(befalls(fault_kind::pause, paused, 3s));
    const auto begin = runtime.now();
    runtime.run_for(3s - 1us);
    CHECK(cluster.said_between(paused, begin + 1ns, runtime.now()) == 0);
    CHECK(cluster.world.leader() != paused);
    CHECK(cluster.world.leader() != nobody);
  });
}

TEST_CASE("What came and fell due for a paused node while it stood still is handled when it goes on, at once") {
  over_seeds(10, [](std::uint64_t seed) {
    running_cluster cluster{seed};
    auto& runtime = cluster.world.runtime();
    const auto paused = cluster.follower();
    const auto leader = cluster.world.leader();
    const auto applied_before = cluster.world.state(paused)->applied;
    cluster.world.strike(befalls(fault_kind::pause, paused, 500ms));
    const auto end = runtime.now() + 500ms;
    const auto asked_before = cluster.requests[leader];
    runtime.run_for(500ms - 1us);
    CHECK(cluster.requests[leader] > asked_before);
    runtime.run_for(2us);
    CHECK(cluster.said_between(paused, end, end) > 0);
    runtime.run_for(100ms);
    CHECK(cluster.world.leader() == leader);
    CHECK(cluster.world.state(paused)->applied > applied_before);
  });
}

TEST_CASE(
    "A leader that is paused past its term beats no more when it goes on: its lease has lapsed meanwhile (law 5)") {
  over_seeds(10, [](std::uint64_t seed) {
    running_cluster cluster{seed};
    auto& runtime = cluster.world.runtime();
    const auto paused = cluster.world.leader();
    cluster.world.strike(befalls(fault_kind::pause, paused, 3s));
    runtime.run_for(3s - 1us);
    const auto before = cluster.requests[paused];
    runtime.run_for(1s);
    CHECK(cluster.requests[paused] == before);
    CHECK(cluster.world.state(paused)->term > term_number{1});
    runtime.judge().demand();
  });
}

TEST_CASE("Two pauses that overlap end with the later one, and a crash in between loses neither") {
  running_cluster cluster{1};
  auto& runtime = cluster.world.runtime();
  const auto paused = cluster.follower();
  cluster.world.strike(befalls(fault_kind::pause, paused, 1s));
  const auto begin = runtime.now();
  runtime.run_for(500ms);
  cluster.world.strike(befalls(fault_kind::pause, paused, 1s));
  cluster.world.strike(befalls(fault_kind::crash, paused, 200ms));
  runtime.run_for(1s - 1us);
  CHECK(cluster.said_between(paused, begin + 1ns, runtime.now()) == 0);
  runtime.run_for(1s);
  CHECK(cluster.said_between(paused, begin + 1500ms, runtime.now()) > 0);
}

TEST_CASE("A node whose disk was replaced by an empty one is turned away by its peers, and takes no part any more") {
  over_seeds(10, [](std::uint64_t seed) {
    running_cluster cluster{seed};
    const auto wiped = cluster.follower();
    cluster.world.strike(befalls(fault_kind::wipe, wiped, 100ms));
    cluster.world.runtime().run_for(5s);
    CHECK(cluster.world.is_retired(wiped));
    CHECK_FALSE(cluster.world.is_alive(wiped));
    CHECK(cluster.world.marks().of(sometimes::wiped_disk_refused) == 1);
  });
}

TEST_CASE("A node that is given an old copy of its disk is turned away by its peers") {
  over_seeds(10, [](std::uint64_t seed) {
    running_cluster cluster{seed};
    auto& runtime = cluster.world.runtime();
    const auto old = cluster.follower();
    cluster.world.strike(befalls(fault_kind::back_up, old, 0s));
    for (int life = 0; life < 2; ++life) { // Its peers meet later starts than the copy knows of.
      cluster.world.strike(befalls(fault_kind::crash, old, 100ms));
      runtime.run_for(2s);
    }
    CHECK_FALSE(cluster.world.is_retired(old));
    cluster.world.strike(befalls(fault_kind::pause, cluster.world.leader(), 2s)); // An election: all speak with all.
    runtime.run_for(3s);
    cluster.world.strike(befalls(fault_kind::put_back, old, 100ms));
    runtime.run_for(5s);
    CHECK(cluster.world.is_retired(old));
    CHECK(cluster.world.marks().of(sometimes::old_copy_refused) == 1);
  });
}

TEST_CASE("O3: An old copy that nobody meets before it has been started as often as the node itself is refused by its "
          "peers") {
  over_seeds(10, [](std::uint64_t seed) {
    running_cluster cluster{seed};
    auto& runtime = cluster.world.runtime();
    const auto old = cluster.follower();
    cluster.world.strike(befalls(fault_kind::back_up, old, 0s));
    for (int life = 0; life < 2; ++life) {
      cluster.world.strike(befalls(fault_kind::crash, old, 100ms));
      runtime.run_for(2s);
    }
    cluster.world.strike(befalls(fault_kind::pause, cluster.world.leader(), 2s)); // An election: all speak with all.
    runtime.run_for(3s);
    cluster.world.strike(befalls(fault_kind::isolate, old, 5s));
    cluster.world.strike(befalls(fault_kind::put_back, old, 100ms));
    runtime.run_for(1s);
    for (int life = 0; life < 3; ++life) {
      cluster.world.strike(befalls(fault_kind::crash, old, 100ms));
      runtime.run_for(1s);
      CHECK(cluster.world.is_alive(old)); // It meets nobody.
    }
    runtime.run_for(5s);
    CHECK(cluster.world.is_retired(old));
    CHECK(cluster.world.marks().of(sometimes::old_copy_refused) == 1);
  });
}

TEST_CASE("L6: Bits that flip on a disk are refused by recovery, or repaired by a leader, or do no harm") {
  std::uint64_t refused = 0, declared = 0, played = 0;
  over_seeds(30, [&](std::uint64_t seed) {
    running_cluster cluster{seed};
    auto& runtime = cluster.world.runtime();
    const auto rotten = cluster.follower();
    // Many at once hit something that is refused; a few, as often as not, only what was set aside for later, or the
    // log.
    for (std::uint64_t bit = 0; bit < (seed % 2 == 0 ? 2 : 20); ++bit)
      cluster.world.strike(befalls(fault_kind::rot, rotten, 100ms));
    runtime.run_for(5s);
    runtime.judge().demand();
    CHECK(cluster.world.is_alive(rotten) != cluster.world.is_retired(rotten));
    if (cluster.world.is_alive(rotten))
      CHECK_FALSE(cluster.world.has_loss(rotten)); // It has its say again.
    ++played;
    refused += cluster.world.marks().of(sometimes::damage_refused);
    declared += cluster.world.marks().of(sometimes::damage_declared);
  });
  CHECK((refused > 0 || played < 8)); // Or nothing was shown.
  CHECK((declared > 0 || played < 30));
}

TEST_CASE("I7: A node whose disk rotted is held to its promises again, once all on it is in order") {
  std::uint64_t held = 0, lost = 0, played = 0;
  over_seeds(20, [&](std::uint64_t seed) {
    auto options = calm(3);
    options.crash_image_every = 100;
    running_cluster cluster{seed, options};
    auto& world = cluster.world;
    const auto rotten = cluster.follower();
    const auto is_excused = [&] {
      const auto able = world.able();
      return std::find(able.begin(), able.end(), rotten) == able.end();
    };
    world.strike(befalls(fault_kind::isolate, rotten, 3s));
    world.strike(befalls(fault_kind::rot, rotten, 100ms));
    CHECK(is_excused());
    world.runtime().run_for(3s - 1us);
    if (world.is_alive(rotten) && world.has_loss(rotten)) { // Others have yet to make up for that.
      ++lost;
      CHECK(world.marks().of(sometimes::damage_outlived) == 0);
    }
    world.runtime().run_for(10s);
    ++played;
    CHECK(is_excused() == world.is_retired(rotten));
    CHECK(world.marks().of(sometimes::damage_outlived) == (world.is_retired(rotten) ? 0 : 1));
    if (is_excused())
      return;
    ++held;
    world.strike(befalls(fault_kind::pause, rotten, 1h));
    world.runtime().run_for(1s);
    // Half of its log goes, and nobody hears of it.
    const auto disk = world.checker().disk_of(rotten);
    disk->on_written = disk->on_durable = nullptr;
    log_write cut;
    cut.truncate_from = log_index{disk->last().value() / 2};
    disk->submitted({cut});
    disk->synced();
    CHECK(broken([&] { world.runtime().run_for(10s); }).starts_with("I7: leader "));
    // Another fault is another excuse.
    world.strike(befalls(fault_kind::rot, rotten, 1h));
    CHECK(is_excused());
  });
  CHECK((held > 0 || played < 5)); // Or nothing was shown.
  CHECK((lost > 0 || played < 20));
}

TEST_CASE("A disk that was replaced stays excused, however much in order it is") {
  over_seeds(5, [](std::uint64_t seed) {
    auto options = calm(5);
    options.crash_image_every = 100;
    running_cluster cluster{seed, options};
    auto& world = cluster.world;
    const auto wiped = cluster.follower();
    world.strike(befalls(fault_kind::isolate, wiped, 1h)); // Or it would be found out.
    world.strike(befalls(fault_kind::wipe, wiped, 100ms));
    world.runtime().run_for(1s);
    world.strike(befalls(fault_kind::rot, wiped, 100ms));
    world.runtime().run_for(10s);
    const auto able = world.able();
    CHECK(std::find(able.begin(), able.end(), wiped) == able.end());
    CHECK(world.marks().of(sometimes::damage_outlived) == 0);
  });
}

TEST_CASE(
    "I16: A node that starts anew between any two of its snapshots keeps no more of them than it is told to, though "
    "its log stays as it is") {
  over_seeds(5, [](std::uint64_t seed) {
    auto options = calm(3);
    options.crash_image_every = 100;
    options.knobs.peers.snapshots.log_entries = 50;
    options.knobs.peers.snapshots.ratio_percent = 0;
    options.knobs.peers.snapshots.trailing_entries = 100'000;
    running_cluster cluster{seed, options};
    for (int life = 0; life < 40; ++life) { // Several between two snapshots.
      cluster.world.strike(befalls(fault_kind::crash, cluster.follower(), 100ms));
      cluster.world.runtime().run_for(700ms);
    }
    CHECK(cluster.world.checker().committed() > log_index{600});
    cluster.world.runtime().judge().demand();
  });
}

TEST_CASE("I17: A crash image that breaks a promise is the doing of the node it is of, though that one is silent") {
  over_seeds(5, [](std::uint64_t seed) {
    auto options = calm(3);
    options.tells = true;
    options.crash_image_every = 100;
    auto promised = nobody;
    const auto result = play(
        seed, options, [](const stage_knobs&) { return some_clients(); },
        [&](stage_world& world) {
          world.start_all();
          world.runtime().run_for(2s);
          REQUIRE(world.leader() != nobody);
          promised = peer_id{world.leader().value() % 3 + 1};
          world.strike(befalls(fault_kind::pause, promised, 1h));
          // A promise that its disk has never heard of.
          log_write vote;
          vote.vote = hard_state{term_number{1000}, nobody};
          const auto disk = world.checker().disk_of(promised);
          disk->submitted({vote});
          disk->synced();
          world.runtime().run_for(10s);
        });
    CHECK(result.violation.value_or("").starts_with("I17: if node " + std::to_string(promised.value())));
    REQUIRE_FALSE(result.events.empty());
    CHECK(result.events.back().what == trace_event::kind::breaks);
    CHECK(result.events.back().node == promised);
  });
}

TEST_CASE("A quorum is healed whatever befell it, and serves: the second phase finds nothing") {
  over_seeds(5, [](std::uint64_t seed) {
    running_cluster cluster{seed, calm(5)};
    auto& world = cluster.world;
    const auto away = cluster.follower();
    for (const auto what : {fault_kind::pause, fault_kind::stall, fault_kind::slow_apply, fault_kind::isolate})
      world.strike(befalls(what, away, 1h));
    world.strike(befalls(fault_kind::crash, world.leader(), 1h));
    world.runtime().run_for(2s);
    CHECK(broken([&] { world.demand_liveness(); }) == "");
  });
}

TEST_CASE("A cluster without enough nodes for a quorum is not asked to be alive, and the run says that its plan went "
          "too far") {
  running_cluster cluster{1};
  for (int i = 0; i < 2; ++i) {
    cluster.world.strike(befalls(fault_kind::wipe, peer_id{static_cast<std::uint64_t>(1 + i)}, 100ms));
    cluster.world.runtime().run_for(1s);
  }
  CHECK(broken([&] { cluster.world.demand_liveness(); }).find("fewer nodes than a quorum") != std::string::npos);
}

TEST_CASE("A quorum that stays deaf though it should be healed breaks L1: nobody leads and commits") {
  running_cluster cluster{1};
  cluster.world.network().believes = [](peer_id, peer_id) { return false; };
  CHECK(broken([&] { cluster.world.demand_liveness(); }).starts_with("L1: "));
}

namespace {

/// Asks for more than a proposal may have, from some time on.
class greedy_workload final : public workload {
public:
  explicit greedy_workload(const bool& is_greedy) : is_greedy_{is_greedy} {}
  std::shared_ptr<state_machine> machine() override { return inner_->machine(); }
  request next(unsigned client, dice& chance) override {
    if (is_greedy_)
      return {operation::command, std::string(2000, 'x'), "far too much"};
    return inner_->next(client, chance);
  }

private:
  const bool& is_greedy_;
  std::unique_ptr<workload> inner_ = some_clients();
};

} // namespace

TEST_CASE("A healed quorum that elects and then serves nobody breaks L4") {
  bool is_greedy = false;
  auto options = calm(3);
  options.knobs.peers.limits.proposal_bytes = 1000;
  running_cluster cluster{1, options, std::make_unique<greedy_workload>(is_greedy)};
  cluster.world.runtime().after(options.knobs.peers.times.election_timeout_max * 3 / 2, [&] { is_greedy = true; });
  CHECK(broken([&] { cluster.world.demand_liveness(); }).starts_with("L4: a healed quorum served none of "));
}

TEST_CASE("A healed quorum that changes its leader again and again breaks L2") {
  running_cluster cluster{1};
  for (int i = 0; i < 3; ++i)
    cluster.world.runtime().after(
        5s + i * 5s, [&] { cluster.world.strike(befalls(fault_kind::pause, cluster.world.leader(), 2s)); });
  CHECK(broken([&] { cluster.world.demand_liveness(); }).starts_with("L2: a healed quorum changed its leader "));
}
