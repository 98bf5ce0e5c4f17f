/// \file
/// How a peer is timed and bounded. Every bound of law 6 is here, with its unit.
#pragma once

#include "troupe/types.hpp"

#include <cstddef>
#include <cstdint>

namespace troupe {

/// Timing of one peer (paper §5.6: broadcast time << election timeout << time between failures).
struct timing {
  /// How often a leader says that it lives.
  duration heartbeat = std::chrono::milliseconds{100};
  /// Election timeouts are drawn uniformly from [min, max], anew each time.
  duration election_timeout_min = std::chrono::milliseconds{500};
  duration election_timeout_max = std::chrono::milliseconds{1000};
  /// A commit index no other message carries is told to a follower after this long at the latest.
  duration commit_notice = std::chrono::milliseconds{10};
};

/// Bounds of one peer. What exceeds one is refused at once, with an error of its own.
struct bounds {
  /// Entries a leader has accepted and not yet committed.
  std::size_t uncommitted_bytes = std::size_t{64} << 20;
  /// One AppendEntries request.
  std::size_t request_bytes = std::size_t{1} << 20;
  std::size_t request_entries = 16384;
  /// What a leader has sent to one follower and heard nothing of.
  std::size_t in_flight_bytes = std::size_t{8} << 20;
  std::size_t in_flight_entries = 65536;
  std::size_t in_flight_requests = 64;
  /// One piece of a snapshot on its way to a follower, at most; there is one at a time. Less on slow links.
  std::size_t snapshot_piece_bytes = std::size_t{1} << 20;
  /// The newest part of the log that a peer keeps in memory; older entries are read back from disk.
  std::size_t log_window_bytes = std::size_t{64} << 20;
  /// Committed entries handed to the applier and not yet applied.
  std::size_t apply_backlog_bytes = std::size_t{16} << 20;
  /// One proposal: what is larger is refused before it reaches the log. Stays below the frame limit of a link.
  std::size_t proposal_bytes = std::size_t{16} << 20;
  /// Reads accepted and not yet answered.
  std::size_t waiting_reads = 65536;
  /// The same in bytes, until a quorum has confirmed them.
  std::size_t waiting_read_bytes = std::size_t{64} << 20;
  /// Proposals and reads that a follower has passed on and heard nothing of, in bytes.
  std::size_t forwarded_bytes = std::size_t{16} << 20;
};

/// What is kept of an operation besides its encoding, at most.
inline constexpr std::size_t operation_cost_bytes = 128;

/// Bounds of what gathers between clients and their peer, in a gateway or a port (law 6).
struct gather_limits {
  /// A lot is closed when it holds this much; a single larger operation is a lot by itself.
  std::size_t lot_bytes = std::size_t{4} << 20;
  /// Encoded operations that wait to be submitted, of all clients together; what exceeds it is refused as `busy`.
  std::size_t waiting_bytes = std::size_t{64} << 20;
  /// Operations of all clients that are not answered yet, waiting ones included, each counted with
  /// `operation_cost_bytes` more than its encoding; what exceeds it is refused as `busy`.
  std::size_t unanswered_bytes = std::size_t{256} << 20;
  /// A lot is closed when its answers are expected to take this much.
  std::size_t lot_answer_bytes = std::size_t{16} << 20;
  /// What the answers to all submitted lots are expected to take; beyond it the next lot that asks for values waits.
  std::size_t answer_bytes = std::size_t{64} << 20;
};

/// When a peer takes a snapshot by itself, and what of the log it keeps then. A peer with a bare service takes none by
/// itself: the service says when.
struct snapshot_policy {
  /// Due when the log behind the newest snapshot has this many bytes or that many entries,
  std::size_t log_bytes = std::size_t{64} << 20;
  std::uint64_t log_entries = 1'000'000;
  /// and at least this part of the newest snapshot's size, in percent: large states are written less often,
  std::size_t ratio_percent = 50;
  /// but in any case when it has this many.
  std::size_t most_log_bytes = std::size_t{4} << 30;
  /// Entries kept behind which a snapshot stands already: a follower that is a little slow needs no snapshot. As long
  /// as the log behind the oldest snapshot that is kept is shorter than `log_bytes`.
  std::uint64_t trailing_entries = 10'000;
  /// Snapshots kept: the log is dropped only up to the oldest of them, and only when that one has been read back clean.
  std::size_t kept = 2;

  friend bool operator==(const snapshot_policy&, const snapshot_policy&) = default;
};

/// How a peer behaves.
struct peer_options {
  timing times;
  bounds limits;
  /// Open each term with a no-op entry (paper §8). Without it the first command has index 1, as the course's tests
  /// expect, and reads wait until a command of the leader's own term commits.
  bool term_start_no_op = true;
  snapshot_policy snapshots;
  /// The leader has a checksum of the state compared each so many entries (`state_machine::state_hash`); 0: never.
  std::uint64_t state_hash_entries = 10'000;
  /// A read that cannot be confirmed, or a request passed to a leader that does not answer, ends with an error then.
  duration client_deadline = std::chrono::seconds{5};
  /// Seeds every random choice of the peer (election timeouts, vote rounds).
  std::uint64_t seed = 1;
};

} // namespace troupe
