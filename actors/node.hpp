/// \file
/// Puts the actors of a peer together. The one place that decides where each of them runs.
#pragma once

#include "actors/applier/applier.hpp"
#include "actors/persister/persister.hpp"
#include "actors/placement.hpp"
#include "messages/protocol.hpp"
#include "troupe/configuration.hpp"
#include "troupe/peer_options.hpp"

#include <map>
#include <memory>

namespace troupe {

/// Where each actor of a peer runs.
struct placements {
  placement peer;
  placement replicator;
  placement persister;
  placement archivist;
  placement applier;

  /// Peer, replicators and applier beside the links on the I/O thread; the disk on threads of its own. Measured: see
  /// docs/performance.md.
  [[nodiscard]] static placements production();
  /// Everything scheduled: the stage picks which mailbox runs next.
  [[nodiscard]] static placements simulated();
};

/// What one peer is made of.
struct peer_parts {
  peer_id self;
  group_id group;
  configuration members;
  peer_options options;
  /// Handles of the other peers: links, simulated links, or the peers themselves.
  std::map<peer_id, raft_actor> others;
  std::shared_ptr<storage> store;
  std::shared_ptr<state_machine> machine;
  placements where;
  /// An actor that the peer cannot live without has died, or its storage failed. Must end the node. If empty: the
  /// process aborts with the words on stderr.
  fatal_handler on_fatal;
};

/// The actors of one peer; complete, and silent until `begin` is sent to `peer`.
struct peer_troupe {
  peer_actor peer;
  persister_actor persister;
  archivist_actor archivist;
  applier_actor applier;
};

/// Makes a peer: recovers what its store remembers, then spawns its actors (the course's Make()). Throws what the store
/// throws if it cannot be trusted.
[[nodiscard]] peer_troupe make_peer(caf::actor_system& system, peer_parts parts);

} // namespace troupe
