/// \file
/// What may be believed of a log after a crash: the walk over its segments, and the verdict on the first bad record.
#pragma once

#include "persistence/file_system.hpp"
#include "persistence/group_log.hpp"
#include "persistence/segment.hpp"
#include "persistence/snapshot_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// The end of a log: where the next record goes, and what it must continue.
struct log_end {
  segment_header segment;
  std::uint64_t offset = segment_header_bytes;
  std::uint64_t next_sequence = 1;
  std::uint32_t chain = 0;
};

/// A write that a crash cut short, and that was therefore undone: nobody had been told of it.
struct torn_tail {
  std::string file;
  std::uint64_t offset = 0;
  /// The first record that is not whole.
  std::uint64_t sequence = 0;
  /// Bytes set back to zero, from `offset` on.
  std::uint64_t bytes = 0;
  std::string why;
};

/// What recovery found and did.
struct recovery_report {
  bool created = false;
  std::size_t segments = 0;
  std::uint64_t records = 0;
  /// Bytes of records and headers; what is prewritten does not count.
  std::uint64_t bytes = 0;
  std::optional<torn_tail> cut;
  /// Unfinished files that were removed.
  std::vector<std::string> removed;
  /// Copies of votes that a crash or damage left bad or old, rewritten from their twin.
  std::size_t healed_votes = 0;
  /// Snapshots that cannot be used, and are left as they are. The log reaches back to an older one.
  std::vector<unusable_snapshot> damaged_snapshots;
};

/// A log that was read.
struct recovered_log {
  std::unordered_map<group_id, group_log> groups;
  /// Nothing if the directory has no segment.
  std::optional<log_end> end;
  std::unordered_map<std::uint32_t, std::uint32_t> salts;
  recovery_report report;
};

/// Reads every record of the log in `directory`, and undoes a torn last write: zeros over it, synced.
///
/// Records are believed as long as each continues the one before. At the first that is not whole:
///   - it lies before another used segment, or a later record says it was synced: damage;
///   - a sector of it was never written (all zero), or from some byte within it on everything is zero: a torn write,
///     which nobody was told about. It and what is behind it is undone;
///   - else: no torn write looks like this. Damage.
/// Damage is a `storage_error` that names file, offset and sequence; nothing is changed then.
///
/// What this cannot see, because nothing durable behind it speaks of it: a whole sector of zeros, or zeros up to the
/// end, in the very last synced batch; and last segments that are gone without a trace.
[[nodiscard]] recovered_log recover_log(file_system& files, const std::string& directory, const disk_identity& owner);

} // namespace troupe
