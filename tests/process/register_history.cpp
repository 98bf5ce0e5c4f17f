#include "tests/process/register_history.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace troupe {

namespace {

// A write and its reads.
struct cluster_of_value {
  const register_operation* write = nullptr; // None for the emptiness a register begins with.
  bool is_refused = false;
  bool is_read = false;
  instant first_end = instant::max();
  instant last_begin = instant::min();

  // The register held the value from the first end to the last beginning.
  [[nodiscard]] bool is_forward() const { return first_end < last_begin; }
};

using values_of_key = std::map<std::string, cluster_of_value>;

std::string name(const std::string& key, const std::string& value) {
  return key + (value.empty() ? " empty" : " = " + value);
}

std::string milliseconds_between(instant from, instant to) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(to - from).count() / 1000.0) + " ms";
}

std::optional<std::string> add_write(values_of_key& values, const register_operation& write) {
  auto& own = values[write.value];
  if (own.write != nullptr || write.value.empty())
    return name(write.key, write.value) + " is written twice: this history cannot be judged";
  own.write = &write;
  own.is_refused = write.what == register_operation::kind::refused_write;
  own.last_begin = std::max(own.last_begin, write.asked);
  if (write.what == register_operation::kind::write)
    own.first_end = std::min(own.first_end, write.answered);
  return std::nullopt;
}

std::optional<std::string> add_read(values_of_key& values, const register_operation& read) {
  auto found = values.find(read.value);
  if (found == values.end())
    return name(read.key, read.value) + " is read and nobody wrote it";
  auto& own = found->second;
  if (own.is_refused)
    return name(read.key, read.value) + " is read, and its write was refused as certainly not carried out";
  if (own.write != nullptr && read.answered < own.write->asked)
    return name(read.key, read.value) + " is read " + milliseconds_between(read.answered, own.write->asked)
        + " before it is written";
  own.is_read = true;
  own.first_end = std::min(own.first_end, read.answered);
  own.last_begin = std::max(own.last_begin, read.asked);
  return std::nullopt;
}

std::optional<std::string> judge(const std::string& key, const values_of_key& values) {
  using item = std::pair<const std::string, cluster_of_value>;
  std::vector<const item*> forward;
  for (const auto& each : values)
    if (each.second.is_forward())
      forward.push_back(&each);
  std::sort(forward.begin(), forward.end(),
            [](const item* a, const item* b) { return a->second.first_end < b->second.first_end; });
  for (std::size_t i = 1; i < forward.size(); ++i)
    if (const auto& [held, other] = std::pair{forward[i - 1], forward[i]};
        other->second.first_end < held->second.last_begin)
      return name(key, held->first) + " and " + name(key, other->first) + " alternate: the first is still seen "
          + milliseconds_between(other->second.first_end, held->second.last_begin) + " after the second has been";
  // They do not overlap, so only the last that begins before another zone can hold it.
  for (const auto& [value, own] : values) {
    if (own.is_forward() || (own.write != nullptr && own.first_end == instant::max()))
      continue;
    auto after = std::upper_bound(forward.begin(), forward.end(), own.last_begin,
                                  [](instant at, const item* zone) { return at <= zone->second.first_end; });
    if (after == forward.begin())
      continue;
    const auto* held = *std::prev(after);
    if (own.first_end < held->second.last_begin)
      return name(key, value) + " is written or read while the register holds " + name(key, held->first)
          + " throughout";
  }
  return std::nullopt;
}

} // namespace

std::optional<std::string> find_violation(const std::vector<register_operation>& history) {
  using kind = register_operation::kind;
  std::map<std::string, values_of_key> keys;
  for (const auto& each : history) {
    auto& empty = keys[each.key][""];
    empty.first_end = instant::min();
    if (each.what != kind::read)
      if (auto wrong = add_write(keys[each.key], each))
        return wrong;
  }
  for (const auto& each : history)
    if (each.what == kind::read)
      if (auto wrong = add_read(keys[each.key], each))
        return wrong;
  for (const auto& [key, values] : keys)
    if (auto wrong = judge(key, values))
      return wrong;
  return std::nullopt;
}

} // namespace troupe
