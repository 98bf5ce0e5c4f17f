/// \file
/// Puts the actors of a peer together. The one place that decides where each of them runs.
#pragma once

#include "messages/protocol.hpp"
#include "troupe/peer.hpp"

namespace troupe {

/// The actors of one peer; complete, and silent until `begin` is sent to `peer`.
struct peer_troupe {
  peer_actor peer;
  persister_actor persister;
  archivist_actor archivist;
  applier_actor applier;
};

/// `make`, for those who want to see all of the peer's actors. Throws as `make` does.
[[nodiscard]] peer_troupe make_peer(caf::actor_system& system, peer_parts parts);

} // namespace troupe
