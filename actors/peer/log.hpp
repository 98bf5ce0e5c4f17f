/// \file
/// A peer's log as the mind sees it: every entry's term, and the newest entries themselves.
#pragma once

#include "troupe/entry.hpp"
#include "troupe/storage.hpp"

#include <deque>
#include <vector>

namespace troupe {

/// The replicated log (paper §5.3), 1-based. Keeps the terms of all entries, run by run, and a bounded window of the
/// newest batches; older entries are read back from disk by whoever needs them. Batches are immutable and shared: what
/// was handed out stays what it was, whatever happens to the log afterwards (N23, N24).
class raft_log {
public:
  raft_log() = default;

  /// Continues where a store left off.
  explicit raft_log(const recovered_group& recovered);

  [[nodiscard]] log_index last_index() const { return last_; }
  [[nodiscard]] log_position last_position() const { return {term_at(last_), last_}; }

  /// The term of the entry at `index`, which must not be past the end; term 0 for index 0.
  [[nodiscard]] term_number term_at(log_index index) const;

  /// The first index of the run of equal terms that `index` (from 1 to last) lies in.
  [[nodiscard]] log_index first_of_run(log_index index) const;

  /// Whether the log has an entry (or the sentinel) of that term at that index.
  [[nodiscard]] bool has(log_position position) const {
    return position.index <= last_ && term_at(position.index) == position.term;
  }

  /// The latest log time of any entry this log has held; a new entry's must not be before it. See
  /// entry_batch::leader_time.
  [[nodiscard]] std::int64_t last_time() const { return last_time_; }

  /// Adds a batch right behind the last entry; its term must not be below the last one's.
  void append(entry_batch batch);

  /// Drops all entries from `from` on. The caller has asserted that none of them is committed (N21).
  void truncate_from(log_index from);

  /// Whether the entry at `index` can be had from memory.
  [[nodiscard]] bool in_window(log_index index) const;

  /// Entries from `from` (in the window) to `to` at most, about `max_bytes` of them but at least one.
  [[nodiscard]] std::vector<entry_batch> entries(log_index from, log_index to, std::size_t max_bytes) const;

  /// Lets go of the oldest batches while the window is larger than `max_bytes`, but of none with an entry at or after
  /// `keep_from`.
  void trim(std::size_t max_bytes, log_index keep_from);

  [[nodiscard]] std::size_t window_bytes() const { return window_bytes_; }

private:
  [[nodiscard]] std::deque<entry_batch>::const_iterator batch_of(log_index index) const;

  std::vector<term_run> runs_;
  std::deque<entry_batch> window_;
  std::size_t window_bytes_ = 0;
  log_index last_;
  std::int64_t last_time_ = 0;
};

} // namespace troupe
