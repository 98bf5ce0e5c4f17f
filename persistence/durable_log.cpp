#include "troupe/durable_log.hpp"

#include "persistence/data_directory.hpp"
#include "persistence/log_storage.hpp"

#include <random>
#include <utility>

namespace troupe {

namespace {

/// A snapshot being written, and the file system it is written with: whoever holds it may be the last one who does.
class kept_sink final : public snapshot_sink {
public:
  kept_sink(std::shared_ptr<file_system> files, std::unique_ptr<snapshot_sink> sink)
      : files_{std::move(files)}, sink_{std::move(sink)} {}

  void append(std::string_view bytes) override { sink_->append(bytes); }
  void finish() override { sink_->finish(); }

private:
  std::shared_ptr<file_system> files_;
  std::unique_ptr<snapshot_sink> sink_;
};

/// Likewise a snapshot being read.
class kept_reader final : public snapshot_reader {
public:
  kept_reader(std::shared_ptr<file_system> files, std::unique_ptr<snapshot_reader> reader)
      : files_{std::move(files)}, reader_{std::move(reader)} {}

  [[nodiscard]] const snapshot_mark& mark() const override { return reader_->mark(); }
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t max_bytes) override {
    return reader_->read(offset, max_bytes);
  }

private:
  std::shared_ptr<file_system> files_;
  std::unique_ptr<snapshot_reader> reader_;
};

/// A log with the directory it lies in, which stays locked as long.
class durable_log final : public storage {
public:
  durable_log(std::string directory, const durable_log_owner& owner, std::size_t segment_bytes, const uuid& fresh)
      : directory_{*files_, std::move(directory), owner.cluster, owner.node, owner.members, fresh},
        log_{*files_, directory_.log_path(), options_for(directory_, segment_bytes)} {
    directory_.remember_log();
  }

  recovered_group recover(group_id group, std::size_t tail_bytes) override { return log_.recover(group, tail_bytes); }
  void submit(std::vector<log_write> writes, std::function<void()> done) override {
    log_.submit(std::move(writes), std::move(done));
  }

  // Carried out elsewhere, perhaps when this is gone: each keeps the file system.
  read_plan plan_read(const log_range& range) override {
    return [files = files_, plan = log_.plan_read(range)] { return plan(); };
  }
  std::optional<chore> next_chore() override {
    auto next = log_.next_chore();
    if (!next)
      return std::nullopt;
    return [files = files_, work = std::move(*next)] { work(); };
  }
  void chore_done() override { log_.chore_done(); }

  [[nodiscard]] bool keeps_snapshots() const override { return log_.keeps_snapshots(); }
  snapshot_write_plan plan_snapshot(group_id group, const snapshot_mark& at) override {
    return
        [files = files_, plan = log_.plan_snapshot(group, at)] { return std::make_unique<kept_sink>(files, plan()); };
  }
  snapshot_read_plan plan_snapshot_read(group_id group, log_index index) override {
    return [files = files_, plan = log_.plan_snapshot_read(group, index)] {
      return std::make_unique<kept_reader>(files, plan());
    };
  }
  [[nodiscard]] bool is_full() const override { return log_.is_full(); }
  std::optional<chore> when_idle() override {
    auto next = log_.when_idle();
    if (!next)
      return std::nullopt;
    return [files = files_, work = std::move(*next)] { work(); };
  }

private:
  static log_options options_for(const data_directory& directory, std::size_t segment_bytes) {
    log_options options;
    options.segment_bytes = segment_bytes;
    options.identity = directory.identity();
    options.must_exist = directory.has_log();
    options.may_lose = false; // Nothing is known of who plays the peers, and whether they would repair it.
    return options;
  }

  std::shared_ptr<file_system> files_ = real_file_system();
  data_directory directory_;
  log_storage log_;
};

} // namespace

std::shared_ptr<storage> open_durable_log(std::string directory, const durable_log_owner& owner,
                                          std::size_t segment_bytes) {
  std::random_device dice; // For the identity of a new directory.
  return std::make_shared<durable_log>(std::move(directory), owner, segment_bytes, draw_uuid(dice));
}

} // namespace troupe
