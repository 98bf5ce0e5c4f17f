/// \file
/// The applier: the only one who touches the state machine. One applier per peer makes commit order apply order (N19).
#pragma once

#include "actors/placement.hpp"
#include "messages/protocol.hpp"
#include "troupe/peer.hpp"
#include "troupe/state_machine.hpp"

#include <memory>

namespace troupe {

/// `max_held` bounds the lots of queries that wait until the state machine has come far enough; more are refused.
/// States are built from snapshots by way of `persister`.
[[nodiscard]] applier_actor spawn_applier(caf::actor_system& system, placement where,
                                          std::shared_ptr<state_machine> machine, std::size_t max_held,
                                          persister_actor persister, fatal_handler on_fatal);

/// The bare interface's (the course's applyCh): `service` is told each command, and more only as it gets through what
/// it has. Answers are empty. Ends, as if told to, when the service has ended.
[[nodiscard]] applier_actor spawn_deliverer(caf::actor_system& system, placement where, service_actor service,
                                            peer_id self, std::size_t max_held, persister_actor persister,
                                            fatal_handler on_fatal);

} // namespace troupe
