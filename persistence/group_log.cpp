#include "persistence/group_log.hpp"

#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

term_number group_log::term_at(log_index index) const {
  const auto behind = std::upper_bound(terms_.begin(), terms_.end(), index,
                                       [](log_index i, const term_run& run) { return i < run.first; });
  TROUPE_ASSERT(behind != terms_.begin() && index <= last(), "the entry is in the log");
  return std::prev(behind)->term;
}

void group_log::append(const record_place& place, term_number term) {
  TROUPE_ASSERT(continues_with(place.first, term), "entries are consecutive and terms never fall along the log");
  if (terms_.empty() || terms_.back().term != term)
    terms_.push_back({place.first, term});
  places_.push_back(place);
}

bool group_log::truncate(log_index from) {
  if (from > last())
    return false;
  while (!places_.empty() && places_.back().first >= from)
    places_.pop_back();
  if (!places_.empty() && places_.back().last() >= from)
    places_.back().count = static_cast<std::uint32_t>(from - places_.back().first);
  while (!terms_.empty() && terms_.back().first >= from)
    terms_.pop_back();
  return true;
}

std::vector<record_place> group_log::locate(log_index first, log_index last, std::size_t max_bytes) const {
  TROUPE_ASSERT(!places_.empty() && places_.front().first <= first && first <= last && last <= this->last(),
                "the range is in the log");
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
