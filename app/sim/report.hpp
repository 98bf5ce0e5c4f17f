/// \file
/// What is said of a run that broke a promise: to the terminal, and in files beside.
#pragma once

#include "app/options/program_options.hpp"
#include "stage/simulation.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// Lines on what was played: seed, knobs, plan.
[[nodiscard]] std::vector<std::string> heading_of(std::uint64_t seed, const run_options& run);

/// Finds a small plan that breaks the same promise, plays it once more in words, and prints: the promise, the plan, the
/// last part of the story, and the files that hold all of it. `run` is the one that broke it.
void report_violation(std::uint64_t seed, const run_options& run, const std::string& violation,
                      const workload_maker& clients, const sim_settings& settings);

/// Plays a run in words and prints its whole story.
void tell_run(std::uint64_t seed, const run_options& run, const workload_maker& clients);

} // namespace troupe
