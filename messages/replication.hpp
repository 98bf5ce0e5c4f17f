/// \file
/// What a leader and its replicators say to each other.
#pragma once

#include "troupe/raft_messages.hpp"
#include "troupe/storage.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

/// News from the leader. Carries the lease (law 5): beyond `lease_until` the replicator says nothing, not even a
/// heartbeat, until it is renewed.
struct leader_news {
  instant lease_until;
  log_index commit;
  log_index last;
  /// The newest read round; if it is news, it goes out at once.
  std::uint64_t read_round = 0;
  /// Freshly appended entries, consecutive; may be empty.
  std::vector<entry_batch> appended;
};

/// Entries a replicator asked for.
struct entries_fetched {
  /// The position before the first of them.
  log_position previous;
  std::vector<entry_batch> batches;
  /// The log has them no more: this stands for them.
  std::optional<snapshot_mark> snapshot = {};
};

/// A replicator wants entries from `from` on, about `max_bytes` of them.
struct fetch_entries {
  peer_id follower;
  term_number term;
  std::uint32_t incarnation = 0;
  log_index from;
  std::size_t max_bytes = 0;
};

/// What a follower's reply proved. Dropped by a peer that leads in another term.
struct follower_heard {
  peer_id follower;
  term_number term;
  std::uint32_t incarnation = 0;
  /// Durably equal to the leader's log up to here. Never goes back within an incarnation.
  log_index match;
  std::uint64_t read_round = 0;
  /// When the request was *sent* that this answers: check-quorum counts by it.
  instant sent_at;
  bool is_disk_full = false;
};

} // namespace troupe
