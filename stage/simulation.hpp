/// \file
/// From a seed to a run: knobs and plan are drawn, the run is played, and the plan of one that fails is made small.
#pragma once

#include "stage/world.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>

namespace troupe {

struct simulation_options {
  /// 0: three or five, by the seed.
  std::uint64_t nodes = 0;
  /// Of the first phase, virtual.
  duration lasts = std::chrono::seconds{60};
  double faults_per_second = 1.5;
  std::set<fault_kind> faults;
  /// As production's defaults have them, rather than drawn.
  bool plain_knobs = false;
  std::uint64_t crash_image_every = 1000;
  /// Through what some clients come in some of the runs; if empty, they never do.
  gate_maker gate = {};
};

/// What a seed stands for.
[[nodiscard]] run_options plan_run(std::uint64_t seed, const simulation_options& options);

/// The hash of some runs and one more.
[[nodiscard]] inline std::uint64_t add_trace(std::uint64_t before, std::uint64_t run) {
  return (before ^ run) * 0x9e3779b97f4a7c15ull;
}

/// What of a violation must be the same for it to be the same one: its words without numbers.
[[nodiscard]] std::string kind_of_violation(const std::string& words);

/// A plan with as few faults as can be found by which the same violation comes about; each fault is as short, and as
/// early in the run, as it was. Plays at most `most_runs` runs; `progress` hears after each how many faults are left,
/// and how many runs were played.
///
/// Delta debugging (Zeller and Hildebrandt 2002).
[[nodiscard]] fault_plan shrink(std::uint64_t seed, const run_options& failing, const std::string& violation,
                                const workload_maker& clients, unsigned most_runs,
                                const std::function<void(std::size_t faults_left, unsigned runs)>& progress = {});

} // namespace troupe
