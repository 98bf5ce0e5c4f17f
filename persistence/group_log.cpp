#include "persistence/group_log.hpp"

#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

std::uint32_t group_log::oldest_segment(std::uint32_t none) const {
  auto oldest = none;
  if (start_segment_ > 0)
    oldest = std::min(oldest, start_segment_);
  if (!places_.empty())
    oldest = std::min(oldest, places_.front().segment);
  return oldest;
}

term_number group_log::term_at(log_index index) const {
  const auto behind = std::upper_bound(terms_.begin(), terms_.end(), index,
                                       [](log_index i, const term_run& run) { return i < run.first; });
  TROUPE_ASSERT(behind != terms_.begin() && index <= last(), "the entry is in the log");
  return std::prev(behind)->term;
}

bool group_log::has(const log_position& at) const {
  if (at.index == start_.before.index)
    return at.term == start_.before.term;
  return at.index > start_.before.index && at.index <= last() && term_at(at.index) == at.term;
}

bool group_log::continues_with(log_index first, term_number term) const {
  const auto is_next = first == last().next() || (is_partial_ && places_.empty() && first > last());
  return is_next && term >= last_term();
}

void group_log::append(const record_place& place, term_number term) {
  TROUPE_ASSERT(continues_with(place.first, term), "entries are consecutive and terms never fall along the log");
  if (terms_.empty() || terms_.back().term != term)
    terms_.push_back({place.first, term});
  places_.push_back(place);
}

bool group_log::truncate(log_index from) {
  TROUPE_ASSERT(from > start_.before.index, "what a snapshot stands for is never truncated");
  if (from > last())
    return false;
  while (!places_.empty() && places_.back().first >= from)
    places_.pop_back();
  if (!places_.empty() && places_.back().last() >= from)
    places_.back().count = static_cast<std::uint32_t>(from - places_.back().first);
  while (!terms_.empty() && terms_.back().first >= from)
    terms_.pop_back();
  // A record that only has forgotten entries left.
  if (last() == start_.before.index)
    places_.clear();
  return true;
}

bool group_log::may_keep_behind(const log_position& before) const {
  // What was dropped cannot be compared any more.
  if (is_partial_ && (places_.empty() || before.index < places_.front().first))
    return before.index >= start_.before.index;
  return has(before);
}

void group_log::begin(const log_start& start, bool voids, std::uint32_t segment) {
  TROUPE_ASSERT(voids || start.before.index >= start_.before.index,
                "a log that is kept never begins earlier than it did");
  TROUPE_ASSERT(voids || may_keep_behind(start.before), "entries are kept behind a position that the log has");
  start_ = start;
  start_segment_ = segment;
  if (voids) {
    places_.clear();
    terms_.clear();
    is_partial_ = false;
  } else {
    forget_upto(start.before.index);
  }
}

void group_log::forget_upto(log_index index) {
  const auto kept = std::find_if(places_.begin(), places_.end(), [&](const auto& each) { return each.last() > index; });
  places_.erase(places_.begin(), kept);
  if (places_.empty()) {
    terms_.clear();
    return;
  }
  const auto behind = std::upper_bound(terms_.begin(), terms_.end(), index.next(),
                                       [](log_index i, const term_run& run) { return i < run.first; });
  if (behind == terms_.begin())
    return;
  terms_.erase(terms_.begin(), std::prev(behind));
  terms_.front().first = std::max(terms_.front().first, index.next());
}

bool group_log::complete() {
  const auto is_whole = places_.empty() || places_.front().first <= start_.before.index.next();
  is_partial_ = is_partial_ && !is_whole;
  return is_whole;
}

std::vector<record_place> group_log::locate(log_index first, log_index last, std::size_t max_bytes) const {
  TROUPE_ASSERT(start_.before.index < first && first <= last && last <= this->last(), "the range is in the log");
  auto at = std::prev(std::upper_bound(places_.begin(), places_.end(), first,
                                       [](log_index i, const record_place& place) { return i < place.first; }));
  std::vector<record_place> found;
  std::size_t bytes = 0;
  for (; at != places_.end() && at->first <= last && (found.empty() || bytes + at->payload_bytes <= max_bytes); ++at) {
    found.push_back(*at);
    bytes += at->payload_bytes;
  }
  return found;
}

} // namespace troupe
