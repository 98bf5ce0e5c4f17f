/// \file
/// `troupe demo --once`: the proof that an acknowledged write survives a leader.
#pragma once

#include "app/demo_cluster.hpp"
#include "app/stop_signals.hpp"

namespace troupe {

/// Starts the cluster, writes 1,000 keys, kills the leader with SIGKILL, waits for the next one, reads all keys back
/// from another node, restarts the killed one and waits until it has caught up; then stops everything. Prints a line
/// with its time for each step. What went wrong, or nothing if all went well.
[[nodiscard]] std::optional<std::string> prove_once(demo_cluster& cluster, stop_signals& stop);

} // namespace troupe
