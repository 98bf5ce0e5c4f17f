/// \file
/// A record of the log, byte by byte (format version 1). All numbers are little-endian.
///
/// Header, 72 bytes:
///
///      0  u32  magic 54 52 52 4c ("TRRL")
///      4  u8   type: 1 entries, 2 truncation, 3 start
///      5  u8   flags: 1 (of a start): the log's entries so far are void, all of them; else 0
///      6  u16  0
///      8  u32  bytes of the payload
///     12  u32  group
///     16  u64  lsn: 1 for the first record of the log, then one more each, over all groups and segments
///     24  u64  synced up to: the highest lsn known to be durable when this record was written
///     32  u64  term          (truncation: 0; start: of the last entry that is forgotten)
///     40  u64  first index   (truncation: entries from here on are void; start: of the last entry that is forgotten)
///     48  i64  leader time   (truncation: 0; start: of the last entry that is forgotten)
///     56  u32  entries       (truncation, start: 0)
///     60  u32  checksum of the payload: the leader's own, CRC-32C of the payload alone (truncation: 0)
///     64  u32  chain: the header checksum of the record before; 0 for the first
///     68  u32  header checksum: CRC-32C of bytes 0 to 67, seeded with the segment's salt
///
/// Then the payload (of entries: see troupe/entry.hpp; of a start: u64, the index of the oldest snapshot that is
/// needed; of a truncation: none), then 4 to 11 bytes of 5a up to a multiple of 8: the trailer.
///
/// Why each part: the header checksum covers length and type, so nothing is allocated or skipped on the word of a
/// damaged length. The chain and the lsn refuse records that were dropped, doubled or moved. The salt refuses records
/// that an earlier use of the same disk blocks left behind; it is in no payload checksum, so a payload's
/// checksum is computed once in its life, by the leader. "Synced up to" lets any later record prove that an earlier one
/// was durable, which tells damage from a torn write. The trailer is never zero and what is behind the log's end always
/// is, so a write cut short shows.
#pragma once

#include "troupe/entry.hpp"
#include "troupe/storage.hpp"
#include "troupe/types.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe {

inline constexpr std::size_t record_header_bytes = 72;
inline constexpr std::size_t record_alignment = 8;

/// Numbers on disk; never changed.
enum class record_type : std::uint8_t { entries = 1, truncation = 2, start = 3 };

/// A record without its payload.
struct record_header {
  record_type type = record_type::entries;
  /// Of a start: whether it makes the log's entries so far void. Said, not left to be found out: once a prefix of the
  /// log is gone, nobody could.
  bool voids = false;
  group_id group;
  std::uint32_t payload_bytes = 0;
  std::uint64_t lsn = 0;
  std::uint64_t synced_upto = 0;
  term_number term;
  log_index first;
  std::int64_t leader_time = 0;
  std::uint32_t count = 0;
  std::uint32_t payload_checksum = 0;
  std::uint32_t chain = 0;
};

/// A header read back, and its checksum: the chain of the record behind it.
struct decoded_header {
  record_header header;
  std::uint32_t checksum;
};

/// Writes the 72 bytes; returns the header checksum.
std::uint32_t encode_header(const record_header& header, std::uint32_t salt, char* into);

/// Reads a header from the first 72 bytes; nothing if they are fewer, or if magic or checksum are wrong.
[[nodiscard]] std::optional<decoded_header> decode_header(std::string_view bytes, std::uint32_t salt);

/// Bytes of a whole record with a payload of that size.
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t payload_bytes) {
  const auto end = record_header_bytes + payload_bytes + 4;
  return (end + record_alignment - 1) / record_alignment * record_alignment;
}

/// The trailer of a record with a payload of that size.
[[nodiscard]] std::string_view trailer_of(std::size_t payload_bytes);

inline constexpr std::size_t start_payload_bytes = 8;

/// What a start record carries behind its header; `header` gets the rest.
[[nodiscard]] std::array<char, start_payload_bytes> encode_start(const log_start& start, record_header& header);

/// The start in a start record; nothing if the payload does not match it.
[[nodiscard]] std::optional<log_start> start_of(const record_header& header, std::string_view payload);

/// The batch in an entries record; nothing if the payload does not match it.
[[nodiscard]] std::optional<entry_batch> batch_of(const record_header& header, shared_bytes payload);

} // namespace troupe
