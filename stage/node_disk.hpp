/// \file
/// Where a node of the stage keeps what must survive its crashes.
#pragma once

#include "stage/delayed_storage.hpp"

#include <memory>
#include <vector>

namespace troupe {

/// A node's disk: outlives the node's lives.
class node_disk {
public:
  virtual ~node_disk() = default;
  /// Opens the store, recovering what is there.
  [[nodiscard]] virtual std::unique_ptr<two_step_storage> open() = 0;
  /// The power goes: of what was written and not synced, chance decides how much is left.
  virtual void lose_power(dice& chance) = 0;
};

/// A disk without a format: for stories about many peers, and about everything but persistence.
[[nodiscard]] std::unique_ptr<node_disk> make_memory_disk();

/// The real log, in segments of `segment_bytes`, on a simulated disk.
[[nodiscard]] std::unique_ptr<node_disk> make_log_disk(std::uint64_t seed, std::size_t segment_bytes);

} // namespace troupe
