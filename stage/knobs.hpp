/// \file
/// Everything about a cluster that a run may vary, small values included: bounds that are never met hide what happens
/// at them.
#pragma once

#include "stage/delayed_storage.hpp"
#include "troupe/dice.hpp"
#include "troupe/peer_options.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

struct stage_knobs {
  std::uint64_t nodes = 3;
  peer_options peers;
  /// Of each node: how fast its clock runs, in percent. A peer reads its clock only for spans, so one that runs fast is
  /// one with shorter times.
  std::vector<unsigned> clock_percent;
  std::size_t segment_bytes = 64 << 10;
  sync_latency latency;
  unsigned clients = 4;
  /// So many of them do not submit to a peer themselves, but come through a gate (gate.hpp).
  unsigned gate_clients = 0;
  /// Operations of all clients together, per second.
  double operations_per_second = 50;
  /// Operations that a client submits together, at most.
  unsigned most_in_a_lot = 1;
  unsigned read_percent = 30;
  std::size_t value_bytes = 16;
  /// Few are fought over, many make a state of some size.
  unsigned keys = 6;

  /// The options of one node, as its clock has them.
  [[nodiscard]] peer_options options_of(peer_id node) const;
};

/// The defaults of production, but for a log that is cut into small segments.
[[nodiscard]] stage_knobs plain_knobs(std::uint64_t nodes);

/// Each knob for itself; one run in two has bounds so small that all are met.
[[nodiscard]] stage_knobs draw_knobs(dice& chance, std::uint64_t nodes);

/// One line: what differs from production.
[[nodiscard]] std::string to_string(const stage_knobs& knobs);

} // namespace troupe
