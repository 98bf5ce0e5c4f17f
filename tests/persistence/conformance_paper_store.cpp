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
    if (write.truncate_from && !is(flaw::appends_without_truncating, !write.append.empty()))
      truncate(group, *write.truncate_from);
    if (is(flaw::drops_entries_beside_votes, write.vote.has_value()))
      return;
    for (const auto& batch : write.append)
      append(group, batch);
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
  if (broken != flaw::writes_entries_before_votes && broken != flaw::truncates_first)
    return writes;
  std::vector<log_write> before;
  std::vector<log_write> after;
  for (auto& each : writes) {
    auto second = each;
    if (broken == flaw::truncates_first) {
      before.push_back({each.group, std::nullopt, each.truncate_from, {}});
      second.truncate_from.reset();
    } else {
      before.push_back({each.group, std::nullopt, each.truncate_from, each.append});
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
    if (at == from.end()) {
      found.vote.current_term = term_number{is(flaw::begins_in_term_one) ? 1u : 0u};
      return found;
    }
    const auto& held = at->second;
    found.vote = held.vote;
    found.last = held.last();
    found.terms = runs_of(held, !is(flaw::does_not_join_runs));
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
      medium_->unsynced.push_back({each.group, each.vote, std::nullopt, {}});
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
