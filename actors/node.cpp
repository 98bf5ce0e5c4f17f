#include "actors/node.hpp"

#include "actors/applier/applier.hpp"
#include "actors/peer/misfit.hpp"
#include "actors/peer/peer.hpp"
#include "actors/persister/archivist.hpp"
#include "actors/persister/persister.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace troupe {

placements placements::all_scheduled() {
  return {placement::scheduled, placement::scheduled, placement::scheduled, placement::scheduled, placement::scheduled};
}

placements placements::beside_links() {
  return {placement::io, placement::io, placement::detached, placement::detached, placement::io};
}

namespace {

/// The default: a node that cannot keep its promises must not go on, whoever embeds it.
void abort_with(const std::string& words) {
  std::fprintf(stderr, "troupe: %s\n", words.c_str());
  std::abort();
}

/// One failure ends several actors, each with words of its own; the first are the cause. They may come from several
/// threads at a time: hence an atomic.
fatal_handler once(fatal_handler handler) {
  return [handler = std::move(handler), said = std::make_shared<std::atomic_flag>()](const std::string& words) {
    if (!said->test_and_set())
      handler(words);
  };
}

void require_whole(const peer_parts& parts) {
  const auto require = [](bool holds, const char* words) {
    if (!holds)
      throw std::invalid_argument{std::string{"a peer cannot be made: "} + words};
  };
  require(parts.self != nobody, "its id is 0, which is nobody");
  require(parts.members.is_member(parts.self), "it is not among its own members");
  require(bool{parts.store} != bool{parts.disk}, "it needs a store of its own or a shared disk, one of the two");
  require(bool{parts.machine} != bool{parts.service}, "it needs a state machine or a service, one of the two");
  if (const auto words = misfit(parts.options); !words.empty())
    throw std::invalid_argument{"a peer cannot be made: " + words};
}

/// Asks the persister, who alone may touch the store.
recovered_group recover(caf::actor_system& system, const persister_actor& persister, group_id group,
                        std::size_t tail_bytes) {
  caf::scoped_actor self{system};
  recovered_group found;
  std::string trouble;
  self->request(persister, caf::infinite, recover_log{group, tail_bytes})
      .receive([&](recovered_group& answer) { found = std::move(answer); },
               [&](const caf::error& error) { trouble = system.render(error); });
  if (!trouble.empty())
    throw std::runtime_error{"a peer cannot be made: its log was not recovered: " + trouble};
  return found;
}

} // namespace

shared_disk open_disk(caf::actor_system& system, std::shared_ptr<storage> store, placement persister,
                      placement archivist, fatal_handler on_fatal) {
  if (!store)
    throw std::invalid_argument{"a disk cannot be opened without a store"};
  on_fatal = once(on_fatal ? std::move(on_fatal) : abort_with);
  auto reader = spawn_archivist(system, archivist, on_fatal);
  auto writer = spawn_persister(system, persister, std::move(store), reader, std::move(on_fatal));
  return {caf::actor_cast<caf::actor>(writer), caf::actor_cast<caf::actor>(reader)};
}

void close_disk(const shared_disk& disk) {
  caf::anon_send_exit(disk.persister, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(disk.archivist, caf::exit_reason::user_shutdown);
}

peer_troupe make_peer(caf::actor_system& system, peer_parts parts) {
  require_whole(parts);
  parts.on_fatal = once(parts.on_fatal ? std::move(parts.on_fatal) : abort_with);
  peer_actor_parts made;
  made.self = parts.self;
  made.group = parts.group;
  made.members = parts.members;
  made.options = parts.options;
  made.others = std::move(parts.others);
  made.others.erase(parts.self); // Of whoever hands the same list to every peer.
  made.replicators = parts.where.replicator;
  made.on_fatal = parts.on_fatal;
  made.is_disk_shared = bool{parts.disk};
  made.may_be_closed = parts.disk || parts.service;
  // Peers with the same seed, or none given, must not draw the same election timeouts for ever (N7).
  made.options.seed ^= (parts.self.value() * 0x9e3779b97f4a7c15) ^ (std::uint64_t{parts.group.value()} << 32);
  const auto tail_bytes = parts.options.limits.log_window_bytes;
  if (parts.disk) {
    made.archivist = caf::actor_cast<archivist_actor>(parts.disk.archivist);
    made.persister = caf::actor_cast<persister_actor>(parts.disk.persister);
    made.recovered = recover(system, made.persister, parts.group, tail_bytes);
  } else {
    made.recovered = parts.store->recover(parts.group, tail_bytes);
    made.archivist = spawn_archivist(system, parts.where.archivist, parts.on_fatal);
    made.persister =
        spawn_persister(system, parts.where.persister, std::move(parts.store), made.archivist, parts.on_fatal);
  }
  made.is_state_hashed = parts.machine && parts.machine->state_hash().has_value();
  made.takes_pictures = bool{parts.machine};
  // A service says when, and means it (the course's Snapshot()).
  if (parts.service && made.options.snapshots == snapshot_policy{}) {
    made.options.snapshots.trailing_entries = 0;
    made.options.snapshots.kept = 1;
  }
  const auto max_held = parts.options.limits.waiting_reads;
  made.applier = parts.service
      ? spawn_deliverer(system, parts.where.applier, std::move(parts.service), parts.self, max_held, made.persister,
                        parts.on_fatal)
      : spawn_applier(system, parts.where.applier, std::move(parts.machine), max_held, made.persister, parts.on_fatal);
  peer_troupe result{{}, made.persister, made.archivist, made.applier};
  result.peer = spawn_peer(system, parts.where.peer, std::move(made));
  return result;
}

peer_handle make(caf::actor_system& system, peer_parts parts) {
  return make_peer(system, std::move(parts)).peer;
}

} // namespace troupe
