#include "stage/node_disk.hpp"

#include "troupe/assert.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace troupe {

namespace {

/// What a group's log comes to.
struct log_image {
  hard_state vote;
  log_start start;
  std::vector<entry_batch> batches;

  [[nodiscard]] log_index last() const { return batches.empty() ? start.before.index : batches.back().last(); }

  [[nodiscard]] bool has(log_position at) const {
    return at == start.before || std::any_of(batches.begin(), batches.end(), [&](const entry_batch& batch) {
             return batch.first() <= at.index && at.index <= batch.last() && batch.term() == at.term;
           });
  }

  void begin_behind(const log_start& from) {
    if (!has(from.before))
      batches.clear();
    start = from;
    const auto first = from.before.index.next();
    std::erase_if(batches, [&](const entry_batch& batch) { return batch.last() < first; });
    if (!batches.empty() && batches.front().first() < first)
      batches.front() = batches.front().slice(first, batches.front().last());
  }

  void truncate(log_index from) {
    while (!batches.empty() && batches.back().first() >= from)
      batches.pop_back();
    if (!batches.empty() && batches.back().last() >= from)
      batches.back() = batches.back().slice(batches.back().first(), from.before());
  }

  void apply(const log_write& write) {
    if (write.vote)
      vote = *write.vote;
    if (write.start)
      begin_behind(*write.start);
    if (write.truncate_from)
      truncate(*write.truncate_from);
    for (const auto& batch : write.append) {
      TROUPE_ASSERT(batch.first() == last().next(), "a log has no gaps");
      batches.push_back(batch);
    }
  }
};

struct kept_snapshot {
  snapshot_mark mark;
  std::string content;
};

/// Survives the lives of its node.
struct memory_image {
  log_image durable;
  std::vector<log_write> unsynced;
  std::map<log_index, std::shared_ptr<const kept_snapshot>> snapshots;

  void sync() {
    for (const auto& write : unsynced)
      durable.apply(write);
    unsynced.clear();
    std::erase_if(snapshots, [&](const auto& each) { return each.first < durable.start.oldest_snapshot; });
  }
};

class memory_sink final : public snapshot_sink {
public:
  memory_sink(std::shared_ptr<memory_image> image, const snapshot_mark& at) : image_{std::move(image)}, what_{at, {}} {}
  void append(std::string_view bytes) override { what_.content += bytes; }
  void finish() override {
    what_.mark.size_bytes = what_.content.size();
    image_->snapshots[what_.mark.at.index] = std::make_shared<const kept_snapshot>(std::move(what_));
  }

private:
  std::shared_ptr<memory_image> image_;
  kept_snapshot what_;
};

class memory_reader final : public snapshot_reader {
public:
  explicit memory_reader(std::shared_ptr<const kept_snapshot> what) : what_{std::move(what)} {}
  const snapshot_mark& mark() const override { return what_->mark; }
  std::string read(std::uint64_t offset, std::size_t max_bytes) override {
    return what_->content.substr(static_cast<std::size_t>(offset), max_bytes);
  }

private:
  std::shared_ptr<const kept_snapshot> what_;
};

std::vector<entry_batch> read_range(const std::vector<entry_batch>& batches, const log_range& range) {
  std::vector<entry_batch> found;
  std::size_t bytes = 0;
  for (const auto& batch : batches) {
    if (batch.last() < range.first || batch.first() > range.last)
      continue;
    if (!found.empty() && bytes >= range.max_bytes)
      break;
    found.push_back(batch.slice(std::max(batch.first(), range.first), std::min(batch.last(), range.last)));
    bytes += found.back().size_bytes();
  }
  return found;
}

class memory_storage final : public two_step_storage {
public:
  explicit memory_storage(std::shared_ptr<memory_image> image) : image_{std::move(image)} {}

  recovered_group recover(group_id, std::size_t) override {
    image_->sync();
    recovered_group found;
    found.vote = image_->durable.vote;
    found.start = image_->durable.start;
    for (const auto& [index, snapshot] : image_->snapshots)
      found.snapshots.push_back(snapshot->mark);
    found.last = image_->durable.last();
    found.tail = image_->durable.batches;
    for (const auto& batch : found.tail)
      if (found.terms.empty() || found.terms.back().term != batch.term())
        found.terms.push_back({batch.first(), batch.term()});
    return found;
  }
  void write(std::vector<log_write> writes) override {
    for (auto& write : writes)
      image_->unsynced.push_back(std::move(write));
  }
  void sync() override { image_->sync(); }
  read_plan plan_read(const log_range& range) override {
    auto written = image_->durable;
    for (const auto& write : image_->unsynced)
      written.apply(write);
    return [batches = std::move(written.batches), range] { return read_range(batches, range); };
  }
  snapshot_write_plan plan_snapshot(group_id, const snapshot_mark& at) override {
    return [image = image_, at] { return std::make_unique<memory_sink>(image, at); };
  }
  snapshot_read_plan plan_snapshot_read(group_id, log_index index) override {
    return [image = image_, index]() -> std::unique_ptr<snapshot_reader> {
      const auto found = image->snapshots.find(index);
      if (found == image->snapshots.end())
        throw std::runtime_error{"no snapshot at index " + std::to_string(index.value())};
      return std::make_unique<memory_reader>(found->second);
    };
  }

private:
  std::shared_ptr<memory_image> image_;
};

class memory_disk final : public node_disk {
public:
  std::unique_ptr<two_step_storage> open() override { return std::make_unique<memory_storage>(image_); }
  void lose_power(dice& chance) override {
    auto image = std::make_shared<memory_image>(*image_);
    image->unsynced.resize(chance.below(image->unsynced.size() + 1));
    image_ = std::move(image); // The dying life keeps the old one.
  }

private:
  std::shared_ptr<memory_image> image_ = std::make_shared<memory_image>();
};

} // namespace

std::unique_ptr<node_disk> make_memory_disk() {
  return std::make_unique<memory_disk>();
}

} // namespace troupe
