#include "guest/blob_storage.hpp"

#include <algorithm>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace guest {

using troupe::entry_batch;
using troupe::log_index;

namespace {

bool has(const remembered& group, const troupe::log_position& at) {
  return at == group.start.before || std::any_of(group.log.begin(), group.log.end(), [&at](const entry_batch& batch) {
           return batch.first() <= at.index && at.index <= batch.last() && batch.term() == at.term;
         });
}

// What is behind the position stays, if the log has that very entry; if not, its suffix is another history's.
void begin(remembered& group, const troupe::log_start& start) {
  auto& log = group.log;
  if (!has(group, start.before))
    log.clear();
  std::erase_if(log, [&start](const entry_batch& batch) { return batch.last() <= start.before.index; });
  if (!log.empty() && log.front().first() <= start.before.index)
    log.front() = log.front().slice(start.before.index.next(), log.front().last());
  group.start = start;
  group.snapshots.erase(group.snapshots.begin(), group.snapshots.lower_bound(start.oldest_snapshot));
}

void truncate(std::vector<entry_batch>& log, log_index from) {
  while (!log.empty() && log.back().first() >= from)
    log.pop_back();
  if (!log.empty() && log.back().last() >= from)
    log.back() = log.back().slice(log.back().first(), from.before());
}

// The parts take effect in this order: hard state, start, truncation, entries.
void apply(const troupe::log_write& write, remembered& group) {
  if (write.vote)
    group.vote = *write.vote;
  if (write.start)
    begin(group, *write.start);
  if (write.truncate_from)
    truncate(group.log, *write.truncate_from);
  group.log.insert(group.log.end(), write.append.begin(), write.append.end());
}

} // namespace

/// What is remembered, and the saves. The lock is held for moments only, and never when somebody is called.
class blob_storage::memory : public std::enable_shared_from_this<memory> {
public:
  memory(remembered_groups groups, save_function save) : groups_{std::move(groups)}, save_{std::move(save)} {}

  /// Looks at or changes what is remembered.
  template <class F>
  auto with(troupe::group_id group, F&& work) {
    const std::lock_guard guard{lock_};
    return work(groups_[group]);
  }

  void submit(const std::vector<troupe::log_write>& writes, std::function<void()> done) {
    {
      const std::lock_guard guard{lock_};
      for (const auto& write : writes)
        apply(write, groups_[write.group]);
      waiting_.push_back({std::move(done), {}});
    }
    save_next();
  }

  /// Returns when it is saved: only then is it one that others know.
  void keep(troupe::group_id group, kept_snapshot snapshot) {
    std::promise<void> saved;
    {
      const std::lock_guard guard{lock_};
      waiting_.push_back({[&saved] { saved.set_value(); }, std::pair{group, std::move(snapshot)}});
    }
    save_next();
    saved.get_future().wait();
  }

private:
  /// Who waits for a save, and a snapshot that comes with it.
  struct request {
    std::function<void()> saved;
    std::optional<std::pair<troupe::group_id, kept_snapshot>> snapshot;
  };

  static void add_snapshots(const std::vector<request>& requests, remembered_groups& groups) {
    for (const auto& each : requests)
      if (each.snapshot) {
        auto& group = groups[each.snapshot->first];
        const auto& what = each.snapshot->second;
        if (what.mark.at.index >= group.start.oldest_snapshot) // Else one that came from a leader reaches further.
          group.snapshots[what.mark.at.index] = what;
      }
  }

  // One at a time, for all who wait. Two under way could overtake each other, and the older one be what is left.
  void save_next() {
    auto served = std::make_shared<std::vector<request>>();
    blobs all;
    {
      const std::lock_guard guard{lock_};
      if (is_saving_ || waiting_.empty())
        return;
      is_saving_ = true;
      *served = std::exchange(waiting_, {});
      auto saved = groups_; // Shares all that is large.
      add_snapshots(*served, saved);
      all = encode(saved);
    }
    save_(std::move(all), [self = shared_from_this(), served] {
      {
        const std::lock_guard guard{self->lock_};
        self->is_saving_ = false;
        add_snapshots(*served, self->groups_);
      }
      for (const auto& each : *served)
        each.saved();
      self->save_next();
    });
  }

  std::mutex lock_;
  remembered_groups groups_;
  save_function save_;
  std::vector<request> waiting_;
  bool is_saving_ = false;
};

/// Gathers the content in memory, where it will be anyway.
class blob_storage::sink final : public troupe::snapshot_sink {
public:
  sink(std::shared_ptr<memory> where, troupe::group_id group, const troupe::snapshot_mark& at)
      : where_{std::move(where)}, group_{group}, at_{at} {}

  void append(std::string_view bytes) override { content_ += bytes; }

  void finish() override {
    at_.size_bytes = content_.size();
    where_->keep(group_, {at_, std::make_shared<const std::string>(std::move(content_))});
  }

private:
  std::shared_ptr<memory> where_;
  troupe::group_id group_;
  troupe::snapshot_mark at_;
  std::string content_;
};

/// Holds the content, whatever becomes of the snapshot.
class blob_storage::reader final : public troupe::snapshot_reader {
public:
  explicit reader(kept_snapshot what) : what_{std::move(what)} {}

  [[nodiscard]] const troupe::snapshot_mark& mark() const override { return what_.mark; }
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t max_bytes) override {
    return what_.content->substr(offset, max_bytes);
  }

private:
  kept_snapshot what_;
};

blob_storage::blob_storage(const blobs& saved, save_function save)
    : memory_{std::make_shared<memory>(decode(saved), std::move(save))} {}

// One save for all of them. The persister calls `done`, whenever it is; until then Troupe submits nothing more, and
// promises nothing to anybody that rests on these writes.
void blob_storage::submit(std::vector<troupe::log_write> writes, std::function<void()> done) {
  memory_->submit(writes, std::move(done));
}

troupe::recovered_group blob_storage::recover(troupe::group_id id, std::size_t tail_bytes) {
  return memory_->with(id, [tail_bytes](const remembered& group) {
    troupe::recovered_group found;
    found.vote = group.vote;
    found.start = group.start;
    for (const auto& [index, each] : group.snapshots)
      found.snapshots.push_back(each.mark);
    found.last = group.last();
    for (const auto& batch : group.log)
      if (found.terms.empty() || found.terms.back().term != batch.term())
        found.terms.push_back({batch.first(), batch.term()});
    // Batches from the back, as long as there is room.
    auto begin = group.log.end();
    for (std::size_t room = tail_bytes; begin != group.log.begin() && room > 0;) {
      --begin;
      room -= std::min(room, begin->size_bytes());
    }
    found.tail.assign(begin, group.log.end());
    return found;
  });
}

// May be carried out on another thread, later, while this store goes on: so it holds what it will return. Batches are
// immutable, and holding one copies nothing.
troupe::read_plan blob_storage::plan_read(const troupe::log_range& range) {
  auto found = memory_->with(range.group, [&range](const remembered& group) {
    std::vector<entry_batch> found;
    std::size_t bytes = 0;
    for (const auto& batch : group.log) {
      if (batch.last() < range.first)
        continue;
      if (batch.first() > range.last || (!found.empty() && bytes >= range.max_bytes))
        break; // But at least one entry is read.
      const auto wanted = batch.slice(std::max(batch.first(), range.first), std::min(batch.last(), range.last));
      found.push_back(wanted.front_within(range.max_bytes - bytes));
      bytes += found.back().size_bytes();
      if (found.back().last() != wanted.last())
        break;
    }
    return found;
  });
  return [found = std::move(found), first = range.first] {
    if (found.empty() || found.front().first() != first)
      throw std::runtime_error{"entry " + std::to_string(first.value()) + " was asked for and is not there"};
    return found;
  };
}

troupe::snapshot_write_plan blob_storage::plan_snapshot(troupe::group_id group, const troupe::snapshot_mark& at) {
  return [where = memory_, group, at] { return std::make_unique<sink>(where, group, at); };
}

troupe::snapshot_read_plan blob_storage::plan_snapshot_read(troupe::group_id group, log_index index) {
  return [where = memory_, group, index] {
    return where->with(group, [index](const remembered& held) {
      const auto found = held.snapshots.find(index);
      if (found == held.snapshots.end())
        throw std::runtime_error{"there is no snapshot at index " + std::to_string(index.value())};
      return std::make_unique<reader>(found->second);
    });
  };
}

} // namespace guest
