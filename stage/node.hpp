/// \file
/// A node on the stage: the production actors of one peer, over a simulated network and a slow disk, through all its
/// lives.
#pragma once

#include "actors/node.hpp"
#include "stage/node_disk.hpp"
#include "stage/safety_checker.hpp"
#include "stage/switchboard.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace troupe {

/// What a node of the stage is made of. Runtime, network and checker must outlive it.
struct stage_node_parts {
  stage_runtime& runtime;
  switchboard& network;
  safety_checker& checker;
  peer_id self;
  group_id group;
  configuration members;
  /// `seed` is drawn anew for each life.
  peer_options options;
  std::unique_ptr<node_disk> disk;
  sync_latency latency;
  dice chance;
  /// Hears each committed command as it is delivered.
  std::function<void(const applied_command&)> on_command;
  /// Hears each snapshot that takes the place of commands.
  std::function<void(const installed_snapshot&)> on_snapshot = {};
  /// Makes the state machine of each life around the one that delivers to `on_command`; if empty, it is that one.
  std::function<std::shared_ptr<state_machine>(std::shared_ptr<state_machine> delivering)> machine = {};
  /// Hears that the node ended itself, and why. If empty, that is a broken promise.
  std::function<void(const std::string& why)> on_end = {};
};

class stage_node {
public:
  explicit stage_node(stage_node_parts parts);

  /// Puts a history on the disk before the first life.
  void preload(hard_state vote, std::vector<entry_batch> log);

  /// Makes the actors and sets them going. The node must not be alive.
  void start();
  /// Makes the actors, silent: they wait for `begin`.
  void make();
  void begin_playing();
  /// The power goes.
  void crash();

  /// Whether all actors of this life have ended and its store is nobody's any more, though the node was not crashed.
  [[nodiscard]] bool is_over() const;

  [[nodiscard]] bool alive() const { return life_.has_value(); }
  [[nodiscard]] peer_id id() const { return parts_.self; }
  [[nodiscard]] const peer_actor& peer() const { return life_->actors.peer; }
  [[nodiscard]] const applier_actor& applier() const { return life_->actors.applier; }
  [[nodiscard]] const caf::strong_actor_ptr& service() const { return life_->service; }
  [[nodiscard]] const persister_actor& persister() const { return life_->actors.persister; }
  /// The course's Start() and GetState(). Nothing from a node that is not alive, or was stopped.
  [[nodiscard]] std::optional<start_reply> begin_agreement(shared_bytes command);
  [[nodiscard]] std::optional<peer_state> state();
  /// The course's Snapshot(): may be called while the service is being told something.
  void take_snapshot(log_index index, std::string state);
  [[nodiscard]] disk_valve& valve() { return *valve_; }
  [[nodiscard]] const durable_model& disk() const { return *model_; }
  /// A fault has taken the disk: what the next life lacks is no loss.
  void forgive() { model_->forgive(); }
  /// Whether the disk lies about syncs, or did until the power went last.
  void doubt(bool doubts) { model_->doubt(doubts); }

private:
  struct life {
    peer_troupe actors;
    caf::strong_actor_ptr service;
    std::shared_ptr<delayed_storage> storage;
  };

  stage_node_parts parts_;
  std::shared_ptr<durable_model> model_;
  std::shared_ptr<disk_valve> valve_;
  std::optional<life> life_;
};

} // namespace troupe
