/// \file
/// What a cluster has been through before a run begins: logs that differ, as in the paper's Figure 7.
#pragma once

#include "troupe/dice.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <vector>

namespace troupe {

/// What lies on a node's disk before its first life.
struct node_past {
  hard_state vote;
  std::vector<term_number> log; ///< The term of each entry.
};

/// Draws the past of nodes 1 to `nodes`: elections, won and not, each leader heard by some and by some only in part.
/// Nothing that Raft does not allow.
[[nodiscard]] std::vector<node_past> draw_pasts(dice& chance, std::uint64_t nodes);

} // namespace troupe
