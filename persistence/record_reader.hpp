/// \file
/// Reads entries back from segments, believing nothing.
#pragma once

#include "persistence/file_system.hpp"
#include "persistence/group_log.hpp"
#include "troupe/storage.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// A segment that entries may be read from. It leaves the log only when nobody but the log holds this.
struct segment_in_use {
  std::uint32_t salt = 0;
};

/// A record to read, and what it must turn out to be.
struct wanted_record {
  record_place place;
  term_number term;
  /// Of its segment.
  std::uint32_t salt = 0;
};

/// What to read, resolved: needs nothing but the files any more, so any thread may carry it out.
struct resolved_read {
  std::string directory;
  group_id group;
  /// In order, consecutive, at least one.
  std::vector<wanted_record> records;
  /// As long as these live, the segments stay where they are.
  std::vector<std::shared_ptr<const segment_in_use>> segments;
  /// Both within the records.
  log_index first;
  log_index last;
  std::size_t max_bytes = 0;
};

/// Reads, verifies and cuts to the range. Throws `storage_error`, naming file and offset, if a record is not what was
/// asked for or does not match its checksums.
[[nodiscard]] std::vector<entry_batch> read_records(file_system& files, const resolved_read& what);

} // namespace troupe
