#include "stage/delayed_storage.hpp"

#include <utility>

namespace troupe {

void disk_valve::open() {
  stalled = false;
  for (auto& due : std::exchange(waiting, {}))
    due();
}

delayed_storage::delayed_storage(stage_runtime& runtime, dice chance, sync_latency latency,
                                 std::unique_ptr<two_step_storage> under, std::shared_ptr<durable_model> model,
                                 std::shared_ptr<disk_valve> valve)
    : runtime_{runtime}, chance_{chance}, latency_{latency}, under_{std::move(under)}, model_{std::move(model)},
      valve_{std::move(valve)}, powered_{std::make_shared<bool>(true)} {}

recovered_group delayed_storage::recover(group_id group, std::size_t tail_bytes) {
  auto found = under_->recover(group, tail_bytes);
  if (const auto loss = model_->recovered(found))
    runtime_.judge().fail("after a crash a node is not what it had promised: " + *loss);
  return found;
}

void delayed_storage::submit(std::vector<log_write> writes, std::function<void()> done) {
  if (!*powered_)
    return;
  model_->submitted(writes);
  const auto break_sync = std::exchange(valve_->break_sync, nullptr);
  if (break_sync)
    break_sync(true);
  under_->write(std::move(writes));
  if (break_sync) {
    under_->sync(); // Throws at whoever asked, as production's does.
    break_sync(false);
  }
  const auto span = static_cast<std::uint64_t>((latency_.most + valve_->extra - latency_.least).count());
  const auto wait = latency_.least + duration{static_cast<duration::rep>(chance_.below(span + 1))};
  // The power may go, and this object with it, before the sync is due.
  std::weak_ptr<bool> powered = powered_;
  auto due = [this, powered, done = std::move(done)] {
    if (const auto still = powered.lock(); still && *still)
      complete(done);
  };
  runtime_.after(wait, [valve = valve_, due = std::move(due)]() mutable {
    if (valve->stalled)
      valve->waiting.push_back(std::move(due));
    else
      due();
  });
}

void delayed_storage::complete(std::function<void()> done) {
  under_->sync();
  if (under_->is_holding()) {
    held_ = std::move(done);
    return;
  }
  model_->synced();
  done();
}

read_plan delayed_storage::plan_read(const log_range& range) {
  return under_->plan_read(range);
}

std::optional<chore> delayed_storage::next_chore() {
  return under_->next_chore();
}

void delayed_storage::chore_done() {
  under_->chore_done();
  if (held_ && !under_->is_holding())
    complete(std::exchange(held_, nullptr));
}

snapshot_write_plan delayed_storage::plan_snapshot(group_id group, const snapshot_mark& at) {
  return under_->plan_snapshot(group, at);
}

snapshot_read_plan delayed_storage::plan_snapshot_read(group_id group, log_index index) {
  return under_->plan_snapshot_read(group, index);
}

std::optional<chore> delayed_storage::when_idle() {
  return under_->when_idle();
}

void delayed_storage::cut_power() {
  *powered_ = false;
}

} // namespace troupe
