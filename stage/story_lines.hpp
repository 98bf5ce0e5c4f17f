/// \file
/// Which events of a run get a line of its story, and which share one.
#pragma once

#include "stage/reading.hpp"
#include "stage/story.hpp"

#include <set>
#include <vector>

namespace troupe {

/// One line of the story.
struct story_line {
  event_number event = 0;
  /// What is sent: one message, or the same words to several. What is heard or lost: that message. Of folded
  /// heartbeats: all of them.
  std::vector<std::size_t> messages = {};
  bool is_heartbeats = false;
};

struct story_lines {
  std::vector<story_line> lines;
  /// Hearings that have a line of their own. All others are told where the message is sent.
  std::set<event_number> told_apart;
};

/// Chooses the lines of a story, in order; all of them, also if the options want the last ones only. Every event within
/// what the options want is in one: as itself, as the end of a message that is told, or in a run of heartbeats.
[[nodiscard]] story_lines choose_lines(const std::vector<trace_event>& trace, const reading& read,
                                       const story_options& options);

} // namespace troupe
