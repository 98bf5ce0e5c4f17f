/// \file
/// What may be believed of a log after a crash: the walk over its segments, and the verdict on the first bad record.
#pragma once

#include "persistence/file_system.hpp"
#include "persistence/group_log.hpp"
#include "persistence/hint_file.hpp"
#include "persistence/segment.hpp"
#include "persistence/snapshot_store.hpp"
#include "persistence/vote_file.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// The end of a log: where the next record goes, and what it must continue.
struct log_end {
  segment_header segment;
  std::uint64_t offset = segment_header_bytes;
  std::uint64_t next_lsn = 1;
  std::uint32_t chain = 0;
};

/// A write that a crash cut short, and that is therefore undone: nobody had been told of it.
struct torn_tail {
  std::string file;
  std::uint64_t offset = 0;
  /// The first record that is not whole.
  std::uint64_t lsn = 0;
  /// Bytes to be set back to zero, from `offset` on.
  std::uint64_t bytes = 0;
  std::string why;
};

/// What was damaged, and is cut off: it may have been acknowledged.
struct lost_tail {
  explicit lost_tail(storage_error why) : cause{std::move(why)} {}

  /// What a start without this would have been refused for: file, offset, records and reason.
  storage_error cause;
  /// Groups of whose log what is left is none: its beginning was behind the damage.
  std::vector<group_id> without_beginning;

  /// What was done about it, once it is: the number of the loss,
  std::uint64_t loss = 0;
  /// names of what was set aside,
  std::vector<std::string> set_aside;
  /// and whether there was no room for a copy of the segment with the damage, whose end is overwritten.
  bool lacks_copy = false;
};

/// What recovery found, and then did.
struct recovery_report {
  bool created = false;
  std::size_t segments = 0;
  std::uint64_t records = 0;
  /// Bytes of records and headers; what is prewritten does not count.
  std::uint64_t bytes = 0;
  std::optional<torn_tail> cut;
  std::optional<lost_tail> lost;
  /// For a loss: groups whose log begins anew, and behind which index; 0: it is new.
  std::map<group_id, log_index> begun_anew;
  /// Files to be removed: unfinished, or out of the log.
  std::vector<std::string> removed;
  /// Copies of votes that a crash or damage left bad or old, rewritten from their twin.
  std::size_t healed_votes = 0;
  /// The same for the hint.
  std::size_t healed_hints = 0;
  /// Snapshots that cannot be used, and are left as they are. The log reaches back to an older one.
  std::vector<unusable_snapshot> damaged_snapshots;
};

/// A log that was read.
struct recovered_log {
  std::unordered_map<group_id, group_log> groups;
  /// Nothing if the log has no segment.
  std::optional<log_end> end;
  /// Salts of the segments, by their numbers.
  std::map<std::uint32_t, std::uint32_t> salts;
  std::optional<found_hint> hint;
  /// Segments behind the end that are cut off, and are to be set aside.
  std::vector<std::uint32_t> leaving;
  recovery_report report;
};

/// Reads every record of the log in `directory`. Changes nothing.
///
/// Records are believed as long as each continues the one before, in its place, over all segments from the first that
/// the hint names to the last. Let D be the highest lsn that is known to have been durable: by the hint, by a
/// "synced up to" in any intact record, or by the header of a later segment. At the first record that is not whole,
/// lsn k:
///
///   - k <= D: CORRUPT. It was durable, and perhaps acknowledged.
///   - k > D, and a sector of it was never written (all zero), or from some byte within it on everything is zero: TORN.
///     A write that a crash cut short; nobody was told of it. It and what is behind it is to be undone: `report.cut`.
///   - k > D otherwise: SUSPECT. No torn write looks like this.
///
/// A log that ends cleanly below D is CORRUPT, too; so are a segment that is missing, has another size than its header
/// says or is not what its name says, and a missing hint. CORRUPT and SUSPECT are a `storage_error` that names the
/// file, the offset and the records concerned, by their lsn.
///
/// What this cannot see, because nothing durable speaks of it: a whole sector of zeros, or zeros up to the end, in what
/// was synced after the hint was synced last. That is at most some milliseconds of work, or 64 syncs, and only if the
/// power went as well: else the hint is never behind.
[[nodiscard]] recovered_log read_log(file_system& files, const std::string& directory, const disk_identity& owner);

/// Reads what `read_log` refuses, for `cause`, up to the first record that is bad or missing, and says so in
/// `report.lost`. Changes nothing. `may_be_draft`: a start that was cut short may have left the segment with the damage
/// as what it was to become. Throws `storage_error` if the log cannot end there: its first segment has no header, or
/// another is missing, or is not what its name says.
[[nodiscard]] recovered_log read_good_part(file_system& files, const std::string& directory, const disk_identity& owner,
                                           const storage_error& cause, bool may_be_draft);

/// Records from the log's beginning up to the first that is bad or missing: how far a log is good that `read_log`
/// refuses. The beginning is where the hint says; without one, what is there.
[[nodiscard]] std::uint64_t count_good_records(file_system& files, const std::string& directory,
                                               const disk_identity& owner);

/// Does to the disk what reading the log has found to be done: puts zeros over a torn last write, synced, and removes
/// files that an earlier process left unfinished, or that had left the log.
void repair_log(file_system& files, const std::string& directory, const recovered_log& log);

/// Throws if the log has an entry of a later term than the remembered one. Votes are synced before the entries of their
/// terms are written, so that proves that a term was lost.
void require_remembered_terms(const std::string& directory, const std::unordered_map<group_id, group_log>& groups,
                              const vote_file& votes);

} // namespace troupe
