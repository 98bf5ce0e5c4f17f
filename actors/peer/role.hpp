/// \file
/// What a peer is at a time. A role is a value: what only a leader knows exists only while it leads.
#pragma once

#include "actors/peer/ballot.hpp"
#include "actors/peer/read_index.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <variant>

namespace troupe {

struct follower_role {
  /// When the leader of the present term was last heard; nothing if never.
  std::optional<instant> heard_leader_at;
};

/// Runs for leader: first asks whether it would be elected, then for votes.
struct candidate_role {
  bool pre_vote = true;
  /// The leader itself asked for it (thesis 3.10).
  bool transfer = false;
  std::uint64_t round = 0;
  ballot votes;
  /// Requests are re-sent then to those who have not answered (N15).
  instant resend_at;
};

/// What a leader knows of another member.
struct member_progress {
  std::uint32_t incarnation = 0;
  /// Durably equal to the leader's log up to here (Figure 2, matchIndex).
  log_index match{};
  /// The newest read round it has echoed.
  std::uint64_t read_round = 0;
  /// When the newest request was sent that it has answered.
  instant sent_at;
  /// The last loss that it declared, and how far it must be repaired.
  troupe::repair repair{};
  /// Not since it declared that loss, until it says that it is repaired. Without it, it cannot take over.
  bool has_say = true;
  /// Its disk takes no commands.
  bool is_disk_full = false;
};

struct leader_role {
  std::map<peer_id, member_progress> members;
  /// The last index before this term: an entry behind it is of the leader's own term.
  log_index before_term;
  read_index reads;
  /// The leader's log time runs from here.
  std::int64_t log_time_base = 0;
  instant began_at;
  /// When lease, quorum and deadlines are looked at next.
  instant look_at;
};

using peer_role = std::variant<follower_role, candidate_role, leader_role>;

} // namespace troupe
