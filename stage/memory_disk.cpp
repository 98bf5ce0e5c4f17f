#include "stage/node_disk.hpp"

#include "troupe/assert.hpp"

namespace troupe {

namespace {

/// What a group's log comes to.
struct log_image {
  hard_state vote;
  std::vector<entry_batch> batches;

  [[nodiscard]] log_index last() const { return batches.empty() ? log_index{} : batches.back().last(); }

  void truncate(log_index from) {
    while (!batches.empty() && batches.back().first() >= from)
      batches.pop_back();
    if (!batches.empty() && batches.back().last() >= from)
      batches.back() = batches.back().slice(batches.back().first(), from.before());
  }

  void apply(const log_write& write) {
    if (write.vote)
      vote = *write.vote;
    if (write.truncate_from)
      truncate(*write.truncate_from);
    for (const auto& batch : write.append) {
      TROUPE_ASSERT(batch.first() == last().next(), "a log has no gaps");
      batches.push_back(batch);
    }
  }
};

/// Survives the lives of its node.
struct memory_image {
  log_image durable;
  std::vector<log_write> unsynced;

  void sync() {
    for (const auto& write : unsynced)
      durable.apply(write);
    unsynced.clear();
  }
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
