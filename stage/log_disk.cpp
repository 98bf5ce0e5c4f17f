#include "persistence/log_storage.hpp"
#include "stage/node_disk.hpp"
#include "stage/simulated_disk.hpp"

namespace troupe {

namespace {

/// The real log in two steps.
class two_step_log final : public two_step_storage {
public:
  two_step_log(file_system& files, const log_options& options) : log_{files, "log", options} {}

  recovered_group recover(group_id group, std::size_t tail_bytes) override { return log_.recover(group, tail_bytes); }
  void write(std::vector<log_write> writes) override { log_.write(std::move(writes)); }
  void sync() override { log_.sync(); }
  read_plan plan_read(const log_range& range) override { return log_.plan_read(range); }
  std::optional<chore> next_chore() override { return log_.next_chore(); }
  void chore_done() override { log_.chore_done(); }
  snapshot_write_plan plan_snapshot(group_id group, const snapshot_mark& at) override {
    return log_.plan_snapshot(group, at);
  }
  snapshot_read_plan plan_snapshot_read(group_id group, log_index index) override {
    return log_.plan_snapshot_read(group, index);
  }
  std::optional<chore> when_idle() override { return log_.when_idle(); }

private:
  log_storage log_;
};

class log_disk final : public node_disk {
public:
  log_disk(std::uint64_t seed, std::size_t segment_bytes) : disk_{seed} { options_.segment_bytes = segment_bytes; }

  std::unique_ptr<two_step_storage> open() override { return std::make_unique<two_step_log>(disk_, options_); }
  void lose_power(dice&) override { disk_.crash(); }

private:
  simulated_disk disk_;
  log_options options_;
};

} // namespace

std::unique_ptr<node_disk> make_log_disk(std::uint64_t seed, std::size_t segment_bytes) {
  return std::make_unique<log_disk>(seed, segment_bytes);
}

} // namespace troupe
