#include "persistence/new_beginning.hpp"

#include <algorithm>

namespace troupe {

std::optional<log_start> new_beginning(const group_log& left, const found_snapshots& found, term_number remembered) {
  if (found.whole.empty() && found.damaged.empty())
    return std::nullopt;
  // A snapshot can be durable before the term it was made in: its node was not in that term.
  const auto newest = std::find_if(found.whole.rbegin(), found.whole.rend(),
                                   [&](const snapshot_mark& each) { return each.at.term <= remembered; });
  if (newest == found.whole.rend())
    return log_start{};
  return log_start{newest->at, newest->time, std::min(left.start().oldest_snapshot, newest->at.index)};
}

bool lacks_damaged_snapshot(const group_log& left, const found_snapshots& found) {
  const auto begins_behind = left.start().before.index;
  return begins_behind > log_index{} && !has_needed(found.whole, begins_behind) && !found.damaged.empty();
}

} // namespace troupe
