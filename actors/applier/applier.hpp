/// \file
/// The applier: the only one who touches the state machine. One applier per peer makes commit order apply order (N19).
#pragma once

#include "actors/persister/persister.hpp"
#include "actors/placement.hpp"
#include "messages/protocol.hpp"
#include "troupe/state_machine.hpp"

#include <memory>

namespace troupe {

/// `max_held` bounds the lots of queries that wait until the state machine has come far enough; more are refused.
[[nodiscard]] applier_actor spawn_applier(caf::actor_system& system, placement where,
                                          std::shared_ptr<state_machine> machine, std::size_t max_held,
                                          fatal_handler on_fatal);

/// A state machine that hands each command on to a service actor: the bare interface (the course's applyCh). Its
/// answers are empty.
[[nodiscard]] std::shared_ptr<state_machine> deliver_to(service_actor service, peer_id self);

} // namespace troupe
