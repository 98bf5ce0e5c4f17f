/// \file
/// What a store should hold after a series of writes, and what a loss of power may leave of the last one.
#pragma once

#include "troupe/storage.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe::conformance {

/// An entry with all that a store must give back of it. Its index is its place.
struct entry_image {
  term_number term;
  std::int64_t leader_time = 0;
  entry_kind kind = entry_kind::command;
  std::string content;

  friend bool operator==(const entry_image&, const entry_image&) = default;
};

/// A snapshot that was finished.
struct snapshot_image {
  snapshot_mark mark;
  std::string content;

  friend bool operator==(const snapshot_image&, const snapshot_image&) = default;
};

/// A group: its vote, its log from behind its start on, and its snapshots by index.
struct group_image {
  hard_state vote;
  log_start start;
  std::vector<entry_image> entries;
  std::map<log_index, snapshot_image> snapshots;

  [[nodiscard]] log_index first() const { return start.before.index.next(); }
  [[nodiscard]] log_index last() const { return start.before.index + entries.size(); }
  [[nodiscard]] const entry_image& at(log_index index) const { return entries[index - first()]; }
  /// Has the log, its start included, an entry of that term at that index?
  [[nodiscard]] bool has(const log_position& position) const;
  friend bool operator==(const group_image&, const group_image&) = default;
};

using store_image = std::map<group_id, group_image>;

/// Carries out one write, which must be of that group. A start lets snapshots go that are not needed any more.
void perform(group_image& group, const log_write& write);
void perform(store_image& all, const std::vector<log_write>& writes);

/// The runs of equal terms, as `recovered_group::terms` has them.
[[nodiscard]] std::vector<term_run> runs_of(const group_image& group);

/// Bytes of the entries from `first` to `last` as a payload has them.
[[nodiscard]] std::size_t payload_bytes(const group_image& group, log_index first, log_index last);

/// May a loss of power have left `found` of a group that was `before`, while `under_way` was being written? Allowed is
/// any beginning of its writes, cut between their parts (hard state, start, truncation, entries) or between entries;
/// and votes may be ahead of the log, but never behind it: no entry is there without the term it was written under.
[[nodiscard]] bool may_remain(const group_image& before, const std::vector<log_write>& under_way, group_id group,
                              const group_image& found);

/// The first difference, in words; empty if there is none.
[[nodiscard]] std::string difference(const group_image& expected, const group_image& found);

/// "term 3, vote for 2".
[[nodiscard]] std::string words_of(const hard_state& vote);
/// "entry of term 3, time 20, kind 1, 5 bytes 68656c6c6f".
[[nodiscard]] std::string words_of(const entry_image& entry);
[[nodiscard]] std::string words_of(const std::vector<term_run>& runs);
/// "behind index 9 of term 2, time 90, oldest snapshot 9".
[[nodiscard]] std::string words_of(const log_start& start);
/// "index 9 of term 2, time 90, 100 bytes".
[[nodiscard]] std::string words_of(const snapshot_mark& mark);

} // namespace troupe::conformance
