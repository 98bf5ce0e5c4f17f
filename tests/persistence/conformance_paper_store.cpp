#include "conformance_paper_store.hpp"

#include <algorithm>
#include <future>
#include <limits>
#include <stdexcept>
#include <thread>

namespace troupe::test {

namespace {

using paper = std::map<group_id, paper_group>;

std::vector<term_run> runs_of(const paper_group& group, bool is_joined) {
  std::vector<term_run> runs;
  for (const auto& each : group.batches)
    if (!is_joined || runs.empty() || runs.back().term != each.term())
      runs.push_back({each.first(), each.term()});
  return runs;
}

/// The entries of a batch as a flawed store would write them; nothing if none is left.
std::optional<entry_batch> rewritten(const entry_batch& batch, log_index first, flaw broken) {
  entry_block_builder builder;
  for (const auto entry : batch) {
    auto content = entry.content;
    if (broken == flaw::ends_content_at_zero)
      content = content.substr(0, content.find('\0'));
    if (broken == flaw::has_16_bit_sizes)
      content = content.substr(0, 65535);
    if (broken != flaw::drops_empty_entries || !content.empty())
      builder.add(broken == flaw::forgets_kinds ? entry_kind::command : entry.kind, content);
  }
  if (builder.count() == 0)
    return std::nullopt;
  return entry_batch::stamp(builder.take(), batch.term(), first,
                            broken == flaw::forgets_times ? 0 : batch.leader_time());
}

bool is_rewriter(flaw broken) {
  return broken == flaw::ends_content_at_zero || broken == flaw::has_16_bit_sizes || broken == flaw::drops_empty_entries
      || broken == flaw::forgets_kinds || broken == flaw::forgets_times;
}

bool has_long_zeros(const entry_batch& batch) {
  for (const auto each : batch)
    if (each.content.size() > 1000 && each.content.find_first_not_of('\0') == each.content.npos)
      return true;
  return false;
}

/// Carries writes out on paper, with or without a flaw.
class scribe {
public:
  scribe(paper& all, flaw broken, std::size_t& truncations) : all_{all}, broken_{broken}, truncations_{truncations} {}

  void carry_out(const log_write& write) {
    auto& group = all_[group_of(write.group)];
    if (write.vote && !is(flaw::drops_votes_beside_entries, !write.append.empty())
        && !is(flaw::keeps_the_first_vote, group.vote.current_term != term_number{}))
      group.vote = is(flaw::forgets_the_candidate) ? hard_state{write.vote->current_term, nobody} : *write.vote;
    if (write.start && !is(flaw::starts_last))
      begin(write.group, *write.start);
    if (write.truncate_from && !is(flaw::appends_without_truncating, !write.append.empty()))
      truncate(group, *write.truncate_from);
    if (is(flaw::drops_entries_beside_votes, write.vote.has_value()))
      return;
    for (const auto& batch : write.append)
      append(group, batch);
    if (write.start && is(flaw::starts_last))
      begin(write.group, *write.start);
  }

  void truncate(paper_group& group, log_index from) {
    if (is(flaw::tires_of_truncating, ++truncations_ > 8))
      return;
    if (is(flaw::truncates_all_groups))
      for (auto& [which, other] : all_)
        cut(other, from);
    cut(group, from);
  }

private:
  [[nodiscard]] bool is(flaw which, bool also = true) const { return broken_ == which && also; }

  void begin(group_id which, const log_start& start) {
    if (is(flaw::ignores_starts))
      return;
    if (is(flaw::starts_all_groups))
      for (auto& [other, group] : all_)
        begin_behind(group, start);
    begin_behind(all_[group_of(which)], start);
  }

  void begin_behind(paper_group& group, log_start start) {
    if (is(flaw::starts_need_entries, group.batches.empty()))
      return;
    if (is(flaw::starts_once, group.start.before.index > log_index{})) {
      group.start.oldest_snapshot = start.oldest_snapshot;
      return;
    }
    if (is(flaw::keeps_the_first_oldest, start.before == group.start.before))
      start.oldest_snapshot = group.start.oldest_snapshot;
    const auto keeps = (has(group, start.before) || is(flaw::starts_by_index_alone)) && !is(flaw::starts_void_all);
    std::vector<entry_batch> kept;
    for (const auto& each : group.batches)
      if (keeps && each.last() > start.before.index
          && !is(flaw::starts_at_whole_batches, each.first() <= start.before.index))
        kept.push_back(each.slice(std::max(each.first(), start.before.index.next()), each.last()));
    group.batches = std::move(kept);
    group.start = start;
  }

  [[nodiscard]] static bool has(const paper_group& group, const log_position& at) {
    return at == group.start.before || std::any_of(group.batches.begin(), group.batches.end(), [&](const auto& each) {
             return each.first() <= at.index && at.index <= each.last() && each.term() == at.term;
           });
  }

  [[nodiscard]] group_id group_of(group_id group) const {
    return is(flaw::mixes_groups) ? group_id{group.value() & 63u} : group;
  }

  void cut(paper_group& group, log_index from) {
    if (is(flaw::keeps_the_first_entry))
      from = std::max(from, log_index{2});
    if (is(flaw::truncates_one_too_many, from > group.last() && group.last() > log_index{}))
      from = group.last();
    if (is(flaw::keeps_truncated_runs) && group.old_runs.empty())
      group.old_runs = runs_of(group, true);
    while (!group.batches.empty() && group.batches.back().first() >= from)
      group.batches.pop_back();
    if (is(flaw::truncations_move_starts, group.batches.empty()))
      group.start = {};
    if (group.batches.empty() || group.batches.back().last() < from)
      return;
    const auto part = group.batches.back();
    group.batches.pop_back();
    if (!is(flaw::truncates_whole_batches))
      group.batches.push_back(part.slice(part.first(), from.before()));
  }

  // A flaw before this one may have moved the log's end: the batch takes what place there is.
  void append(paper_group& group, const entry_batch& batch) {
    if (is_rewriter(broken_) || batch.first() != group.last().next()) {
      if (const auto other = rewritten(batch, group.last().next(), broken_))
        group.batches.push_back(*other);
    } else {
      group.batches.push_back(batch);
    }
  }

  paper& all_;
  flaw broken_;
  std::size_t& truncations_;
};

/// How the writes of a submit reach the medium.
std::vector<log_write> as_written(std::vector<log_write> writes, flaw broken) {
  if (broken == flaw::writes_back_to_front)
    std::reverse(writes.begin(), writes.end());
  const auto splits = broken == flaw::writes_entries_before_votes || broken == flaw::truncates_first
      || broken == flaw::writes_starts_late;
  if (!splits)
    return writes;
  std::vector<log_write> before;
  std::vector<log_write> after;
  for (auto& each : writes) {
    auto second = each;
    if (broken == flaw::truncates_first) {
      before.push_back({each.group, std::nullopt, each.truncate_from, {}});
      second.truncate_from.reset();
    } else if (broken == flaw::writes_starts_late) {
      before.push_back({each.group, each.vote, std::nullopt, {}});
      second.vote.reset();
      if (each.start) {
        before.push_back({each.group, std::nullopt, each.truncate_from, each.append});
        second.start = each.start;
      }
    } else {
      before.push_back({each.group, std::nullopt, each.truncate_from, each.append, each.start});
      second = {each.group, each.vote, std::nullopt, {}};
    }
    after.push_back(std::move(second));
  }
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

std::vector<entry_batch> read(const paper_group& group, const log_range& range, flaw broken) {
  std::vector<entry_batch> found;
  std::size_t bytes = 0;
  for (auto batch : group.batches) {
    if (batch.last() < range.first || batch.first() > range.last)
      continue;
    const auto from = broken == flaw::reads_from_batch_start ? batch.first() : std::max(batch.first(), range.first);
    const auto to = broken == flaw::reads_too_far ? batch.last() : std::min(batch.last(), range.last);
    batch = batch.slice(from, to);
    const auto is_too_much = bytes + batch.size_bytes() > range.max_bytes && broken != flaw::reads_without_bound;
    if (is_too_much && (!found.empty() || broken == flaw::reads_nothing_if_too_large))
      break;
    bytes += batch.size_bytes();
    if (broken == flaw::reads_with_the_last_term)
      batch = entry_batch::stamp({batch.count(), batch.payload()}, group.batches.back().term(), batch.first(),
                                 batch.leader_time());
    found.push_back(batch);
  }
  return found;
}

/// Copies what was read into one buffer that the next read overwrites.
std::vector<entry_batch> buffered(const std::vector<entry_batch>& batches, const std::shared_ptr<std::string>& buffer) {
  buffer->reserve(std::size_t{16} << 20);
  buffer->clear();
  std::vector<entry_batch> found;
  for (const auto& each : batches) {
    const auto at = buffer->size();
    *buffer += each.payload().view();
    const shared_bytes payload{buffer, std::string_view{*buffer}.substr(at, each.size_bytes())};
    found.push_back(entry_batch::stamp({each.count(), payload}, each.term(), each.first(), each.leader_time()));
  }
  return found;
}

/// A snapshot is a draft until it is finished.
class paper_sink final : public snapshot_sink {
public:
  paper_sink(std::shared_ptr<paper_medium> medium, flaw broken, int life, group_id group, const snapshot_mark& at)
      : medium_{std::move(medium)}, broken_{broken}, life_{life}, group_{group}, draft_{at, {}}, submits_{
                                                                                                     medium_->submits} {
    draft_.mark.size_bytes = 0;
    const std::lock_guard lock{medium_->guard};
    if (is(flaw::overwrites_snapshots))
      medium_->snapshots[group_].erase(at.at.index);
  }

  ~paper_sink() override {
    const std::lock_guard lock{medium_->guard};
    if (is(flaw::keeps_unfinished_snapshots) && life_ == medium_->life)
      keep(draft_);
  }

  void append(std::string_view bytes) override {
    const std::lock_guard lock{medium_->guard};
    take_step();
    draft_.content += bytes;
    if (is(flaw::has_16_bit_snapshots))
      draft_.content.resize(std::min<std::size_t>(draft_.content.size(), 65'535));
    draft_.mark.size_bytes = draft_.content.size();
    if (is(flaw::knows_unfinished_snapshots))
      keep(draft_);
  }

  void finish() override {
    const std::lock_guard lock{medium_->guard};
    if (is(flaw::knows_snapshots_before_sync)) {
      auto half = draft_;
      half.content.resize(half.mark.size_bytes / 2);
      half.mark.size_bytes /= 2;
      take_step();
      keep(half);
    }
    take_step();
    if (is(flaw::forgets_snapshot_times))
      draft_.mark.time = 0;
    const auto is_there = medium_->snapshots[group_].contains(draft_.mark.at.index);
    if ((is(flaw::keeps_the_first_snapshot) && is_there)
        || (is(flaw::loses_overtaken_snapshots) && submits_ != medium_->submits))
      return;
    keep(draft_);
  }

private:
  [[nodiscard]] bool is(flaw which) const { return broken_ == which; }

  void take_step() {
    if (life_ != medium_->life || medium_->steps_left == std::size_t{0})
      throw std::runtime_error{"the medium has stopped"};
    if (medium_->steps_left)
      --*medium_->steps_left;
  }

  void keep(const paper_snapshot& what) { medium_->snapshots[group_][what.mark.at.index] = what; }

  std::shared_ptr<paper_medium> medium_;
  flaw broken_;
  int life_;
  group_id group_;
  paper_snapshot draft_;
  std::size_t submits_;
};

/// Has a copy: what is removed is read all the same.
class paper_reader final : public snapshot_reader {
public:
  paper_reader(std::shared_ptr<paper_medium> medium, flaw broken, group_id group, paper_snapshot what)
      : medium_{std::move(medium)}, broken_{broken}, group_{group}, what_{std::move(what)} {}

  const snapshot_mark& mark() const override { return what_.mark; }

  std::string read(std::uint64_t offset, std::size_t max_bytes) override {
    const std::lock_guard lock{medium_->guard};
    if (broken_ == flaw::removes_what_is_read && !medium_->snapshots[group_].contains(what_.mark.at.index))
      return {};
    if (broken_ == flaw::reads_snapshot_pages)
      max_bytes = std::min<std::size_t>(max_bytes, 4096 - offset % 4096);
    return what_.content.substr(offset, max_bytes);
  }

private:
  std::shared_ptr<paper_medium> medium_;
  flaw broken_;
  group_id group_;
  paper_snapshot what_;
};

class paper_store final : public storage {
public:
  paper_store(std::shared_ptr<paper_medium> medium, flaw broken, bool elsewhere)
      : medium_{std::move(medium)}, broken_{broken}, elsewhere_{elsewhere}, life_{medium_->life} {
    ++medium_->openings;
    medium_->steps_left.reset();
    if (!is(flaw::does_not_sync_what_it_found))
      sync();
    now_ = written();
    opened_ = *now_;
  }

  ~paper_store() override {
    if (worker_.valid() && !is(flaw::drops_what_is_under_way))
      worker_.wait();
  }

  recovered_group recover(group_id group, std::size_t tail_bytes) override {
    const auto& from = is(flaw::recovers_as_opened) ? opened_ : *now_;
    const auto at = from.find(is(flaw::mixes_groups) ? group_id{group.value() & 63u} : group);
    recovered_group found;
    found.snapshots = snapshots_of(group, at == from.end() ? paper_group{} : at->second);
    if (at == from.end()) {
      found.vote.current_term = term_number{is(flaw::begins_in_term_one) ? 1u : 0u};
      return found;
    }
    const auto& held = at->second;
    found.vote = held.vote;
    found.start = held.start;
    found.last = is(flaw::empties_to_zero) && held.batches.empty() ? log_index{} : held.last();
    found.terms = runs_of(held, !is(flaw::does_not_join_runs));
    if (is(flaw::tells_runs_from_one) && !found.terms.empty())
      found.terms.front().first = log_index{1};
    if (!held.old_runs.empty() && !held.batches.empty())
      found.terms = held.old_runs;
    if (is(flaw::invents_an_entry) && held.batches.empty())
      found.terms.push_back({log_index{1}, held.vote.current_term});
    found.tail = tail_of(held, tail_bytes);
    return found;
  }

  void submit(std::vector<log_write> writes, std::function<void()> done) override {
    if (is(flaw::is_not_done_for_nothing) && writes.empty())
      return;
    if (is(flaw::loses_writes_beside_chores) && is_chore_out_)
      return done();
    if (is(flaw::drops_what_is_under_way))
      return drop_behind(std::move(writes), done);
    ++submits_;
    {
      const std::lock_guard lock{medium_->guard};
      ++medium_->submits;
    }
    writes = as_written(std::move(writes), broken_);
    if (!elsewhere_)
      return write_and_tell(writes, done);
    if (worker_.valid())
      worker_.wait();
    worker_ = std::async(std::launch::async, [this, writes = std::move(writes), done = std::move(done)] {
      try {
        write_and_tell(writes, done);
      } catch (const std::runtime_error&) {
        // The medium has stopped: nobody is told.
      }
    });
  }

  read_plan plan_read(const log_range& range) override {
    const auto held = is(flaw::reads_what_is_there_then)
        ? now_
        : std::make_shared<paper>(paper{{range.group, now_->at(group_in(range.group))}});
    return [held, range, broken = broken_, buffer = buffer_, owner = std::this_thread::get_id(),
            group = is(flaw::reads_what_is_there_then) ? group_in(range.group) : range.group] {
      if (broken == flaw::reads_on_its_thread_only && std::this_thread::get_id() != owner)
        throw std::runtime_error{"not my thread"};
      auto found = read(held->at(group), range, broken);
      return broken == flaw::reads_into_one_buffer ? buffered(found, buffer) : found;
    };
  }

  bool keeps_snapshots() const override { return true; }

  snapshot_write_plan plan_snapshot(group_id group, const snapshot_mark& at) override {
    return [medium = medium_, broken = broken_, life = life_, group = group_of_snapshot(group), at] {
      return std::make_unique<paper_sink>(medium, broken, life, group, at);
    };
  }

  snapshot_read_plan plan_snapshot_read(group_id group, log_index index) override {
    return [medium = medium_, broken = broken_, group = group_of_snapshot(group), index] {
      const std::lock_guard lock{medium->guard};
      return std::make_unique<paper_reader>(medium, broken, group, medium->snapshots[group].at(index));
    };
  }

  std::optional<chore> next_chore() override {
    if (is_chore_out_ || submits_ % 5 != 0)
      return std::nullopt;
    is_chore_out_ = true;
    return [] {};
  }

  void chore_done() override {
    is_chore_out_ = false;
    if (is(flaw::chore_loses_an_entry))
      for (const auto& [which, group] : paper{*now_})
        if (group.last() > log_index{1})
          submit({{which, std::nullopt, group.last(), {}}}, [] {});
  }

private:
  [[nodiscard]] bool is(flaw which) const { return broken_ == which; }
  [[nodiscard]] group_id group_in(group_id group) const {
    return is(flaw::mixes_groups) ? group_id{group.value() & 63u} : group;
  }

  [[nodiscard]] group_id group_of_snapshot(group_id group) const {
    return is(flaw::mixes_snapshots) ? group_id{} : group;
  }

  [[nodiscard]] std::vector<snapshot_mark> snapshots_of(group_id which, const paper_group& group) {
    const std::lock_guard lock{medium_->guard};
    std::vector<snapshot_mark> found;
    for (const auto& [index, each] : medium_->snapshots[group_of_snapshot(which)])
      if ((index >= group.start.oldest_snapshot || is(flaw::keeps_outdated_snapshots))
          && !(is(flaw::drops_snapshots_ahead) && index > group.last()))
        found.push_back(each.mark);
    if (is(flaw::gives_newest_first))
      std::reverse(found.begin(), found.end());
    return found;
  }

  void remove_outdated(const std::vector<log_write>& writes) {
    const std::lock_guard lock{medium_->guard};
    for (const auto& each : writes)
      if (each.start && !is(flaw::keeps_outdated_snapshots)) {
        auto& all = medium_->snapshots[group_of_snapshot(each.group)];
        all.erase(all.begin(), all.lower_bound(each.start->oldest_snapshot));
      }
  }

  /// All that was written, durable or not.
  std::shared_ptr<paper> written() {
    const std::lock_guard lock{medium_->guard};
    auto all = medium_->durable;
    scribe hand{all, broken_, medium_->truncations};
    for (const auto& each : medium_->unsynced)
      hand.carry_out(each);
    if (is(flaw::loses_long_zeros))
      for (auto& [which, group] : all)
        if (const auto end = std::find_if(group.batches.begin(), group.batches.end(), has_long_zeros);
            end != group.batches.end())
          group.batches.erase(end, group.batches.end());
    return std::make_shared<paper>(std::move(all));
  }

  std::vector<entry_batch> tail_of(const paper_group& held, std::size_t tail_bytes) const {
    if (is(flaw::gives_no_tail) || (tail_bytes == 0 && !is(flaw::gives_the_whole_tail)))
      return {};
    std::vector<entry_batch> tail;
    std::size_t bytes = 0;
    const auto take = [&](const entry_batch& each) {
      if (bytes + each.size_bytes() > tail_bytes && !tail.empty() && !is(flaw::gives_the_whole_tail))
        return false;
      bytes += each.size_bytes();
      tail.push_back(each);
      return true;
    };
    if (is(flaw::gives_the_head)) {
      static_cast<void>(std::all_of(held.batches.begin(), held.batches.end(), take));
      return tail;
    }
    static_cast<void>(std::all_of(held.batches.rbegin(), held.batches.rend(), take));
    std::reverse(tail.begin(), tail.end());
    return tail;
  }

  void write_and_tell(const std::vector<log_write>& writes, const std::function<void()>& done) {
    const auto next = std::make_shared<paper>(*now_);
    scribe hand{*next, broken_, medium_->truncations};
    for (const auto& each : writes) {
      write(each);
      hand.carry_out(each);
    }
    if (is(flaw::reads_what_is_there_then))
      *now_ = *next;
    else
      now_ = next;
    if (!is(flaw::syncs_in_its_first_life_only) || medium_->openings == 1)
      sync();
    remove_outdated(writes);
    done();
    if (is(flaw::is_done_twice))
      done();
  }

  /// Tells at once, writes with the next submit: closing drops it.
  void drop_behind(std::vector<log_write> writes, const std::function<void()>& done) {
    write_and_tell(std::exchange(late_, std::move(writes)), done);
    scribe hand{*now_, broken_, medium_->truncations};
    for (const auto& each : late_)
      hand.carry_out(each);
  }

  void take_step() {
    if (life_ != medium_->life || medium_->steps_left == std::size_t{0})
      throw std::runtime_error{"the medium has stopped"};
    if (medium_->steps_left)
      --*medium_->steps_left;
  }

  void write(const log_write& each) {
    const std::lock_guard lock{medium_->guard};
    take_step();
    if (is(flaw::forgets_lone_truncations) && each.truncate_from && each.append.empty()) {
      medium_->unsynced.push_back({each.group, each.vote, std::nullopt, {}, each.start});
      return;
    }
    medium_->unsynced.push_back(each);
  }

  void sync() {
    const std::lock_guard lock{medium_->guard};
    take_step();
    if (is(flaw::never_syncs))
      return;
    scribe hand{medium_->durable, broken_, medium_->truncations};
    std::vector<log_write> kept;
    for (const auto& each : medium_->unsynced) {
      auto part = each;
      if (is(flaw::never_syncs_votes) && each.vote) {
        kept.push_back({each.group, each.vote, std::nullopt, {}});
        part.vote.reset();
      }
      if (is(flaw::never_syncs_truncations) && each.truncate_from && each.append.empty()) {
        kept.push_back({each.group, std::nullopt, each.truncate_from, {}});
        part.truncate_from.reset();
      }
      if (is(flaw::never_syncs_starts) && each.start) {
        kept.push_back(each);
        continue;
      }
      hand.carry_out(part);
    }
    medium_->unsynced = std::move(kept);
  }

  std::shared_ptr<paper_medium> medium_;
  flaw broken_;
  bool elsewhere_;
  int life_;
  std::shared_ptr<paper> now_;
  paper opened_;
  std::shared_ptr<std::string> buffer_ = std::make_shared<std::string>();
  std::vector<log_write> late_;
  std::future<void> worker_;
  std::size_t submits_ = 0;
  bool is_chore_out_ = false;
};

/// Of what is not synced, the first so many writes survive.
void lose_power(paper_medium& medium, flaw broken) {
  const std::lock_guard lock{medium.guard};
  ++medium.life;
  medium.steps_left.reset();
  const auto keep = broken == flaw::never_syncs || broken == flaw::syncs_in_its_first_life_only
      ? 0
      : medium.luck() % (medium.unsynced.size() + 1);
  medium.unsynced.resize(keep);
  if (broken == flaw::never_syncs_snapshots)
    medium.snapshots.clear();
}

} // namespace

storage_under_test paper_place(flaw broken, bool elsewhere) {
  auto place = std::make_shared<std::shared_ptr<paper_medium>>();
  storage_under_test subject;
  subject.fresh = [place] { *place = std::make_shared<paper_medium>(); };
  subject.open = [=] { return std::make_unique<paper_store>(*place, broken, elsewhere); };
  subject.lose_power = [=] { lose_power(**place, broken); };
  subject.stop_medium_after = [place](std::size_t steps) {
    const std::lock_guard lock{(*place)->guard};
    (*place)->steps_left = steps;
  };
  return subject;
}

} // namespace troupe::test
