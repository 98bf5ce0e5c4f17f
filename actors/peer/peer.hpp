/// \file
/// The peer: the actor around the mind in consensus.hpp. It runs what the mind wants done (sends, arms timers, spawns
/// replicators), feeds the applier, and stands between clients and the log.
#pragma once

#include "actors/persister/persister.hpp"
#include "actors/placement.hpp"
#include "messages/protocol.hpp"
#include "troupe/configuration.hpp"
#include "troupe/peer.hpp"
#include "troupe/peer_options.hpp"

#include <map>

namespace troupe {

/// What a peer actor is made of. Everything exists before it does: it is made complete, then started (law 7).
struct peer_actor_parts {
  peer_id self;
  group_id group;
  configuration members;
  peer_options options;
  recovered_group recovered;
  std::map<peer_id, raft_actor> others; ///< Handles of all other members.
  persister_actor persister;
  archivist_actor archivist;
  applier_actor applier;
  bool takes_pictures = false;  ///< Its state machine can be asked for snapshots; else a service offers them.
  bool is_state_hashed = false; ///< Its state machine has a checksum of its state.
  bool is_disk_shared = false;  ///< Persister and archivist are not this peer's to end.
  bool may_be_closed = false;   ///< Others may end its disk or its service, and with it the peer.
  placement replicators = placement::scheduled;
  fatal_handler on_fatal;
};

/// Makes a peer that is silent until it hears `begin`. Applier, persister and archivist end with it
/// (the latter two unless they are shared), and it with them.
[[nodiscard]] peer_actor spawn_peer(caf::actor_system& system, placement where, peer_actor_parts parts);

} // namespace troupe
