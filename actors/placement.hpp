/// \file
/// Spawns an actor where it is to run. Where that is is decided in node.cpp alone, by measurement; every shell is
/// written for any place.
#pragma once

#include "actors/draining.hpp"
#include "troupe/peer.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <utility>

namespace troupe {

/// Spawns `Shell<Base>` with the base that the placement asks for. `Handle` is the typed handle it implements.
template <template <class> class Shell, class Handle, class... Ts>
Handle spawn_at(caf::actor_system& system, placement where, Ts&&... args) {
  using scheduled_shell = Shell<typename Handle::base>;
  using io_shell = draining<Shell<typename Handle::broker_base>>;
  switch (where) {
  case placement::detached:
    return caf::actor_cast<Handle>(system.spawn<scheduled_shell, caf::detached>(std::forward<Ts>(args)...));
  case placement::io: {
    caf::actor_config config{&system.middleman().backend()};
    return caf::actor_cast<Handle>(
        system.spawn_class<io_shell, caf::no_spawn_options>(config, std::forward<Ts>(args)...));
  }
  case placement::scheduled: break;
  }
  return caf::actor_cast<Handle>(system.spawn<scheduled_shell>(std::forward<Ts>(args)...));
}

} // namespace troupe
