/// \file
/// Looks at a node's data directory without touching it: what would a start make of it? Takes no lock and writes
/// nothing, so it works on damaged directories, and beside a running node. What lies there record by record:
/// log_dump.hpp.
#pragma once

#include "persistence/file_system.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What a start would make of a data directory; from good to bad. It succeeds with the first two. Of what it refuses
/// otherwise, it keeps the good part where bits of records went bad and others can repair the rest (loss.hpp).
enum class log_verdict {
  intact, ///< All is as it was written.
  /// Not all is, and a start makes up for it; nothing is lost that anybody was told of. It undoes a write that a crash
  /// cut short, rewrites a bad copy of votes or hint from the other, passes over a snapshot that it can do without.
  torn,
  suspect, ///< No crash leaves it like this, and nothing tells whether what is bad had been durable.
  corrupt, ///< Something durable is lost or changed, or is not this node's.
};

[[nodiscard]] std::string to_string(log_verdict verdict);

/// Something that is not as it was written.
struct log_problem {
  std::string file;
  /// In the file; nothing if all of it is meant.
  std::optional<std::uint64_t> offset;
  /// Of the first record concerned, if it is about records.
  std::optional<std::uint64_t> lsn;
  std::string reason;
};

/// A snapshot file that is there.
struct inspected_snapshot {
  std::string file;
  group_id group;
  log_position at;
  /// Of the file: content, and what surrounds it.
  std::uint64_t bytes = 0;
  /// Why it cannot be used; nothing if it is good.
  std::optional<log_problem> problem;
};

/// A group that has lost something of its log, and has no say until a leader has repaired it.
struct inspected_loss {
  group_id group;
  /// `hard_state::lost`.
  std::uint64_t number = 0;
};

/// What was found.
struct log_inspection {
  log_verdict verdict = log_verdict::intact;
  /// Records that were read and believed: all of them, or those before the first that is bad or missing.
  std::uint64_t records = 0;
  /// By group, oldest first.
  std::vector<inspected_snapshot> snapshots;
  /// None if and only if the verdict is intact.
  std::vector<log_problem> problems;
  /// By group. They say nothing about what is there: of that nothing is wrong.
  std::vector<inspected_loss> losses;
};

/// Reads all of a data directory as a start would: identity, log, votes, hint, snapshots. If a node is at work in it,
/// what changed meanwhile is read again. Throws `io_error` if this user may not read it.
[[nodiscard]] log_inspection verify_log(file_system& files, const std::string& data_directory);

} // namespace troupe
