/// \file
/// What clients, owners and services say to a peer, and what they hear. Plain structs; the handles are in actors.hpp.
#pragma once

#include "troupe/raft_messages.hpp"
#include "troupe/shared_bytes.hpp"
#include "troupe/state_machine.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Hears of the operations of a lot that was submitted under `number`: first `submission_accepted` or
/// `submission_refused`; then, if accepted, answers in one or several parts, in order, until every operation of the lot
/// is answered or refused.
struct submission_accepted {
  std::uint64_t number = 0;
};

/// The answers to operations `offset`.. of lot `number`.
struct submission_answered {
  std::uint64_t number = 0;
  std::uint32_t offset = 0;
  std::shared_ptr<const answer_list> answers;
};

/// Operations `offset`.. of lot `number` (all that are not answered yet) end with this.
struct submission_refused {
  std::uint64_t number = 0;
  std::uint32_t offset = 0;
  refusal why = refusal::no_leader;
};

/// The course's Start(): begins agreement on one command and answers at once.
struct start {
  shared_bytes command;
};

struct start_reply {
  log_index index;
  term_number term;
  bool is_leader = false;
};

/// The course's GetState().
struct ask_state {};

/// One follower as its leader sees it.
struct follower_state {
  peer_id id;
  log_index match;
  /// Heard of within the last election timeout.
  bool connected = false;
  /// False from its word that its log lost something (see `repair`) until its word that it is repaired. What was said
  /// to leaders before does not count: true until it has answered this one.
  bool has_say = true;
};

/// What a peer knows of itself, at one instant.
struct peer_state {
  peer_id id;
  std::string role; ///< "follower", "candidate" (pre-candidates included), "leader", "stopped"
  term_number term;
  bool is_leader = false;
  peer_id leader; ///< `nobody` if unknown.
  log_index commit;
  log_index applied;
  log_index last;
  log_index log_start;                   ///< Entries up to here are forgotten: a snapshot stands for them.
  log_index snapshot;                    ///< The newest snapshot; 0 if there is none.
  std::uint64_t snapshot_bytes = 0;      ///< Its size.
  bool is_disk_full = false;             ///< Commands are refused for lack of room; reads go on.
  bool has_say = true;                   ///< False: its log was damaged, and no leader has repaired it yet; it neither
                                         ///< votes nor leads (`hard_state::lost`).
  std::vector<follower_state> followers; ///< Only while leading.
  std::uint64_t stale_replies_dropped = 0;
  std::uint64_t elections_started = 0;
  std::uint64_t leader_changes = 0;
  /// The longest that the leader of this term was not heard, between two of its messages; beside the election timeout
  /// it tells how near a follower was to running itself. 0 while leading.
  duration longest_leader_silence{};
};

/// Stops a peer for good: it says nothing more, its actors end, its files are closed (the course's Kill()).
struct stop_peer {};

/// A committed entry as the bare interface delivers it: exactly once per life, in order, without gaps (N3).
struct applied_command {
  peer_id peer; ///< Whose service this is.
  log_index index;
  term_number term;
  shared_bytes command;
};

/// A state that replaces everything delivered so far: the next command has index `index + 1`. Comes in the same ordered
/// stream as the commands: first of all after a restart, if the peer has a snapshot, and when a leader sent one because
/// this peer had fallen too far behind.
struct installed_snapshot {
  peer_id peer; ///< Whose service this is.
  log_index index;
  term_number term;
  shared_bytes state;
};

/// The bare service's word that `state` holds the effect of every command up to `index`, which was delivered to it: the
/// peer keeps it as its snapshot and forgets its log up to there (the course's Snapshot()). Nobody waits for anything:
/// deliveries go on meanwhile. Ignored if `index` is not behind the newest snapshot, or was not delivered yet. While
/// one is being written, the newest that came meanwhile waits.
struct take_snapshot {
  log_index index;
  shared_bytes state;
};

/// One command, for a port: it goes through the log, and its outcome is the state machine's answer.
struct carry_out {
  shared_bytes command;
};

/// One query, for a port: answered from the state machine's present state, linearizably (thesis 6.4). Never logged. It
/// sees every command whose outcome was known when it was asked.
struct look_up {
  shared_bytes query;
};

/// What became of one operation.
struct outcome {
  /// Why there is no answer. `refusal::uncertain`: it may have been carried out, or may yet be; everything else: it
  /// certainly was not. Nothing: it was, and `answer` is the answer.
  std::optional<refusal> refused;
  std::string answer;

  [[nodiscard]] bool is_answered() const { return !refused.has_value(); }
};

/// A refusal in words for a log or an error message: "outcome unknown: ...".
[[nodiscard]] std::string_view in_words(refusal why);

} // namespace troupe
