/// \file
/// A peer's log as the mind sees it: where it begins, every entry's term, and the newest entries themselves.
#pragma once

#include "troupe/entry.hpp"
#include "troupe/storage.hpp"

#include <deque>
#include <vector>

namespace troupe {

/// The replicated log (paper §5.3), 1-based. It begins behind its base, a position whose entry and all before it are
/// forgotten: a snapshot stands for them (paper §7). Keeps the terms of all entries, run by run, and a bounded window
/// of the newest batches; older entries are read back from disk by whoever needs them. Batches are immutable and
/// shared: what was handed out stays what it was, whatever happens to the log afterwards (N23, N24).
class raft_log {
public:
  raft_log() = default;

  /// Continues where a store left off.
  explicit raft_log(const recovered_group& recovered);

  /// The position this log begins behind; the sentinel if nothing is forgotten.
  [[nodiscard]] const log_position& base() const { return base_; }

  /// `base().index` for an empty log.
  [[nodiscard]] log_index last_index() const { return last_; }
  [[nodiscard]] log_position last_position() const { return {term_at(last_), last_}; }

  /// The term of the entry at `index`, which must be neither past the end nor before the base; term 0 for index 0.
  [[nodiscard]] term_number term_at(log_index index) const;

  /// The first index, behind the base, of the run of equal terms that `index` (behind the base, not past the end) lies
  /// in.
  [[nodiscard]] log_index first_of_run(log_index index) const;

  /// Whether the log has an entry (or its base) of that term at that index.
  [[nodiscard]] bool has(log_position position) const {
    return base_.index <= position.index && position.index <= last_ && term_at(position.index) == position.term;
  }

  /// Whether this log agrees with a leader's up to that position of the leader's: what is forgotten was committed, and
  /// every leader has it (Leader Completeness).
  [[nodiscard]] bool agrees_at(log_position position) const { return position.index <= base_.index || has(position); }

  /// The latest log time of any entry this log has held; a new entry's must not be before it. See
  /// entry_batch::leader_time.
  [[nodiscard]] std::int64_t last_time() const { return last_time_; }

  /// Adds a batch right behind the last entry; its term must not be below the last one's.
  void append(entry_batch batch);

  /// Drops all entries from `from` on. The caller has asserted that none of them is committed (N21).
  void truncate_from(log_index from);

  /// Forgets the entries up to `base`, which the log must have.
  void forget_up_to(log_position base);

  /// Forgets everything: the log goes on, empty, behind `base`. `time` is the log time there.
  void begin_behind(log_position base, std::int64_t time);

  /// Whether the entry at `index` can be had from memory.
  [[nodiscard]] bool in_window(log_index index) const;

  /// Entries from `from` (in the window) to `to` at most, about `max_bytes` of them but at least one.
  [[nodiscard]] std::vector<entry_batch> entries(log_index from, log_index to, std::size_t max_bytes) const;

  /// Lets go of the oldest batches while the window is larger than `max_bytes`, but of none with an entry at or after
  /// `keep_from`.
  void trim(std::size_t max_bytes, log_index keep_from);

  [[nodiscard]] std::size_t window_bytes() const { return window_bytes_; }

private:
  /// For an assertion: what is asked for, and what there is.
  [[nodiscard]] std::string in_words(log_index asked) const;

  [[nodiscard]] std::deque<entry_batch>::const_iterator batch_of(log_index index) const;

  log_position base_;
  std::vector<term_run> runs_;
  std::deque<entry_batch> window_;
  std::size_t window_bytes_ = 0;
  log_index last_;
  std::int64_t last_time_ = 0;
};

} // namespace troupe
