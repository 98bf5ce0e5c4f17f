/// \file
/// Where a log goes on: the segment in use, and the records on their way into it.
///
/// A record gets its lsn, its place in the chain and its place in the segment when it is added. It is in the file after
/// the next `flush`, in one gathered write with those before, and durable after the next `sync`.
#pragma once

#include "persistence/file_system.hpp"
#include "persistence/group_log.hpp"
#include "persistence/record.hpp"
#include "persistence/recovery.hpp"
#include "troupe/storage.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe {

class log_tail {
public:
  /// Goes on at `end` of a segment in which all before it is durable.
  void take_up(const log_end& end, std::unique_ptr<file> segment);

  /// Goes on in a new segment, behind its header. Nothing may be pending.
  void enter(const segment_header& header, std::unique_ptr<file> segment);

  [[nodiscard]] const log_end& end() const { return end_; }
  /// The segment it goes on in.
  [[nodiscard]] const segment_header& segment() const { return end_.segment; }

  /// Does a record of so many bytes fit behind what is there?
  [[nodiscard]] bool has_room(std::uint64_t record_bytes) const {
    return end_.offset + record_bytes <= end_.segment.size_bytes;
  }

  /// Would one more record not fit into a gathered write? Then `flush` comes first, and not within a record: recovery
  /// relies on a sector holding all of its share of a record, or none.
  [[nodiscard]] bool must_flush() const;

  /// Adds a record, for which there must be room. Fills in what follows from its place; `payload` must stay until the
  /// next `flush`.
  record_place add(record_header header, std::string_view payload);

  /// Adds the record of a start; of `header` the group and whether it voids count.
  record_place add(const log_start& start, record_header header);

  /// Are there records that the file does not have?
  [[nodiscard]] bool has_pending() const { return !pending_parts_.empty(); }
  void flush();

  /// Was the segment written since its last sync?
  [[nodiscard]] bool is_unsynced() const { return unsynced_; }
  void sync();

  /// The highest lsn known to be durable.
  [[nodiscard]] std::uint64_t synced_upto() const { return synced_upto_; }

private:
  log_end end_;
  std::unique_ptr<file> segment_;
  bool unsynced_ = false;
  std::uint64_t synced_upto_ = 0;
  /// Records that the file does not have begin here in the segment.
  std::uint64_t pending_at_ = segment_header_bytes;
  std::deque<std::array<char, record_header_bytes>> pending_headers_;
  std::deque<std::array<char, start_payload_bytes>> pending_starts_;
  std::vector<std::string_view> pending_parts_;
};

} // namespace troupe
