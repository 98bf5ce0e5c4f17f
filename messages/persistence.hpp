/// \file
/// What a peer says to its persister, and hears.
#pragma once

#include "troupe/storage.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// Writes are made durable in the order of their ids; all that wait cost one sync together.
struct persist {
  write_id id;
  log_write what;
};

/// Every write of the group up to and including `up_to` is durable.
struct persisted {
  group_id group;
  write_id up_to;
};

/// The disk has become so full that commands should not be appended any more, or is so no more.
struct disk_room {
  bool is_full = false;
};

/// Reads entries back. Answered by `log_read` with the same ticket.
struct read_log {
  std::uint64_t ticket = 0;
  log_range range;
};

struct log_read {
  group_id group;
  std::uint64_t ticket = 0;
  std::vector<entry_batch> batches;
};

} // namespace troupe
