/// \file
/// A whole node in one process: data directory, log, peer, links. Clients come on top of it (app/).
#pragma once

#include "actors/link/acceptor.hpp"
#include "actors/node.hpp"
#include "persistence/data_directory.hpp"
#include "persistence/log_storage.hpp"
#include "troupe/node.hpp"

#include <caf/actor_system_config.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// CAF as a node wants it: I/O on, workers that share one queue (they sleep when idle), no actor that hogs one.
struct node_system_config : caf::actor_system_config {
  node_system_config();
};

/// What a node is made of.
struct node_options {
  std::string cluster;
  peer_id self;
  /// Every member's advertised address, this node's included.
  std::map<peer_id, endpoint> peers;
  /// Where peers' links are accepted; port 0 picks a free one.
  endpoint listen;
  /// Allows addresses that other machines reach, though nothing is encrypted yet.
  bool insecure = false;
  std::string data_directory;
  std::size_t segment_bytes = std::size_t{64} << 20;
  peer_options peer;
  placements where = placements::beside_links();
  /// Names this life of the node, and the data directory if this is its first use. Drawn anew for each start, by the
  /// caller: nothing here is random by itself.
  uuid fresh_uuid;
};

class running_node {
public:
  /// Opens the data directory, recovers, spawns all actors, listens, and begins. Throws `storage_error`, `io_error` or
  /// `listen_error`; then nothing is left running. `system` must have I/O (`node_system_config`), and like `files` must
  /// outlive this.
  running_node(caf::actor_system& system, file_system& files, node_options options,
               std::shared_ptr<state_machine> machine, node_end_handler on_end);
  ~running_node();

  running_node(const running_node&) = delete;
  running_node& operator=(const running_node&) = delete;

  [[nodiscard]] const peer_actor& peer() const { return troupe_.peer; }
  /// Where peers' links are accepted.
  [[nodiscard]] const endpoint& bound() const { return bound_; }

  /// Stops peer and links; idempotent. Writes that were not answered are as after a crash: lost or not.
  void stop();

  /// After `stop`: waits until every actor of the node has ended, and its files are closed. As long as a disk that
  /// hangs, if it does.
  void await_end();

private:
  void open(file_system& files, node_options options, std::shared_ptr<state_machine> machine,
            const node_end_handler& handler);

  caf::actor_system& system_;
  std::shared_ptr<data_directory> directory_;
  peer_troupe troupe_;
  std::map<peer_id, dialer_actor> dialers_;
  acceptor_actor acceptor_;
  link_listener keeper_;
  caf::actor guard_;
  endpoint bound_;
  std::vector<caf::actor> ending_; ///< Told to end by `stop`.
  bool is_stopped_ = false;
};

} // namespace troupe
