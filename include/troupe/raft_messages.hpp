/// \file
/// What peers say to each other: the paper's RPCs as pairs of one-way messages.
///
/// Between peers there are only tells. A request carries a number (a round, for votes) and gets exactly one reply that
/// echoes it, unless the peer that heard it is stopped; a reply may come seconds late, in any order, or never. Nobody
/// waits for one. A reply proves only what its request carried.
#pragma once

#include "troupe/entry.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <vector>

namespace troupe {

/// Who says it to whom, and in which term the sender is. No message carries a term that is not durable at its sender,
/// but for a pre-vote's hypothetical one.
struct envelope {
  group_id group;
  peer_id from;
  peer_id to;
  term_number term;
};

/// Asks for a vote (paper Figure 2), or, as a pre-vote, whether one would be given (thesis 9.6).
struct request_vote {
  /// For a pre-vote `about.term` is the term the candidate *would* run in; nobody adopts it.
  envelope about;
  /// Names the attempt. Re-sent with the same round until answered.
  std::uint64_t round = 0;
  bool pre_vote = false;
  /// Set when the leader itself asked the candidate to run: leader stickiness does not apply (thesis 3.10).
  bool transfer = false;
  log_position last_log;
};

/// Answers `request_vote`; `about.term` is the voter's own term, for pre-votes too.
struct vote_reply {
  envelope about;
  std::uint64_t round = 0;
  bool pre_vote = false;
  bool granted = false;
};

/// A leader's answer to a follower that says that its log lost what it may have acknowledged (`hard_state::lost`).
///
/// Up to `until`, where the leader's log ended when it heard of the loss, is all that the follower can have
/// acknowledged to anybody who may still count on it: to leaders before, for this one has all that they committed; and
/// to this one, who forgets the acknowledgements themselves. So once the follower has that much again, durably, and it
/// is committed, it lacks nothing. (An entry of the leader's own term alone would not do: what was acknowledged may lie
/// behind it.)
struct repair {
  std::uint64_t lost = 0; ///< Which loss; 0: of none that the leader knows.
  log_index until;
  friend bool operator==(const repair&, const repair&) = default;
};

/// Replicates entries, and is the heartbeat when there are none (paper Figure 2, §5.3).
struct append_entries {
  envelope about;
  /// Which replicator of this term asks: a replicator that was started anew has a higher one.
  std::uint32_t incarnation = 0;
  /// Numbers the requests of one incarnation, from 1.
  std::uint64_t number = 0;
  log_position previous;
  /// The leader's commit index.
  log_index commit;
  /// The newest read round the leader has begun; see read_index.hpp.
  std::uint64_t read_round = 0;
  troupe::repair repair;
  /// Consecutive, the first beginning at `previous.index + 1`.
  std::vector<entry_batch> batches;
};

/// Answers `append_entries`.
struct append_reply {
  envelope about;
  std::uint32_t incarnation = 0; ///< Echoed.
  std::uint64_t number = 0;      ///< Echoed.
  std::uint64_t read_round = 0;  ///< Echoed.
  bool success = false;
  /// On success: up to here the follower's log equals the leader's, durably, as far as this request proved.
  log_index match;
  /// On refusal: where the follower's log ends, and, if it has an entry at the request's previous index, the term of
  /// that entry and the first index of that term's run (back-up by term, paper §5.3). Term 0: the log is too short.
  log_index last;
  log_position conflict;
  /// The follower's disk is so full that it takes no commands: on a refusal, ask again at the next heartbeat, not at
  /// once.
  bool is_full = false;
  /// Not 0: names a loss that is not repaired, as far as the follower knows. What it proved before counts no longer.
  std::uint64_t lost = 0;
};

/// A piece of a snapshot, for a follower that needs entries which the leader's log has no more (paper §7, Figure 13).
/// One piece at a time is on its way to a follower.
struct install_snapshot {
  envelope about;
  std::uint32_t incarnation = 0; ///< As in `append_entries`,
  std::uint64_t number = 0;      ///< and numbered with those.
  std::uint64_t read_round = 0;
  /// Which snapshot: the last entry it stands for, that entry's log time, and the size of the whole content.
  log_position at;
  std::int64_t time = 0;
  std::uint64_t size_bytes = 0;
  /// Where in the content this piece belongs. A piece of no bytes asks how much is there already.
  std::uint64_t offset = 0;
  shared_bytes bytes;
};

/// Answers `install_snapshot`, when the piece is stored; for the last piece, when the whole is verified and durable and
/// has taken the log's place.
struct snapshot_reply {
  envelope about;
  std::uint32_t incarnation = 0; ///< Echoed, as are the next two.
  std::uint64_t number = 0;
  std::uint64_t read_round = 0;
  log_position at; ///< Echoed.
  /// Bytes of that snapshot the follower has, from the start on: where the next piece begins.
  std::uint64_t received_bytes = 0;
  /// It has taken the log's place; or is not needed, because the follower has committed as much itself.
  bool is_installed = false;
  /// As in `append_reply`: the logs are durably equal up to here. 0 unless installed.
  log_index match;
  std::uint64_t lost = 0; ///< As in `append_reply`.
};

/// Tells a follower to run for leader at once (thesis 3.10).
struct timeout_now {
  envelope about;
};

/// What a client's operations are to Raft.
enum class operation : std::uint8_t {
  command = 1, ///< Goes through the log.
  query = 2,   ///< Answered by the leader's state machine after a read-index round; never logged.
};

/// Why operations were not carried out, or are not known to have been.
enum class refusal : std::uint8_t {
  no_leader = 1, ///< Not accepted by anybody: certainly not carried out.
  busy = 2,      ///< A bound is reached: certainly not carried out.
  too_large = 3, ///< Over the size limit of a proposal: certainly not carried out.
  uncertain = 4, ///< Accepted or passed on, then lost sight of: may or may not have been, or yet be, carried out.
  not_ready = 5, ///< A read whose deadline passed before it could be confirmed: certainly not answered.
  stopped = 6,   ///< The peer is stopping: certainly not carried out.
};

/// A follower passes a client's operations to the leader: one hop at most. Every other message may come twice; this one
/// and its answers must come once or never, as over a TCP connection: what comes twice is carried out twice.
struct forward {
  envelope about;
  /// Names the forwarded lot; the answer echoes it. Unique per sending peer and boot.
  std::uint64_t number = 0;
  operation what = operation::command;
  entry_block block;
};

/// Answers to operations `offset` .. `offset + count - 1` of a forwarded lot; may come in several parts.
struct forward_reply {
  envelope about;
  std::uint64_t number = 0;
  std::uint32_t offset = 0;
  /// 0: answered; else a `refusal` for all operations from `offset` on.
  std::uint8_t refused = 0;
  /// One answer per operation, when answered.
  std::uint32_t count = 0;
  std::string answers;             ///< All answers, one behind the other.
  std::vector<std::uint32_t> ends; ///< Where each ends.
};

} // namespace troupe
