/// \file
/// The stage, for state machines of your own: whole clusters on a virtual clock, with everything going wrong.
///
/// Each seed is one run: a cluster of the very peers, logs, snapshots and recovery that a `node` has, around your state
/// machine, with the clients of your workload, over a simulated network and simulated disks, in one thread. In its
/// first phase anything may go wrong and no promise may be broken; in the second a connected quorum is healed, and must
/// elect, serve and agree in time. Programs link to `troupe::stage`; docs/simulating-your-state-machine.md walks
/// through one.
#pragma once

#include "troupe/types.hpp"
#include "troupe/workload.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// What to play, and what to do with what is found.
struct stage_options {
  std::uint64_t first_seed = 1;
  /// Counted up from the first, until one breaks a promise.
  std::uint64_t seeds = 100;
  /// Of the first phase of each, virtual. The second takes half a minute or so more.
  duration lasts = std::chrono::seconds{60};
  /// 1 to 9; 0: three or five, by the seed.
  std::uint64_t nodes = 0;
  /// What may go wrong, separated by commas, as `troupe sim --help` names it: `all`, `none`, families, single faults.
  std::string faults = "all";
  double faults_per_second = 1.5;
  /// Bounds and timeouts as a `node` has them, rather than drawn by the seed. With these a snapshot is taken every
  /// million commands, which is never.
  bool plain_knobs = false;
  /// A file of faults, a line each, that befall every seed instead of drawn ones; empty: none.
  std::string plan_file;
  /// Looks for a smaller plan that breaks the same promise: up to 300 more runs.
  bool shrinks = true;
  /// Where plan, story and diagram of a broken promise are written; empty: nowhere.
  std::string directory = ".";
  /// Hears after each seed how many are done.
  std::function<void(std::uint64_t done)> progress;
};

/// A broken promise, and how it comes about.
struct stage_finding {
  std::uint64_t seed = 0;
  std::string violation; ///< One line.
  duration at{};         ///< When, in the run that first broke it; virtual.
  /// Whether it was broken again when the run was played again. If not, the run does not go by its seed alone: look for
  /// a clock, randomness, addresses, and what outlives a run. All below is of the run that was played again.
  bool comes_again = false;
  std::string told_violation;   ///< How that one broke it: numbers differ where fewer faults befell.
  duration told_at{};           ///< When.
  std::string plan;             ///< The faults that are left, a line each.
  std::size_t faults = 0;       ///< How many these are.
  std::size_t faults_drawn = 0; ///< How many there were before.
  std::string story;            ///< All that happened, a line each.
  std::string end_of_story;     ///< The last lines, for a terminal.
  std::string diagram;          ///< A page for a browser.
  std::string plan_file, story_file, diagram_file;
};

/// What a simulation came to.
struct stage_outcome {
  std::uint64_t seeds = 0; ///< Played, the failing one included.
  double virtual_seconds = 0;
  std::uint64_t answered = 0;  ///< Operations with an answer.
  std::uint64_t refused = 0;   ///< Certainly not carried out.
  std::uint64_t uncertain = 0; ///< Their clients were told so, or lost their node.
  /// Of everything that happened: equal for equal options and programs.
  std::uint64_t trace = 0;
  std::optional<stage_finding> found;
};

/// Plays seeds until one breaks a promise, and shows how. `clients` makes the workload of each run anew.
///
/// No node and no peer may live in the process meanwhile. The library logs nothing: what nodes on the stage write to
/// their logs is in the story, as all that happens. Throws `std::invalid_argument` with words for
/// a person if options make no sense, `std::runtime_error` if a file cannot be written.
[[nodiscard]] stage_outcome simulate(const std::function<std::unique_ptr<workload>()>& clients,
                                     const stage_options& options = {});

/// For a terminal: what was played and what came of it; of a broken promise the end of its story, and the files.
[[nodiscard]] std::string to_string(const stage_outcome& outcome);

/// The story of the first seed, whether or not it breaks anything.
[[nodiscard]] std::string tell_first_seed(const std::function<std::unique_ptr<workload>()>& clients,
                                          const stage_options& options = {});

} // namespace troupe
