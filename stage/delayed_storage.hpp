/// \file
/// A disk that takes its time: the real log, with a virtual latency between writing and being durable.
#pragma once

#include "stage/durable_model.hpp"
#include "stage/runtime.hpp"
#include "troupe/dice.hpp"
#include "troupe/storage.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace troupe {

/// A store that tells writing from syncing, so that power can go between the two.
class two_step_storage {
public:
  virtual ~two_step_storage() = default;
  [[nodiscard]] virtual recovered_group recover(group_id group, std::size_t tail_bytes) = 0;
  /// Hands bytes to the (simulated) operating system.
  virtual void write(std::vector<log_write> writes) = 0;
  /// Makes what was written durable.
  virtual void sync() = 0;
  [[nodiscard]] virtual read_plan plan_read(const log_range& range) = 0;
  [[nodiscard]] virtual std::optional<chore> next_chore() { return std::nullopt; }
  virtual void chore_done() {}
  [[nodiscard]] virtual snapshot_write_plan plan_snapshot(group_id group, const snapshot_mark& at) = 0;
  [[nodiscard]] virtual snapshot_read_plan plan_snapshot_read(group_id group, log_index index) = 0;
  [[nodiscard]] virtual std::optional<chore> when_idle() { return std::nullopt; }
  [[nodiscard]] virtual bool is_full() const { return false; }
  /// Is something of what was written held for lack of room? It is not durable after a sync, but after one that follows
  /// a chore.
  [[nodiscard]] virtual bool is_holding() const { return false; }
};

/// How long syncs take: uniform between the two.
struct sync_latency {
  duration least = std::chrono::microseconds{100};
  duration most = std::chrono::milliseconds{2};
};

/// Whether the disk answers. Shared by the lives of a node and whoever directs it.
struct disk_valve {
  /// While set, no sync completes; those that were due complete when it is opened again.
  bool stalled = false;
  /// Each sync takes up to so much longer.
  duration extra{};
  /// Called once, before the next write: with true it shall have a sync of the disk fail, with false not any more.
  std::function<void(bool)> break_sync;
  /// Syncs that fell due while stalled.
  std::vector<std::function<void()>> waiting;

  void open();
};

/// One life's use of a node's disk. When it is destroyed, or its power cut, what was not synced is no longer anybody's
/// business here: nothing completes any more.
class delayed_storage final : public storage {
public:
  delayed_storage(stage_runtime& runtime, dice chance, sync_latency latency, std::unique_ptr<two_step_storage> under,
                  std::shared_ptr<durable_model> model, std::shared_ptr<disk_valve> valve);

  [[nodiscard]] recovered_group recover(group_id group, std::size_t tail_bytes) override;
  void submit(std::vector<log_write> writes, std::function<void()> done) override;
  [[nodiscard]] read_plan plan_read(const log_range& range) override;
  [[nodiscard]] std::optional<chore> next_chore() override;
  void chore_done() override;
  [[nodiscard]] bool keeps_snapshots() const override { return true; }
  [[nodiscard]] snapshot_write_plan plan_snapshot(group_id group, const snapshot_mark& at) override;
  [[nodiscard]] snapshot_read_plan plan_snapshot_read(group_id group, log_index index) override;
  [[nodiscard]] std::optional<chore> when_idle() override;
  [[nodiscard]] bool is_full() const override { return under_->is_full(); }

  /// The power goes: nothing is written, synced or completed from now on.
  void cut_power();

private:
  void complete(std::function<void()> done);

  stage_runtime& runtime_;
  dice chance_;
  sync_latency latency_;
  std::unique_ptr<two_step_storage> under_;
  std::shared_ptr<durable_model> model_;
  std::shared_ptr<disk_valve> valve_;
  std::shared_ptr<bool> powered_;
  std::function<void()> held_; ///< Completes what is held.
};

} // namespace troupe
