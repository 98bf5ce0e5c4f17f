#include "actors/node.hpp"

#include "actors/peer/peer.hpp"
#include "actors/persister/archivist.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe {

placements placements::production() {
  return {placement::io, placement::io, placement::detached, placement::detached, placement::io};
}

placements placements::simulated() {
  return {placement::scheduled, placement::scheduled, placement::scheduled, placement::scheduled, placement::scheduled};
}

namespace {

/// The default: a node that cannot keep its promises must not go on, whoever embeds it.
void abort_with(const std::string& words) {
  std::fprintf(stderr, "troupe: %s\n", words.c_str());
  std::abort();
}

} // namespace

peer_troupe make_peer(caf::actor_system& system, peer_parts parts) {
  if (!parts.on_fatal)
    parts.on_fatal = abort_with;
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
  made.applier = spawn_applier(system, parts.where.applier, std::move(parts.machine),
                               parts.options.limits.waiting_reads, parts.on_fatal);
  peer_troupe result{{}, made.persister, made.archivist, made.applier};
  result.peer = spawn_peer(system, parts.where.peer, std::move(made));
  return result;
}

} // namespace troupe
