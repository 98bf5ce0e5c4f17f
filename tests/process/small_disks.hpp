/// \file
/// A disk of a few MiB for each node of a cluster, that can be filled to its last block and emptied again.
#pragma once

#include "tests/process/real_cluster.hpp"

#include <optional>
#include <string>

/// Leaves a test that needs small disks where there can be none; ctest knows the word.
#define TROUPE_NEEDS_SMALL_DISKS()                                                                                     \
  if (const auto why = troupe::small_disks::none_because()) {                                                          \
    std::printf("skipped: this test needs to mount small disks: %s\n", why->c_str());                                  \
    return;                                                                                                            \
  }

namespace troupe {

/// File systems in memory in the place of the nodes' data directories, seen by this process and its children alone:
/// they are gone with it, however it ends. Made before the nodes are started. A test that fails copies what they hold
/// to `node-N.kept`.
class small_disks {
public:
  /// Why there can be none here, in words; nothing if there can.
  [[nodiscard]] static std::optional<std::string> none_because();

  small_disks(real_cluster& cluster, unsigned mebibytes);
  ~small_disks();
  small_disks(const small_disks&) = delete;
  small_disks& operator=(const small_disks&) = delete;

  /// A balloon takes every block that is free now; said again, also those that have become free since.
  void fill(peer_id node);
  /// The balloon is gone.
  void empty(peer_id node);

private:
  [[nodiscard]] std::string balloon(peer_id node) const;

  real_cluster& cluster_;
};

} // namespace troupe
