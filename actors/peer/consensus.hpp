/// \file
/// The mind of a peer: Raft (paper Figure 2) as a function from events to what is to be done.
///
/// The one place that changes a peer's state. No clock, no randomness of its own, no I/O, no CAF: events come in with
/// the instant they happen at, and what shall be done comes out in a `peer_output`, whose parts may be carried out in
/// any order. What must not be said yet is not in it: the mind withholds a message until the write it rests on is
/// durable (law 1).
///
/// The implementation is in five parts: consensus.cpp (events, terms, roles, promises), consensus_election.cpp,
/// consensus_following.cpp, consensus_leading.cpp and consensus_snapshots.cpp.
#pragma once

#include "actors/peer/append.hpp"
#include "actors/peer/election_timer.hpp"
#include "actors/peer/log.hpp"
#include "actors/peer/promises.hpp"
#include "actors/peer/reception.hpp"
#include "actors/peer/role.hpp"
#include "messages/persistence.hpp"
#include "messages/replication.hpp"
#include "messages/snapshots.hpp"
#include "troupe/client_messages.hpp"
#include "troupe/configuration.hpp"
#include "troupe/message_codec.hpp"
#include "troupe/peer_options.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Something worth a line in the log. Minds never log: they return facts.
struct fact {
  enum class weight { debug, info, warn } how;
  std::string what; ///< `key=value` pairs.
};

/// A read whose wait is over without an answer.
struct failed_read {
  std::uint64_t ticket = 0;
  refusal why = refusal::no_leader;
};

/// What a peer wants done.
struct peer_output {
  std::vector<peer_message> send;
  std::vector<persist> writes;
  /// The peer has become leader: replicators are wanted for all other members, each beginning behind `probe_from`.
  std::optional<log_position> lead_from;
  /// Leadership has ended, with this commit index: replicators end, and what was accepted behind it has an unknown
  /// outcome. The index is of that moment: the same event may go on to commit another leader's entries at those places.
  std::optional<log_index> leadership_ended;
  /// This follower's replicator is to be started anew: what it knows is of a log that is lost.
  std::optional<peer_id> renew;
  /// For every replicator.
  std::optional<leader_news> news;
  bool commit_advanced = false;
  /// Of a snapshot that is received, for the disk.
  std::vector<snapshot_piece> pieces;
  /// The state machine's state is to be this snapshot's from here on.
  std::optional<snapshot_mark> install;
  std::vector<confirmed_read> confirmed_reads;
  std::vector<failed_read> failed_reads;
  std::vector<fact> facts;
};

/// Counters of a peer's life since it was made.
struct peer_counters {
  std::uint64_t stale_replies_dropped = 0; ///< N4: of another term, phase, round or incarnation.
  std::uint64_t malformed_dropped = 0;
  std::uint64_t elections_started = 0;
  std::uint64_t leader_changes = 0;
  /// Between two messages of the leader last heard, in its term.
  duration longest_leader_silence{};
};

/// What became of a proposal at its leader's door.
struct proposal_result {
  std::optional<log_position> first; ///< Position of the block's first entry, when accepted.
  refusal why = refusal::no_leader;  ///< Otherwise.
};

class consensus {
public:
  /// A peer that remembers `recovered` and is not yet active (law 7). `members` must name `self`.
  consensus(peer_id self, group_id group, configuration members, const recovered_group& recovered,
            peer_options options);

  /// Starts the peer's life as a follower.
  void begin(instant now, peer_output& out);
  /// Ends it: from here on every event is ignored, and nothing is said.
  void stop(peer_output& out);

  // What other peers say.
  void handle(const request_vote& request, instant now, peer_output& out);
  void handle(const vote_reply& reply, instant now, peer_output& out);
  void handle(const append_entries& request, instant now, peer_output& out);
  void handle(const install_snapshot& piece, instant now, peer_output& out);
  /// The leader wants this peer to run for leader at once (thesis 3.10).
  void handle(const timeout_now& request, instant now, peer_output& out);
  /// Runs the term rule on an answer to a replicator's request; true if it is for a replicator of the present
  /// leadership and shall be passed on.
  [[nodiscard]] bool admit(const append_reply& reply, instant now, peer_output& out);
  [[nodiscard]] bool admit(const snapshot_reply& reply, instant now, peer_output& out);

  // What the peer's own actors say.
  void handle(const persisted& report, instant now, peer_output& out);
  void handle(const piece_stored& report, instant now, peer_output& out);
  void handle(const reception_failed& report, instant now, peer_output& out);
  void handle(const disk_room& report, instant now, peer_output& out);
  void handle(const follower_heard& report, instant now, peer_output& out);
  /// A snapshot of the peer's own is durable.
  void note_snapshot(const snapshot_mark& durable);
  /// Lets go of the log up to `index`, which the newest snapshot stands for, and of snapshots below `oldest_snapshot`;
  /// on the disk, too.
  void forget_up_to(log_index index, log_index oldest_snapshot, instant now, peer_output& out);
  /// Whether a replicator of that term and incarnation is a present one.
  [[nodiscard]] bool is_current(peer_id follower, term_number term, std::uint32_t incarnation) const;
  /// A replicator died and is started anew: its follower's replies are counted under a new incarnation, returned.
  [[nodiscard]] std::uint32_t renew_incarnation(peer_id follower);
  /// What that follower has lost, as far as it said to this leadership.
  [[nodiscard]] repair repair_of(peer_id follower) const;
  /// Gives every replicator the leader's news and lease again.
  void renew_lease(instant now, peer_output& out);

  // What clients say.
  /// Appends the block to the log at once, if this peer leads. It leaves for disk and followers at the next `flush`.
  [[nodiscard]] proposal_result propose(entry_block block, instant now);
  /// Takes in a read under a ticket of the caller's; it is confirmed or failed later. Says why, if it does not.
  [[nodiscard]] std::optional<refusal> begin_read(std::uint64_t ticket, instant now);
  /// Sends what has gathered: entries to disk and followers in parallel (law 2), a fresh read round.
  void flush(instant now, peer_output& out);
  [[nodiscard]] bool wants_flush() const;

  /// Lets time pass: elections, re-sent requests, leases, check-quorum, deadlines.
  void tick(instant now, peer_output& out);
  /// When `tick` has something to do next.
  [[nodiscard]] instant next_deadline() const;

  // What a peer knows.
  [[nodiscard]] peer_id self() const { return self_; }
  [[nodiscard]] term_number current_term() const { return vote_.current_term; }
  /// Whether it votes and runs for leader: not while its log may lack what it has acknowledged (`hard_state::lost`).
  [[nodiscard]] bool has_say() const;
  [[nodiscard]] const hard_state& vote() const { return vote_; }
  [[nodiscard]] bool is_leader() const { return std::holds_alternative<leader_role>(role_); }
  [[nodiscard]] bool is_candidate() const { return std::holds_alternative<candidate_role>(role_); }
  [[nodiscard]] peer_id leader() const { return leader_; }
  [[nodiscard]] log_index commit() const { return commit_; }
  [[nodiscard]] const raft_log& entries() const { return log_; }
  /// The newest durable snapshot.
  [[nodiscard]] const std::optional<snapshot_mark>& snapshot() const { return snapshot_; }
  [[nodiscard]] bool is_disk_full() const { return is_disk_full_; }
  [[nodiscard]] log_index durable_last() const { return writes_.durable_last(); }
  [[nodiscard]] const configuration& members() const { return members_; }
  [[nodiscard]] const peer_counters& counters() const { return counters_; }
  [[nodiscard]] const leader_role* leadership() const { return std::get_if<leader_role>(&role_); }
  [[nodiscard]] bool is_stopped() const { return life_ == life::stopped; }
  /// Lets go of log entries no longer needed in memory; none from `keep_from` on.
  void trim_log(log_index keep_from) { log_.trim(options_.limits.log_window_bytes, keep_from); }

private:
  enum class life { unborn, active, stopped };
  /// Answers that wait for the disk, at most.
  static constexpr std::size_t max_withheld = 4096;

  // Terms and roles.
  void adopt_term(term_number term, instant now, peer_output& out);
  void become_follower(peer_id leader, instant now, peer_output& out);
  void become_candidate(bool pre_vote, instant now, peer_output& out, bool transfer = false);
  void become_leader(instant now, peer_output& out);
  void set_leader(peer_id leader, peer_output& out);
  [[nodiscard]] bool is_sticky(const request_vote& request, instant now) const;

  // Followers.
  [[nodiscard]] bool follow(const envelope& leader, instant now, peer_output& out);
  void note_heard(term_number led, instant now);
  void take_repair(const repair& said, log_index proven, instant now, peer_output& out);

  // Snapshots.
  void believe_recovered(const snapshot_mark& newest);
  void answer_given_up(peer_output& out);
  void give_up_reception(peer_output& out);
  void finish_reception(peer_output& out);
  void install(instant now, peer_output& out);
  void answer(const install_snapshot& piece, std::uint64_t received_bytes, peer_output& out);
  void answer_installed(const install_snapshot& piece, log_index match, peer_output& out, write_id until = {});

  // Candidates.
  void ask_for_votes(instant now, peer_output& out);
  void count_votes(instant now, peer_output& out);

  // Leaders.
  log_position append_as_leader(entry_block block, instant now);
  [[nodiscard]] bool admit_reply(const envelope& about, std::uint32_t incarnation, std::uint64_t lost, instant now,
                                 peer_output& out);
  void advance_commit(peer_output& out);
  void confirm_reads(peer_output& out);
  void look_after_leadership(instant now, peer_output& out);
  [[nodiscard]] bool has_room_at_quorum(instant now) const;
  [[nodiscard]] bool yield_when_full(instant now, peer_output& out);
  [[nodiscard]] std::optional<log_index> own_term_commit() const;
  [[nodiscard]] instant lease_until(instant now) const;
  leader_news& tell_replicators(instant now, peer_output& out);
  [[nodiscard]] bool is_disk_stalled(instant now) const;
  void abandon_reads(leader_role& leading, refusal why, peer_output& out);

  // Promises.
  void settle(instant now, peer_output& out);
  void say(peer_message message, peer_output& out, write_id until = {});
  void withhold(withheld_message held);
  void release_withheld(peer_output& out);
  void set_commit(log_index commit, peer_output& out);
  [[nodiscard]] envelope to(peer_id receiver) const { return {group_, self_, receiver, vote_.current_term}; }
  [[nodiscard]] std::int64_t log_time(instant now) const;

  peer_id self_;
  group_id group_;
  configuration members_;
  peer_options options_;

  hard_state vote_;
  hard_state issued_vote_; ///< The newest hard state handed to the disk.
  raft_log log_;
  log_index commit_;
  peer_id leader_;
  peer_role role_;
  life life_ = life::unborn;

  election_timer timer_;
  std::uint64_t round_;

  writes_in_flight writes_;
  std::deque<withheld_message> withheld_;
  std::vector<entry_batch> unflushed_;  ///< In the log, not yet handed to the disk.
  std::optional<log_index> truncation_; ///< Of the next write, as are the next two.
  std::optional<log_start> start_;
  std::optional<log_index> void_from_;                        ///< Entries that `start_` makes void.
  std::size_t uncommitted_bytes_ = 0;                         ///< Accepted as leader, not committed.
  std::deque<std::pair<log_index, std::size_t>> uncommitted_; ///< (last index, bytes) of each accepted block.
  std::optional<snapshot_mark> snapshot_;
  std::optional<snapshot_reception> reception_;
  bool is_disk_full_ = false;
  unsigned deferred_elections_ = 0; ///< In a row, while the disk is full.
  struct leader_heard {
    term_number term;
    instant at;
  };
  /// Outlives roles: a leader that is heard again after a pre-vote was silent all the while.
  std::optional<leader_heard> last_heard_;
  peer_counters counters_;
};

} // namespace troupe
