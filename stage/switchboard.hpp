/// \file
/// What every network of the stage is: lives of peers, handles by which they speak to each other, and the production
/// codec between. What becomes of a message on its way is for those who derive from this.
///
/// To a peer the network is a raft_actor handle per other peer, as in production.
#pragma once

#include "stage/runtime.hpp"
#include "troupe/message_codec.hpp"

#include <functional>
#include <map>
#include <vector>

namespace troupe {

class switchboard {
public:
  /// Who receives a peer's messages.
  using receiver = std::function<void(const peer_message&)>;

  explicit switchboard(stage_runtime& runtime) : runtime_{runtime} {}
  virtual ~switchboard() = default;
  switchboard(const switchboard&) = delete;
  switchboard& operator=(const switchboard&) = delete;

  /// Opens a new life of a peer: links made from now on speak for it, older ones are mute. It hears nothing yet.
  void open(peer_id id);
  /// A handle through which the present life of `from` speaks to `to`.
  [[nodiscard]] raft_actor link(peer_id from, peer_id to);
  /// Lets messages reach the present life of a peer.
  void put(peer_id id, receiver who);
  void put(peer_id id, const raft_actor& who);
  /// Ends a peer's life: it is heard no more, and nothing reaches it.
  void remove(peer_id id);

  /// Sees each message that leaves a living peer, as the peer made it, before anything else happens to it.
  void watch(std::function<void(const peer_message&)> watcher) { watchers_.push_back(std::move(watcher)); }

protected:
  using life = std::uint64_t;

  struct server {
    life now = 0;
    bool present = false;
    receiver who;
  };

  /// A message has left a living peer and passed the codec; as a frame it has so many bytes.
  virtual void carry(const peer_message& decoded, std::size_t frame_bytes) = 0;
  /// A peer's life has ended.
  virtual void ended(peer_id) {}

  [[nodiscard]] stage_runtime& runtime() { return runtime_; }
  [[nodiscard]] server& at(peer_id id) { return servers_[id]; }

private:
  class stage_link;

  void send(life speaker, const peer_message& message);

  stage_runtime& runtime_;
  std::map<peer_id, server> servers_;
  std::vector<std::function<void(const peer_message&)>> watchers_;
};

} // namespace troupe
