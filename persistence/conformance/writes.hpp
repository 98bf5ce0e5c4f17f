/// \file
/// Writes in one line.
#pragma once

#include "troupe/storage.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace troupe::conformance {

/// One entry to be.
struct draft {
  std::string content;
  entry_kind kind = entry_kind::command;
};

[[nodiscard]] inline hard_state vote(std::uint64_t term, std::uint64_t candidate = 0) {
  return {term_number{term}, peer_id{candidate}};
}

/// A batch of the given entries. Its time follows from its first index unless it is given.
[[nodiscard]] inline entry_batch batch(std::uint64_t term, std::uint64_t first, const std::vector<draft>& entries,
                                       std::int64_t leader_time) {
  entry_block_builder builder;
  for (const auto& each : entries)
    builder.add(each.kind, each.content);
  return entry_batch::stamp(builder.take(), term_number{term}, log_index{first}, leader_time);
}

[[nodiscard]] inline entry_batch batch(std::uint64_t term, std::uint64_t first, const std::vector<draft>& entries) {
  return batch(term, first, entries, static_cast<std::int64_t>(first) * 1000 + 1);
}

/// A batch of `count` entries of one term, each with a content of its own of `bytes` bytes or a little more.
[[nodiscard]] inline entry_batch filler(std::uint64_t term, std::uint64_t first, std::uint64_t count,
                                        std::size_t bytes) {
  std::vector<draft> entries;
  for (auto index = first; index < first + count; ++index) {
    auto text = std::to_string(term) + "/" + std::to_string(index) + ":";
    if (text.size() < bytes)
      text.append(bytes - text.size(), static_cast<char>('a' + index % 26));
    entries.push_back({std::move(text)});
  }
  return batch(term, first, entries);
}

[[nodiscard]] inline log_write voting(group_id group, hard_state state) {
  return {group, state, std::nullopt, {}};
}

[[nodiscard]] inline log_write appending(group_id group, std::vector<entry_batch> batches) {
  return {group, std::nullopt, std::nullopt, std::move(batches)};
}

[[nodiscard]] inline log_write truncating(group_id group, std::uint64_t from, std::vector<entry_batch> batches = {}) {
  return {group, std::nullopt, log_index{from}, std::move(batches)};
}

/// Where a snapshot is: its time is that of `batch` and `filler`, if its entry is the first of one.
[[nodiscard]] inline snapshot_mark mark_at(std::uint64_t term, std::uint64_t index) {
  return {{term_number{term}, log_index{index}}, static_cast<std::int64_t>(index) * 1000 + 1, 0};
}

[[nodiscard]] inline log_start behind(const snapshot_mark& mark, std::uint64_t oldest_snapshot) {
  return {mark.at, mark.time, log_index{oldest_snapshot}};
}

[[nodiscard]] inline log_write starting(group_id group, const log_start& start) {
  return {group, std::nullopt, std::nullopt, {}, start};
}

/// Bytes that show where they are from: no two pieces of it are alike, and no other number's.
[[nodiscard]] inline std::string snapshot_text(std::uint64_t number, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes)
    text += std::to_string(number) + "@" + std::to_string(text.size()) + std::string(1 + text.size() % 3, '\0');
  text.resize(bytes);
  return text;
}

} // namespace troupe::conformance
