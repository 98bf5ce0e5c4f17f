/// \file
/// How a node stands: the numbers that somebody who looks for a cause wants to see side by side.
#pragma once

#include "troupe/raft_messages.hpp"

#include <string>
#include <vector>

namespace troupe {

struct node_standing {
  peer_id node;
  std::string state;     ///< A word or two: `leads`, `lives`, `down`, `out` (refused, or taken out of the run).
  hard_state vote;       ///< Durable.
  log_position start;    ///< What a snapshot stands for, durably; 0@0 if there is none.
  log_position written;  ///< Where its log ends.
  log_position durable;  ///< Where the durable part ends.
  log_index told_commit; ///< The highest commit index that it has sent or heard in this life, acted on or not.
  log_index applied;     ///< By its state machine, in this life.
};

/// A table: a line of names, and a line for each node.
[[nodiscard]] std::vector<std::string> to_table(const std::vector<node_standing>& all);

} // namespace troupe
