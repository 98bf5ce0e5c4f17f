/// \file
/// What a peer says to its applier, and hears.
#pragma once

#include "troupe/client_messages.hpp"
#include "troupe/entry.hpp"

#include <cstdint>
#include <vector>

namespace troupe {

/// Reported after each `apply_entries`; gives the peer its credit back (apply backlog, law 6).
struct applied {
  group_id group;
  log_index up_to;
  std::size_t bytes = 0;
};

} // namespace troupe
