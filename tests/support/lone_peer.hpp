/// \file
/// One real peer among puppets: the test plays all the others, and decides when the disk has finished.
#pragma once

#include "stage/network.hpp"
#include "stage/node.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Peer 1 of a group of three; 2 and 3 are the test's. Law 1 is checked on all it says.
class lone_peer {
public:
  explicit lone_peer(std::uint64_t seed = 1);
  ~lone_peer();

  /// A message arrives, and everything that needs no time happens.
  template <class Message>
  void hears(const Message& message) {
    runtime_.tell(node_->peer(), message);
    runtime_.run_for(duration::zero());
  }

  /// Syncs take none of the test's time while the disk keeps up, and for ever while it hangs.
  void disk_hangs() { node_->valve().stalled = true; }
  void disk_catches_up();
  /// Time passes.
  void waits(duration span) { runtime_.run_for(span); }
  /// Waits until it says a `Message`, at most `limit`; false if it does not.
  template <class Message>
  bool waits_to_say(duration limit) {
    return runtime_.run_until(runtime_.now() + limit, [&] { return last_said<Message>() != nullptr; });
  }
  void loses_power() { node_->crash(); }
  void returns() {
    said_.clear();
    node_->start();
    runtime_.run_for(duration::zero());
  }

  /// What it has said since the last call of `forgets`, to whom it may concern.
  [[nodiscard]] const std::vector<peer_message>& said() const { return said_; }
  [[nodiscard]] bool is_silent() const { return said_.empty(); }
  void forgets() { said_.clear(); }
  /// The last of a kind, if any.
  template <class Message>
  [[nodiscard]] const Message* last_said() const {
    for (auto i = said_.rbegin(); i != said_.rend(); ++i)
      if (const auto* found = std::get_if<Message>(&*i))
        return found;
    return nullptr;
  }

  [[nodiscard]] peer_state state() { return node_->state().value_or(peer_state{}); }
  [[nodiscard]] std::optional<start_reply> start(const std::string& command) {
    return node_->begin_agreement(shared_bytes{command});
  }
  [[nodiscard]] const durable_model& disk() const { return node_->disk(); }
  [[nodiscard]] stage_node& node() { return *node_; }
  [[nodiscard]] stage_runtime& runtime() { return runtime_; }
  [[nodiscard]] const std::vector<std::string>& delivered() const { return delivered_; }

  /// Runs until it asks for real votes, granting its pre-votes. Its round is in the request.
  request_vote becomes_candidate();
  /// Makes it a leader, by peer 2's vote; returns its term.
  term_number becomes_leader();
  /// Has it follow `leader` in `term`.
  void follows(peer_id leader, term_number term);

private:
  dice chance_;
  stage_runtime runtime_;
  stage_network network_;
  safety_checker checker_;
  std::unique_ptr<stage_node> node_;
  std::vector<peer_message> said_;
  std::vector<std::string> delivered_;
};

/// What puppets say to peer 1.
[[nodiscard]] request_vote asks_for_vote(std::uint64_t candidate, std::uint64_t term, log_position last = {});
[[nodiscard]] request_vote asks_whether_it_would_vote(std::uint64_t candidate, std::uint64_t term,
                                                      log_position last = {});
/// AppendEntries from a leader: a heartbeat if there are no batches.
[[nodiscard]] append_entries appends(std::uint64_t leader, std::uint64_t term, std::uint64_t number,
                                     log_position previous = {}, std::vector<entry_batch> batches = {},
                                     std::uint64_t commit = 0);
[[nodiscard]] vote_reply votes(std::uint64_t voter, const request_vote& request, bool granted);
/// `count` commands of a term from an index on; equal arguments give equal entries.
[[nodiscard]] entry_batch entries(std::uint64_t term, std::uint64_t first, std::uint32_t count = 1);

} // namespace troupe
