/// \file
/// A broken promise is made small, played once more in words, and put into files.
#pragma once

#include "stage/simulation.hpp"
#include "stage/story.hpp"
#include "troupe/stage.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct finding_options {
  /// Looks for a smaller plan that breaks the same promise.
  bool shrinks = true;
  /// Hears after each run that is played for a smaller plan how many faults are left of how many.
  std::function<void(std::size_t left, std::size_t drawn, unsigned runs)> progress = {};
};

/// Shows how a promise is broken. `run` is the one whose `result` says that it was.
[[nodiscard]] stage_finding explain(std::uint64_t seed, const run_options& run, const run_result& result,
                                    const workload_maker& clients, const finding_options& options = {});

/// Writes plan, story and diagram to files in `directory`, and names them in the finding; or says what is wrong.
[[nodiscard]] std::optional<std::string> write_files(stage_finding& found, const std::string& directory);

/// The promise that is broken, in one line without its end.
[[nodiscard]] std::string headline(std::uint64_t seed, duration at, const std::string& violation);
/// The end of the story, and the files, each line ended.
[[nodiscard]] std::string to_string(const stage_finding& found);

/// Lines on what was played: seed, knobs, plan.
[[nodiscard]] std::vector<std::string> heading_of(std::uint64_t seed, const run_options& run);

/// Lines of a story that a terminal gets.
inline constexpr std::size_t lines_for_a_terminal = 40;

/// How a run that was played in words is told, whole: under this heading, with all that is known at its end.
[[nodiscard]] story_options story_of(const run_result& told, std::vector<std::string> heading);

/// Plays a run in words and tells its whole story.
[[nodiscard]] std::string tell_run(std::uint64_t seed, const run_options& run, const workload_maker& clients);

} // namespace troupe
