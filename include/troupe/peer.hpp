/// \file
/// The bare interface: one Raft peer in an actor system of yours, with a transport and a store of yours if you like
/// (the course's Make, Start, GetState and Kill). docs/embedding.md shows it at work. Most users want node.hpp instead:
/// a whole durable node.
#pragma once

#include "troupe/actors.hpp"
#include "troupe/configuration.hpp"
#include "troupe/peer_options.hpp"
#include "troupe/state_machine.hpp"
#include "troupe/storage.hpp"

#include <caf/all.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace troupe {

/// Where an actor runs.
enum class placement {
  scheduled, ///< On CAF's worker threads.
  detached,  ///< On a thread of its own: for actors that block on a disk.
  io, ///< On the I/O thread beside the links, as a broker without a socket: a hop there costs about a microsecond
      ///< where a sleeping worker costs fifty. Needs an actor system with I/O (`caf::io::middleman`).
};

/// Where each actor of a peer runs.
struct placements {
  placement peer = placement::scheduled;
  placement replicator = placement::scheduled;
  placement persister = placement::detached;
  placement archivist = placement::detached;
  placement applier = placement::scheduled;

  /// Workers for everything, but a thread each for the two that touch the disk.
  [[nodiscard]] static placements workers() { return {}; }
  /// Everything on workers, no thread of its own: for a store that does not block.
  [[nodiscard]] static placements all_scheduled();
  /// Peer, replicators and applier beside the links on the I/O thread; the disk on threads of its own. Measured: see
  /// docs/performance.md.
  [[nodiscard]] static placements beside_links();
};

/// Called once with the words of a failure that nothing can go on after: a store that failed, a state machine that
/// threw, an actor that died. From any thread. Whoever gives one must end the peer's process, or at least never serve
/// from this peer again; it must not throw.
using fatal_handler = std::function<void(const std::string&)>;

/// Persister and archivist over one store, for any number of peers, each of a group of its own (N5): a thousand peers
/// then need two threads, and writes that wait together cost one sync, whichever groups they are of.
struct shared_disk {
  caf::actor persister;
  caf::actor archivist;

  explicit operator bool() const { return persister && archivist; }
};

/// Opens a shared disk. `store` is the persister's alone from now on. `on_fatal` as for `make`.
[[nodiscard]] shared_disk open_disk(caf::actor_system& system, std::shared_ptr<storage> store,
                                    placement persister = placement::detached,
                                    placement archivist = placement::detached, fatal_handler on_fatal = {});

/// Ends a shared disk and closes its store, soon after this returns. Stop its peers first: one that still lives stops
/// by itself.
void close_disk(const shared_disk& disk);

/// What one peer is made of.
struct peer_parts {
  peer_id self;
  /// Peers of one cluster have one group; one process may hold peers of many. On a shared disk each peer needs one of
  /// its own: a second peer of a group is refused while the first lives.
  group_id group;
  /// Who votes; names `self`.
  configuration members;
  peer_options options;
  /// Handles of the other members: links, a transport of yours, or the peers themselves. May be named in `begin`.
  std::map<peer_id, raft_actor> others;

  /// Where the peer keeps what it must not forget: a store of its own,
  std::shared_ptr<storage> store;
  /// or one that it shares.
  shared_disk disk;

  /// What committed commands go to: a state machine that answers,
  std::shared_ptr<state_machine> machine;
  /// or an actor that is told them, one after the other. It is handed more only as it gets through what it has. A peer
  /// whose service has ended stops; if it was by an exception, that is fatal.
  service_actor service;

  placements where = placements::workers();
  /// If empty: the words go to stderr and the process aborts.
  fatal_handler on_fatal;
};

/// Makes a peer of what its store remembers; it is complete, and silent until `begin` is sent to it (N5).
///
/// Equal seeds do no harm: `self` and `group` are mixed into the seed.
///
/// To the handle you may send `begin`, `submit`, `stop_peer` and what other peers say; request `start` (answers index,
/// term and whether it leads, at once, in every role: N2) and `ask_state`. After `stop_peer` it says nothing more to
/// anyone (N8), and is not to be ended otherwise; when its end is reported to those who monitor it, none of its actors,
/// threads or files is left (of a shared disk: none but the disk).
///
/// With a shared disk this waits for the disk's persister; so not from a handler of an actor that runs on the one
/// worker that the persister needs. Throws `std::invalid_argument`, with words, if the parts do not fit together, and
/// what the store throws if it cannot be trusted. Never throws later.
[[nodiscard]] peer_handle make(caf::actor_system& system, peer_parts parts);

/// Bounds of a port.
struct port_options {
  /// Operations that wait and lots under way; what exceeds `waiting_bytes` is refused as `busy` at once.
  gather_limits limits;
};

/// Makes a port to a peer: operations that arrive together travel together. It ends with the peer, and answers
/// everything before.
[[nodiscard]] port_actor open_port(caf::actor_system& system, const peer_handle& peer, placement where,
                                   port_options options = {});

/// What is wrong with these options, in words that name the member, its value and what would do; empty if nothing is.
[[nodiscard]] std::string misfit(const peer_options& options);

} // namespace troupe
