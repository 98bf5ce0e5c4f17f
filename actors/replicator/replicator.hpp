/// \file
/// The replicator: one actor per follower and term, around the mind in progress.hpp.
#pragma once

#include "actors/placement.hpp"
#include "messages/protocol.hpp"
#include "troupe/peer_options.hpp"

namespace troupe {

/// What a replicator is made of.
struct replicator_parts {
  envelope about; ///< From the leader, to the follower, in the leader's term.
  std::uint32_t incarnation = 1;
  log_position probe_from;
  /// What the follower has lost, as far as it said.
  troupe::repair repair;
  peer_options options;
  peer_actor leader;
  raft_actor follower;
};

/// Makes a replicator. It is silent until the leader's first news, and whenever its lease has lapsed.
[[nodiscard]] replicator_actor spawn_replicator(caf::actor_system& system, placement where, replicator_parts parts);

} // namespace troupe
