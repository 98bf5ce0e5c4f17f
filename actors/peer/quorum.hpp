/// \file
/// What a quorum has (paper §5.2, §5.3; for joint consensus §6). Pure.
#pragma once

#include "troupe/configuration.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace troupe {

/// The largest value that at least a majority of `voters` has reached. `value_of` gives each voter's. `voters` must not
/// be empty.
template <class F>
[[nodiscard]] auto majority_value(const std::vector<peer_id>& voters, F&& value_of) {
  std::vector<decltype(value_of(peer_id{}))> values;
  values.reserve(voters.size());
  for (auto id : voters)
    values.push_back(value_of(id));
  // Sorted downward, the value at place n/2 is shared by n/2 + 1 voters at least.
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end(), std::greater<>{});
  return *middle;
}

/// The largest value that a quorum of the configuration has reached: a majority of each voter set.
template <class F>
[[nodiscard]] auto quorum_value(const configuration& members, F&& value_of) {
  auto value = majority_value(members.incoming, value_of);
  if (!members.outgoing.empty())
    value = std::min(value, majority_value(members.outgoing, value_of));
  return value;
}

/// Whether those for whom `has` holds form a quorum.
template <class F>
[[nodiscard]] bool is_quorum(const configuration& members, F&& has) {
  return quorum_value(members, [&](peer_id id) { return has(id) ? 1 : 0; }) == 1;
}

} // namespace troupe
