/// \file
/// The real log, writing and syncing told apart.
#pragma once

#include "persistence/log_storage.hpp"
#include "stage/delayed_storage.hpp"

#include <string>
#include <utility>

namespace troupe {

class two_step_log final : public two_step_storage {
public:
  /// Opens or makes the log, and throws, as `log_storage` does.
  two_step_log(file_system& files, std::string directory, const log_options& options)
      : log_{files, std::move(directory), options} {}

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

  bool is_full() const override { return log_.is_full(); }
  [[nodiscard]] const recovery_report& report() const { return log_.report(); }
  bool is_holding() const override { return log_.is_holding(); }

private:
  log_storage log_;
};

} // namespace troupe
