// N5: a thousand peers in one process, made before any of them acts.
#include "stage/network.hpp"
#include "stage/node.hpp"
#include "tests/support/course.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// One small group of peers beside others on the same stage.
struct small_group {
  stage_network network;
  safety_checker checker;
  std::vector<std::unique_ptr<stage_node>> nodes;

  small_group(stage_runtime& runtime, group_id group, std::uint64_t peers, dice& chance)
      : network{runtime, chance.fork()}, checker{runtime.judge(), ids(peers)} {
    network.watch([this](const peer_message& message) { checker.leaves(message); });
    auto options = course_options::bare_interface();
    options.limits.log_window_bytes = 64 << 10;
    options.limits.in_flight_bytes = 64 << 10;
    for (const auto id : ids(peers))
      nodes.push_back(std::make_unique<stage_node>(stage_node_parts{runtime,
                                                                    network,
                                                                    checker,
                                                                    id,
                                                                    group,
                                                                    configuration::of(ids(peers)),
                                                                    options,
                                                                    make_memory_disk(),
                                                                    {},
                                                                    chance.fork(),
                                                                    [](const applied_command&) {}}));
    for (const auto a : ids(peers))
      for (const auto b : ids(peers))
        network.enable(a, b, true);
  }

  static std::vector<peer_id> ids(std::uint64_t peers) {
    std::vector<peer_id> all;
    for (std::uint64_t i = 1; i <= peers; ++i)
      all.emplace_back(i);
    return all;
  }

  [[nodiscard]] int leaders() {
    int count = 0;
    for (const auto& node : nodes)
      count += node->state().value_or(peer_state{}).is_leader;
    return count;
  }
};

struct theatre {
  dice chance;
  stage_runtime runtime;
  std::vector<std::unique_ptr<small_group>> groups;
  std::vector<stage_node*> nodes;

  explicit theatre(std::uint64_t seed) : chance{seed}, runtime{chance.roll()} {
    log_by_virtual_time(runtime);
    for (std::uint32_t group = 1; nodes.size() < 1000; ++group) {
      const auto peers = 3 + chance.below(3);
      groups.push_back(std::make_unique<small_group>(runtime, group_id{group}, peers, chance));
      for (const auto& node : groups.back()->nodes)
        nodes.push_back(node.get());
    }
  }
  ~theatre() {
    runtime.strike();
    forget_virtual_time();
  }

  [[nodiscard]] std::uint64_t calls() const {
    std::uint64_t sum = 0;
    for (const auto& group : groups)
      sum += group->network.counts().calls;
    return sum;
  }
};

void expect(bool holds, const char* what) {
  if (!holds)
    throw story_failed{what};
}

} // namespace

TEST_CASE("N5: a thousand peers are made at once, and not one acts before it is told to begin") {
  over_seeds(3, [](std::uint64_t seed) {
    theatre house{seed};
    for (auto* node : house.nodes)
      node->make();
    house.runtime.run_for(3s);
    expect(house.calls() == 0, "a peer spoke before it was told to begin");
    // In any order, over a while; whoever has begun already speaks to those who have not.
    for (std::size_t i = house.nodes.size(); i > 1; --i)
      std::swap(house.nodes[i - 1], house.nodes[house.chance.below(i)]);
    for (auto* node : house.nodes) {
      node->begin_playing();
      house.runtime.run_for(1ms);
    }
    house.runtime.run_for(5s);
    for (const auto& group : house.groups)
      expect(group->leaders() == 1, "a group has not one leader");
  });
}
