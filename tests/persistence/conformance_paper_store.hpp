/// \file
/// A store on paper: keeps the contract of `storage` in memory, with a medium that loses power - and can be told to
/// break any one line of the contract.
#pragma once

#include "troupe/storage_conformance.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace troupe::test {

/// One thing that a store does wrong.
enum class flaw {
  none,
  begins_in_term_one,           ///< An unknown group has a term.
  forgets_the_candidate,        ///< Only the term is kept.
  keeps_the_first_vote,         ///< A vote is written once.
  drops_votes_beside_entries,   ///< A write with entries writes no vote.
  drops_entries_beside_votes,   ///< A write with a vote writes no entries.
  forgets_kinds,                ///< Every entry is a command.
  forgets_times,                ///< Every entry has time 0.
  ends_content_at_zero,         ///< Content is a C string.
  has_16_bit_sizes,             ///< Content is cut at 64 KiB.
  drops_empty_entries,          ///< An entry without content is no entry.
  does_not_join_runs,           ///< One term run per batch.
  keeps_truncated_runs,         ///< Term runs are not cut with their entries.
  gives_the_whole_tail,         ///< The tail has no bound.
  gives_no_tail,                ///< The tail is always empty.
  gives_the_head,               ///< The tail is the oldest entries.
  recovers_as_opened,           ///< `recover` answers with what was there when the store was opened.
  mixes_groups,                 ///< Group numbers have six bits.
  truncates_all_groups,         ///< A truncation hits every group.
  invents_an_entry,             ///< A group that has only voted has a term run.
  appends_without_truncating,   ///< A write with entries truncates nothing.
  forgets_lone_truncations,     ///< A truncation without entries is gone when the store is opened again.
  truncates_whole_batches,      ///< A truncation within a batch takes the batch.
  keeps_the_first_entry,        ///< Nothing can truncate entry 1.
  truncates_one_too_many,       ///< A truncation always takes an entry.
  truncates_first,              ///< All truncations of a submit come before its entries.
  tires_of_truncating,          ///< Only the first eight truncations count.
  reads_too_far,                ///< A read goes on to the end of its batch.
  reads_from_batch_start,       ///< A read begins where its batch begins.
  reads_with_the_last_term,     ///< A read stamps all entries with the log's last term.
  reads_without_bound,          ///< A read ignores `max_bytes`.
  reads_nothing_if_too_large,   ///< A read gives nothing if one entry exceeds `max_bytes`.
  reads_what_is_there_then,     ///< A plan looks only when it is run.
  reads_on_its_thread_only,     ///< A plan fails elsewhere.
  reads_into_one_buffer,        ///< Every read reuses the bytes of the one before.
  chore_loses_an_entry,         ///< A chore takes the last entry with it.
  loses_writes_beside_chores,   ///< What is submitted while a chore runs is forgotten.
  is_done_twice,                ///< `done` is called twice.
  is_not_done_for_nothing,      ///< `done` is not called for an empty submit.
  drops_what_is_under_way,      ///< `done` is called, then the store writes; closing drops it.
  never_syncs,                  ///< What is done is not durable.
  never_syncs_votes,            ///< Votes are not durable.
  never_syncs_truncations,      ///< Lone truncations are not durable.
  syncs_in_its_first_life_only, ///< Once opened again, it does not sync.
  writes_entries_before_votes,  ///< A crash can leave entries of an unknown term.
  writes_back_to_front,         ///< A crash can leave the end of a submit without its beginning.
  does_not_sync_what_it_found,  ///< What recovery found may still be lost.
  loses_long_zeros,             ///< An entry of more than 1,000 zeros is taken for the end of the log.
  ignores_starts,               ///< No entry is ever forgotten.
  starts_void_all,              ///< Every start empties the log.
  starts_at_whole_batches,      ///< A start within a batch takes the batch.
  tells_runs_from_one,          ///< The first term run begins at index 1, whatever is forgotten.
  empties_to_zero,              ///< An empty log has last index 0.
  starts_by_index_alone,        ///< A start keeps what is behind it, though the log has another term there.
  starts_need_entries,          ///< A start of a log without entries is ignored.
  truncations_move_starts,      ///< A log that is truncated down to its start begins at 1 again.
  starts_once,                  ///< Once a start is there, only its oldest snapshot moves.
  keeps_the_first_oldest,       ///< The oldest snapshot does not move alone.
  starts_last,                  ///< The start of a write comes behind its entries.
  starts_all_groups,            ///< A start hits every group.
  never_syncs_starts,           ///< Starts are not durable.
  writes_starts_late,           ///< A crash can leave a write but for its start.
  knows_unfinished_snapshots,   ///< A snapshot is known when something is appended.
  keeps_unfinished_snapshots,   ///< A snapshot that is let go counts as finished.
  overwrites_snapshots,         ///< The one before is gone when a replacement is begun.
  forgets_snapshot_times,       ///< Every snapshot has time 0.
  has_16_bit_snapshots,         ///< Their content is cut at 64 KiB.
  reads_snapshot_pages,         ///< A read of a snapshot ends at a multiple of 4,096.
  keeps_the_first_snapshot,     ///< What has been written is not replaced.
  gives_newest_first,           ///< Snapshots come in the wrong order.
  keeps_outdated_snapshots,     ///< A start removes none.
  removes_what_is_read,         ///< A reader finds nothing when its snapshot is removed.
  mixes_snapshots,              ///< Snapshots of all groups are one group's.
  drops_snapshots_ahead,        ///< What is beyond the log's end is not recovered.
  loses_overtaken_snapshots,    ///< A snapshot is forgotten if something is submitted meanwhile.
  never_syncs_snapshots,        ///< Finished snapshots are not durable.
  knows_snapshots_before_sync,  ///< A crash can leave half a snapshot.
};

/// A group on paper.
struct paper_group {
  hard_state vote;
  log_start start;
  std::vector<entry_batch> batches;
  /// Runs that a flaw keeps.
  std::vector<term_run> old_runs;

  [[nodiscard]] log_index last() const { return batches.empty() ? start.before.index : batches.back().last(); }
};

/// A snapshot on paper.
struct paper_snapshot {
  snapshot_mark mark;
  std::string content;
};

using paper_snapshots = std::map<group_id, std::map<log_index, paper_snapshot>>;

/// Where a paper store keeps things: what is durable, and writes that are not yet.
struct paper_medium {
  std::mutex guard;
  std::map<group_id, paper_group> durable;
  std::vector<log_write> unsynced;
  paper_snapshots snapshots;
  std::size_t submits = 0;
  /// Stores of another life write nothing.
  int life = 0;
  int openings = 0;
  std::size_t truncations = 0;
  std::optional<std::size_t> steps_left;
  std::mt19937_64 luck{1};
};

/// A place for paper stores with that flaw. With `elsewhere` they write and call `done` on another thread.
[[nodiscard]] storage_under_test paper_place(flaw broken, bool elsewhere = false);

} // namespace troupe::test
