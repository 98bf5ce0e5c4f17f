/// \file
/// Where an actor runs. Decided in node.cpp alone, by measurement; every shell is written for any of them.
#pragma once

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <utility>

namespace troupe {

enum class placement {
  scheduled, ///< On CAF's worker threads.
  detached,  ///< On a thread of its own: for actors that block on a disk.
  io, ///< On the I/O thread beside the links, as a broker without a socket: a hop there costs about a microsecond
      ///< where a sleeping worker costs fifty.
};

/// Spawns `Shell<Base>` with the base that the placement asks for. `Handle` is the typed handle it implements.
template <template <class> class Shell, class Handle, class... Ts>
Handle spawn_at(caf::actor_system& system, placement where, Ts&&... args) {
  using scheduled_shell = Shell<typename Handle::base>;
  using io_shell = Shell<typename Handle::broker_base>;
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
