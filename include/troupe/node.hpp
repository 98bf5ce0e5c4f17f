/// \file
/// The managed interface: a whole durable node of a cluster in your process. Give it a state machine; submit commands
/// and ask queries; that is all. docs/embedding.md begins with it. Includes no CAF.
///
///     troupe::node_config config;
///     config.id = troupe::peer_id{1};
///     config.peers = {{troupe::peer_id{1}, "127.0.0.1:7101"}, ...};
///     config.data_directory = "/var/lib/counter";
///     troupe::node node{config, std::make_shared<counter>()};
///     auto outcome = node.submit("+1").get();
#pragma once

#include "troupe/client_messages.hpp"
#include "troupe/peer_options.hpp"
#include "troupe/state_machine.hpp"
#include "troupe/types.hpp"

#include <cstddef>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

namespace caf {
class actor_system;
}

namespace troupe {

/// Why a running node must end.
struct node_end {
  enum class reason {
    failed,   ///< A disk failed, or an actor died that the node cannot live without.
    bad_data, ///< Its peers refuse it: its disk is not the one they know it by.
  } why = reason::failed;
  std::string words; ///< What happened and what to do; one line.
};

/// Called at most once per reason, from any of the node's threads. Must end the process, and not throw: nothing may be
/// promised after.
using node_end_handler = std::function<void(const node_end&)>;

/// The node cannot listen: the address is taken, foreign, or exposed without leave.
struct listen_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a node is and where it lives.
struct node_config {
  /// Which of `peers` this is; from 1.
  peer_id id;
  /// Every member of the cluster and where the others reach it, `HOST:PORT` or `[V6]:PORT`; the same everywhere.
  std::map<peer_id, std::string> peers;
  /// Where this node keeps what it must not forget. Made if missing; locked while in use; never shared between nodes.
  std::string data_directory;

  /// A node takes part only in the cluster of its name.
  std::string cluster = "troupe";
  /// Where to listen for the others, if that is not this node's address in `peers` (say, `0.0.0.0:7101`).
  std::string listen = {};
  /// Allows addresses that other machines reach, though nothing is encrypted or authenticated yet.
  bool insecure = false;
  /// Size of a file of the log.
  std::size_t segment_bytes = std::size_t{64} << 20;
  /// Timing and bounds. The seed is drawn anew at each start, unless `keep_seed`.
  peer_options options = {};
  bool keep_seed = false;
  /// Bounds of what waits between `submit` and the peer.
  gather_limits gather = {};
  /// What to do when the node cannot go on. If empty: the words go to stderr and the process ends at once with code 1,
  /// running no destructors.
  node_end_handler on_end = {};
};

/// A running node. All members may be called from any thread, but not from the state machine and not from a callback.
///
/// Logs warnings to stderr, unless logging.hpp is told otherwise. The node's threads: one for sockets, Raft
/// and the state machine, two for the disk, one that remembers peers, two workers of CAF (none of these two in an actor
/// system of yours), and one more for as long as a name is looked up.
class node {
public:
  /// Starts a node in an actor system of its own: recovers what the data directory holds, listens, and takes part from
  /// then on. Throws `std::invalid_argument` if the configuration makes no sense, `listen_error` if it cannot listen,
  /// and another `std::runtime_error` if the data directory is in use, not ours, damaged, or cannot be read; `what()`
  /// says what to do. Then nothing is left running.
  node(node_config config, std::shared_ptr<state_machine> machine);

  /// The same in an actor system of yours, which needs `caf::io::middleman` and must outlive the node. Set
  /// `scheduler.policy` to sharing and `scheduler.max-throughput` to a finite number.
  node(caf::actor_system& system, node_config config, std::shared_ptr<state_machine> machine);

  /// `stop`.
  ~node();

  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Has the cluster carry out one command; from any node, the leader is found. The outcome is there at the latest by
  /// `options.client_deadline` or so. When it is answered, the command is durable on a majority and applied. Never
  /// retried: an uncertain outcome is yours to resolve.
  [[nodiscard]] std::future<outcome> submit(std::string command);
  /// The same; `then` is called once, and must not block. On a thread of the node's, which may submit more; but on the
  /// caller's own, before this returns, if the node has stopped.
  void submit(std::string command, std::function<void(outcome)> then);

  /// Asks the state machine one query, linearizably: the answer reflects every command whose outcome was known before
  /// this was called, whichever node it went through.
  [[nodiscard]] std::future<outcome> read(std::string query);
  void read(std::string query, std::function<void(outcome)> then);

  /// What this node's peer knows of itself: role, leader, term, indices.
  [[nodiscard]] peer_state state() const;

  /// Where peers are accepted, with the port that was bound.
  [[nodiscard]] std::string listening_at() const;

  /// Stops taking part and closes everything; idempotent. Operations that have no outcome by then get `stopped` or
  /// `uncertain`. May be called by several threads. When it returns, no actor and no file of the node is left, and no
  /// thread but one that looks up a name; with an actor system of its own, the destructor waits for that one, too.
  /// (Known: CAF 0.17 now and then forgets the descriptor of a socket that was shut while it connected.)
  void stop();

  /// What node_port.hpp's `port_of` hands out.
  struct inside;
  [[nodiscard]] const inside& internals() const { return *inside_; }

private:
  std::unique_ptr<inside> inside_;
};

} // namespace troupe
