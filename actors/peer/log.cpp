#include "actors/peer/log.hpp"

#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// The run that `index` lies in: the last one that begins at or before it.
std::vector<term_run>::const_iterator run_of(const std::vector<term_run>& runs, log_index index) {
  auto behind =
      std::upper_bound(runs.begin(), runs.end(), index, [](log_index i, const term_run& run) { return i < run.first; });
  TROUPE_ASSERT(behind != runs.begin(), "every entry lies in a run of its term");
  return std::prev(behind);
}

} // namespace

raft_log::raft_log(const recovered_group& recovered)
    : base_{recovered.start.before}, runs_{recovered.terms}, window_{recovered.tail.begin(), recovered.tail.end()},
      last_{std::max(recovered.last, base_.index)}, last_time_{recovered.start.time} {
  for (const auto& batch : window_) {
    window_bytes_ += batch.size_bytes();
    last_time_ = std::max(last_time_, batch.leader_time());
  }
  TROUPE_ASSERT(window_.empty() || window_.back().last() == last_, "the recovered tail ends where the log ends");
}

std::string raft_log::in_words(log_index asked) const {
  return "entry " + std::to_string(asked.value()) + " is asked for, and the log has those behind "
      + std::to_string(base_.index.value()) + " up to " + std::to_string(last_.value());
}

term_number raft_log::term_at(log_index index) const {
  TROUPE_ASSERT(base_.index <= index && index <= last_, "the log has an entry there", in_words(index));
  return index == base_.index ? base_.term : run_of(runs_, index)->term;
}

log_index raft_log::first_of_run(log_index index) const {
  TROUPE_ASSERT(base_.index < index && index <= last_, "the log has an entry there", in_words(index));
  return run_of(runs_, index)->first;
}

void raft_log::append(entry_batch batch) {
  TROUPE_ASSERT(batch.first() == last_.next(), "entries are consecutive", in_words(batch.first()));
  TROUPE_ASSERT((runs_.empty() ? base_.term : runs_.back().term) <= batch.term(), "terms never fall along the log");
  if (runs_.empty() || runs_.back().term != batch.term())
    runs_.push_back({batch.first(), batch.term()});
  last_ = batch.last();
  last_time_ = std::max(last_time_, batch.leader_time());
  window_bytes_ += batch.size_bytes();
  window_.push_back(std::move(batch));
}

void raft_log::truncate_from(log_index from) {
  TROUPE_ASSERT(base_.index < from && from <= last_, "a truncation removes entries", in_words(from));
  last_ = from.before();
  while (!runs_.empty() && runs_.back().first >= from)
    runs_.pop_back();
  while (!window_.empty() && window_.back().first() >= from) {
    window_bytes_ -= window_.back().size_bytes();
    window_.pop_back();
  }
  if (!window_.empty() && window_.back().last() >= from) {
    window_bytes_ -= window_.back().size_bytes();
    window_.back() = window_.back().slice(window_.back().first(), last_);
    window_bytes_ += window_.back().size_bytes();
  }
}

void raft_log::forget_up_to(log_position base) {
  TROUPE_ASSERT(has(base), "what is forgotten was there",
                "entry " + std::to_string(base.index.value()) + " of term " + std::to_string(base.term.value())
                    + " and all before it were to be, and the log is " + std::to_string(base_.index.next().value())
                    + ".." + std::to_string(last_.value()));
  const auto first = base.index.next();
  while (!window_.empty() && window_.front().first() < first) {
    window_bytes_ -= window_.front().size_bytes();
    if (window_.front().last() < first) {
      window_.pop_front();
      continue;
    }
    window_.front() = window_.front().slice(first, window_.front().last());
    window_bytes_ += window_.front().size_bytes();
  }
  const auto kept = std::find_if(runs_.rbegin(), runs_.rend(), [&](const term_run& run) { return run.first <= first; });
  runs_.erase(runs_.begin(), kept == runs_.rend() ? runs_.begin() : std::prev(kept.base()));
  if (base.index == last_)
    runs_.clear();
  else if (!runs_.empty())
    runs_.front().first = std::max(runs_.front().first, first);
  base_ = base;
}

void raft_log::begin_behind(log_position base, std::int64_t time) {
  runs_.clear();
  window_.clear();
  window_bytes_ = 0;
  base_ = base;
  last_ = base.index;
  last_time_ = std::max(last_time_, time);
}

bool raft_log::in_window(log_index index) const {
  return !window_.empty() && window_.front().first() <= index && index <= last_;
}

std::deque<entry_batch>::const_iterator raft_log::batch_of(log_index index) const {
  return std::partition_point(window_.begin(), window_.end(),
                              [index](const entry_batch& batch) { return batch.last() < index; });
}

std::vector<entry_batch> raft_log::entries(log_index from, log_index to, std::size_t max_bytes) const {
  TROUPE_ASSERT(in_window(from) && to <= last_, "the entries are in the window");
  std::vector<entry_batch> result;
  std::size_t bytes = 0;
  for (auto it = batch_of(from); it != window_.end() && it->first() <= to; ++it) {
    auto part = it->slice(std::max(from, it->first()), std::min(to, it->last()));
    if (!result.empty() && bytes + part.size_bytes() > max_bytes)
      break;
    if (result.empty())
      part = part.front_within(max_bytes);
    bytes += part.size_bytes();
    const bool whole = part.last() == std::min(to, it->last());
    result.push_back(std::move(part));
    if (!whole)
      break;
  }
  return result;
}

void raft_log::trim(std::size_t max_bytes, log_index keep_from) {
  while (window_bytes_ > max_bytes && window_.front().last() < keep_from) {
    window_bytes_ -= window_.front().size_bytes();
    window_.pop_front();
  }
}

} // namespace troupe
