/// \file
/// The inward half of a node's links: the door others dial, and how links start and stop.
#pragma once

#include "actors/link/dialer.hpp"

#include <map>
#include <string>
#include <variant>

namespace troupe {

/// An open door.
struct link_door {
  acceptor_actor acceptor;
  endpoint bound; ///< As asked for, with the port that was bound.
};

/// Listens, and starts the dialers. Every message that comes in goes to `local`: it is whole and understood, and its
/// sender is the node that introduced itself on that connection. `known` holds the uuids remembered of earlier runs;
/// members are `known` and whoever has a dialer. Says in words why it cannot listen: the address is taken, foreign, or
/// reachable by others without `options.insecure`.
[[nodiscard]] std::variant<link_door, std::string>
spawn_acceptor(caf::actor_system& system, const link_options& options, const std::map<peer_id, acquaintance>& known,
               const std::map<peer_id, dialer_actor>& dialers, const raft_actor& local, const link_listener& listener);

/// Shuts all sockets and ends all brokers, soon after it returns; what waits in them is lost. `acceptor` may be empty.
void stop_links(const std::map<peer_id, dialer_actor>& dialers, const acceptor_actor& acceptor);

} // namespace troupe
