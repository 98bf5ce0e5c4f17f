#include "actors/node.hpp"

#include "actors/peer/peer.hpp"
#include "actors/persister/archivist.hpp"

namespace troupe {

placements placements::production() {
  return {placement::io, placement::io, placement::detached, placement::detached, placement::io};
}

placements placements::simulated() {
  return {placement::scheduled, placement::scheduled, placement::scheduled, placement::scheduled, placement::scheduled};
}

peer_troupe make_peer(caf::actor_system& system, peer_parts parts) {
  peer_actor_parts made;
  made.self = parts.self;
  made.group = parts.group;
  made.members = parts.members;
  made.options = parts.options;
  made.recovered = parts.store->recover(parts.group, parts.options.limits.log_window_bytes);
  made.others = std::move(parts.others);
  made.replicators = parts.where.replicator;
  made.on_fatal = parts.on_fatal;
  made.archivist = spawn_archivist(system, parts.where.archivist, parts.on_fatal);
  made.persister =
      spawn_persister(system, parts.where.persister, std::move(parts.store), made.archivist, parts.on_fatal);
  made.applier = spawn_applier(system, parts.where.applier, std::move(parts.machine), parts.on_fatal);
  peer_troupe result{{}, made.persister, made.archivist, made.applier};
  result.peer = spawn_peer(system, parts.where.peer, std::move(made));
  return result;
}

} // namespace troupe
