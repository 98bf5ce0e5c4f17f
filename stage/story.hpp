/// \file
/// The story of a run, for a person at a terminal.
#pragma once

#include "stage/trace.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

struct story_options {
  /// Lines to begin with: the cluster, the seed, the plan.
  std::vector<std::string> heading = {};
  /// Tells only what happens within these, both included. What a message does outside is still said where it is told.
  std::optional<duration> from = std::nullopt;
  std::optional<duration> until = std::nullopt;
  /// Tells only so many lines, the last ones before the end. Folded heartbeats are one line.
  std::optional<std::size_t> last = std::nullopt;
  /// Runs of heartbeats that say nothing new, and are answered with nothing new, become one line.
  bool fold = true;
  /// What is known of the broken promise beyond its words, and how the nodes stood (standing.hpp), a line each.
  std::vector<std::string> details = {};
  std::vector<std::string> standings = {};
  /// Tells only what one of these has a part in, and what befalls all; empty: everything.
  std::set<peer_id> nodes = {};
};

/// Tells a run in the order of time, one line per happening, each line ended: the heading, what the run was in short,
/// the events, of a broken promise all that the run says of what it is about (disputed.hpp), how the nodes stood at the
/// end, and last the broken promise itself, which is told whatever the options say.
///
/// A line for a message also says how it ended: `heard +3.2 ms`, `lost`. Where something happens at the receiver in
/// between, its hearing gets a line of its own as well. Pure: equal events, equal story.
[[nodiscard]] std::string tell(const std::vector<trace_event>& trace, const story_options& options = {});

} // namespace troupe
