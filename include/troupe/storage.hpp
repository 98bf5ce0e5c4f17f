/// \file
/// What a peer asks of a store: the seam above Troupe's own log, so that a foreign store can take its place.
#pragma once

#include "troupe/entry.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Where a log begins: behind a position whose entry, and all before it, a snapshot stands for (paper §7).
struct log_start {
  /// The last entry that is forgotten; index 0, term 0: none is.
  log_position before;
  /// Log time of that entry; see `entry_batch::leader_time`.
  std::int64_t time = 0;
  /// Snapshots below this index are not needed any more. Never above `before.index` plus what the log still has, and
  /// never above the newest snapshot.
  log_index oldest_snapshot;
  friend bool operator==(const log_start&, const log_start&) = default;
};

/// A snapshot, as a store knows it: what its content means is the peer's business.
struct snapshot_mark {
  /// The last entry whose effect is in it.
  log_position at;
  /// Log time of that entry.
  std::int64_t time = 0;
  std::uint64_t size_bytes = 0; ///< Of the content.
  friend bool operator==(const snapshot_mark&, const snapshot_mark&) = default;
};

/// One write of one group. Its parts take effect together in this order: hard state, start, truncation, entries.
struct log_write {
  group_id group;
  std::optional<hard_state> vote;
  /// Entries from here on are void; never at or below the commit index.
  std::optional<log_index> truncate_from;
  /// Consecutive, beginning behind the (truncated) log's last entry.
  std::vector<entry_batch> append;
  /// The log begins behind this position from now on: entries up to it are forgotten. If the log has no entry of that
  /// term at that index, or never had, all its entries are void: it is empty, and goes on behind the position. Never
  /// moves back. A snapshot that stands for what is forgotten is durable already.
  std::optional<log_start> start = {};
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
  log_start start;
  /// Snapshots that were read back whole, oldest first; none below `start.oldest_snapshot`, unless there is no other.
  /// The newest may be beyond the log's last entry, or of a term that the log does not have there: power went while it
  /// took the log's place.
  std::vector<snapshot_mark> snapshots;
  /// Terms of the whole log behind `start`, run by run, in order; empty for an empty log.
  std::vector<term_run> terms;
  /// `start.before.index` for an empty log.
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

/// A snapshot that is being written. Used by one thread at a time, not the store's.
class snapshot_sink {
public:
  /// Without `finish`: nothing is left of it.
  virtual ~snapshot_sink() = default;

  /// Adds to the content. Throws if it fails; `out_of_space` if for lack of room.
  virtual void append(std::string_view bytes) = 0;

  /// Makes the snapshot durable, and only then one that `recover` and `plan_snapshot_read` know. Nothing may be
  /// appended after.
  virtual void finish() = 0;
};

/// A snapshot that is read. Used by one thread at a time, not the store's. Stays readable when the snapshot is removed
/// meanwhile.
class snapshot_reader {
public:
  virtual ~snapshot_reader() = default;
  [[nodiscard]] virtual const snapshot_mark& mark() const = 0;

  /// The content from `offset` on: `max_bytes` (at least one), fewer only at the end. Throws if it does not read back
  /// intact: what this returns can be trusted.
  [[nodiscard]] virtual std::string read(std::uint64_t offset, std::size_t max_bytes) = 0;
};

/// Opens a snapshot for writing; run it on another thread than the store's, as long as the store lives.
using snapshot_write_plan = std::function<std::unique_ptr<snapshot_sink>()>;

/// Opens a snapshot for reading, likewise. Throws if it is not there, or its head cannot be trusted.
using snapshot_read_plan = std::function<std::unique_ptr<snapshot_reader>()>;

/// There is no room for a write that can be tried again: a state, not a failure. Thrown by snapshot sinks only.
class out_of_space : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

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

  /// The next chore, if one is due; asked for after each submit, and, while the store is full, twice a second. One at a
  /// time: the next only after `chore_done`.
  [[nodiscard]] virtual std::optional<chore> next_chore() { return std::nullopt; }
  virtual void chore_done() {}

  /// Whether this store keeps snapshots. If not, logs only grow, and the rest of this is never called.
  [[nodiscard]] virtual bool keeps_snapshots() const { return false; }

  /// A way to write a snapshot of `group` at `at` (its size is not known yet, and left out). One that is there already
  /// is replaced. Several may be under way, of several groups; of one group, one.
  [[nodiscard]] virtual snapshot_write_plan plan_snapshot(group_id group, const snapshot_mark& at);

  /// A way to read the group's snapshot at `index`.
  [[nodiscard]] virtual snapshot_read_plan plan_snapshot_read(group_id group, log_index index);

  /// Whether the disk is so full that commands should not be appended any more. What was submitted is unharmed, though
  /// it may not complete before there is room again; votes in it are durable all the same. Asked after each
  /// completion and chore.
  [[nodiscard]] virtual bool is_full() const { return false; }

  /// No submit is under way and none has come for some milliseconds: time for what may wait for that. Returns work for
  /// another thread, like a chore, that nobody waits for; asked once per pause.
  [[nodiscard]] virtual std::optional<chore> when_idle() { return std::nullopt; }
};

} // namespace troupe
