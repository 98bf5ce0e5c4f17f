#include "troupe/durable_log.hpp"

#include "persistence/data_directory.hpp"
#include "persistence/log_storage.hpp"

#include <random>
#include <utility>

namespace troupe {

namespace {

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

private:
  static log_options options_for(const data_directory& directory, std::size_t segment_bytes) {
    log_options options;
    options.segment_bytes = segment_bytes;
    options.identity = directory.identity();
    options.must_exist = directory.has_log();
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
