/// \file
/// What a peer asks of a store: the seam above Troupe's own log, so that a foreign store can take its place.
#pragma once

#include "troupe/entry.hpp"
#include "troupe/types.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// One write of one group. Its parts take effect together in this order: hard state, truncation, entries.
struct log_write {
  group_id group;
  std::optional<hard_state> vote;
  /// Entries from here on are void; never at or below the commit index.
  std::optional<log_index> truncate_from;
  /// Consecutive, beginning behind the (truncated) log's last entry.
  std::vector<entry_batch> append;
};

/// A run of entries of one term: where it begins.
struct term_run {
  log_index first;
  term_number term;
  friend bool operator==(const term_run&, const term_run&) = default;
};

/// What a store remembers of a group.
struct recovered_group {
  hard_state vote;
  /// Terms of the whole log, run by run, in order; empty for an empty log.
  std::vector<term_run> terms;
  log_index last;
  /// The newest entries, consecutive up to `last`, about as many bytes as asked for; older ones come by `plan_read`.
  std::vector<entry_batch> tail;
};

/// Which entries to read back.
struct log_range {
  group_id group;
  log_index first;
  log_index last; ///< Included.
  std::size_t max_bytes;
};

/// Reads entries; may run on another thread than the store's. Returns consecutive batches from `first` on, at least one
/// entry, up to about `max_bytes`. Throws if the entries cannot be read back intact.
using read_plan = std::function<std::vector<entry_batch>()>;

/// Work off the write path, such as preparing the next segment; may run on another thread than the store's. Throws if
/// it fails.
using chore = std::function<void()>;

/// A durable store for the logs of one or more groups. Every call comes from one thread (the persister's).
///
/// Durability: when `submit`'s completion is called, everything in it, and in every write before it, survives a crash
/// of process and machine. A store that cannot keep the promise calls nothing and throws: the node then ends.
class storage {
public:
  virtual ~storage() = default;

  /// What the store holds of `group`, with at most about `tail_bytes` of its newest entries.
  [[nodiscard]] virtual recovered_group recover(group_id group, std::size_t tail_bytes) = 0;

  /// Makes `writes` durable, all at the cost of one sync, and then calls `done` once. May return before that, and call
  /// `done` from any thread; the caller does not submit again before.
  virtual void submit(std::vector<log_write> writes, std::function<void()> done) = 0;

  /// A way to read back part of what was submitted.
  [[nodiscard]] virtual read_plan plan_read(const log_range& range) = 0;

  /// The next chore, if one is due; asked for after each submit. One at a time: the next only after `chore_done`.
  [[nodiscard]] virtual std::optional<chore> next_chore() { return std::nullopt; }
  virtual void chore_done() {}
};

} // namespace troupe
