/// \file
/// Looks at a node's data directory without touching it: what would a start find, and what lies there record by record.
/// Takes no lock and writes nothing, so it works on damaged directories, and beside a running node.
#pragma once

#include "persistence/file_system.hpp"

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What a start would make of a data directory; from good to bad.
enum class log_verdict {
  intact,  ///< All is as it was written.
  torn,    ///< A write that a crash cut short would be undone. Nothing is lost that anybody was told of.
  suspect, ///< Refused: no crash leaves it like this, and nothing tells whether what is bad had been durable.
  corrupt, ///< Refused, or repaired by other means: something durable is lost or changed.
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

/// What was found.
struct log_inspection {
  log_verdict verdict = log_verdict::intact;
  /// Records that were read and believed.
  std::uint64_t records = 0;
  std::vector<log_problem> problems;
};

/// Reads all of a data directory as a start would: identity, log, votes, hint, snapshots. If a node is at work in it,
/// what changed meanwhile is read again.
[[nodiscard]] log_inspection verify_log(file_system& files, const std::string& data_directory);

/// Prints a line for each record of the log, believed or not, for each group's vote and for the hint, as far as any of
/// it can be read; goes on behind damage. Returns whether none was met.
bool dump_log(file_system& files, const std::string& data_directory, std::ostream& out);

} // namespace troupe
