/// \file
/// A segment: one file of the log, with a header and then records up to its declared size.
///
/// Files are called by their number in 16 hexadecimal digits and ".log". The first ever is number 1; those at the
/// beginning go when no group needs them any more, so the log is what lies from the first to the last that the file
/// `hint` names (hint_file.hpp), without gaps. The header takes 512 bytes (format version 1, little-endian):
///
///      0  char[8]  "TROUPLOG"
///      8  u32      format version: 1
///     12  u32      oldest format version a reader may know and still read this: 1
///     16  u32      bytes of the header: 512
///     20  u32      0
///     24  40 bytes owner (disk_identity.hpp)
///     64  u64      number of the segment
///     72  u64      bytes of the file. It has exactly these from its first day: another size is damage
///     80  u32      salt of the record headers in here
///     84  u32      chain: the header checksum of the last record of the segment before; 0 in the first
///     88  u64      lsn of the first record in here
///     96  zeros
///    508  u32      CRC-32C of bytes 0 to 507
///
/// Behind the last record there are zeros to the end of the file; room for all of it is set aside before the file gets
/// its name, so a full disk is met here and never within a record. A segment gets its name only after header and length
/// are durable, and a record only after its name is; and everything in the segments before is durable before that, and
/// its lsn and chain are in the header. So damage anywhere but at the end of the last segment cannot be a torn
/// write.
///
/// Beside the segments:
///
///     spare        the next segment: zeros, but for 512 bytes at the beginning that do not count
///     reserve      the same; becomes a segment only when the disk is full
///     retired-N    was segment N; being overwritten with zeros, or removed
///     damaged-N-*  cut off for loss N, and set aside (loss.hpp)
///     *.tmp        unfinished
#pragma once

#include "persistence/disk_identity.hpp"
#include "persistence/file_system.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

inline constexpr std::size_t segment_header_bytes = 512;
inline constexpr std::uint32_t log_format_version = 1;

inline constexpr std::size_t smallest_segment_bytes = std::size_t{4} << 10;
inline constexpr std::size_t largest_segment_bytes = std::size_t{1} << 30;

/// At least `bytes`, in whole blocks of a device, so that no two files share one: segments have such sizes.
[[nodiscard]] constexpr std::uint64_t whole_blocks(std::uint64_t bytes) {
  constexpr std::uint64_t block_bytes = 4096;
  return (bytes + block_bytes - 1) / block_bytes * block_bytes;
}

/// What a segment's header says.
struct segment_header {
  disk_identity owner;
  std::uint32_t number = 0;
  std::uint64_t size_bytes = 0;
  std::uint32_t salt = 0;
  /// The lsn of its first record.
  std::uint64_t first_lsn = 1;
  /// Header checksum of the record before; 0 if there is none.
  std::uint32_t chain = 0;
};

/// The header's 512 bytes.
[[nodiscard]] std::string encode_segment_header(const segment_header& header);

/// Reads and checks a header. Throws `storage_error`, naming `file`, if it is damaged, of a format this program does
/// not know, or someone else's.
[[nodiscard]] segment_header decode_segment_header(const std::string& file, std::string_view bytes,
                                                   const disk_identity& owner);

/// The salt of a segment: another one for every number and disk.
[[nodiscard]] std::uint32_t salt_of(const disk_identity& owner, std::uint32_t number);

[[nodiscard]] std::string segment_name(std::uint32_t number);

/// The number in a segment's name; nothing for another name.
[[nodiscard]] std::optional<std::uint32_t> segment_number(const std::string& name);

/// Where the next segment lies, if it is prepared.
[[nodiscard]] std::string spare_path(const std::string& directory);

/// Where the segment for a full disk lies.
[[nodiscard]] std::string reserve_path(const std::string& directory);

/// What a segment is called when it has left the log.
[[nodiscard]] std::string retired_name(std::uint32_t number);

/// What a segment is called, or a copy of it, that was cut off for a loss of the log (`hard_state::lost`).
[[nodiscard]] std::string damaged_name(std::uint64_t loss, std::uint32_t number);
/// Is this the name of something that was set aside for that loss?
[[nodiscard]] bool is_damaged_for(const std::string& name, std::uint64_t loss);

/// Where a segment is written before it has its name.
[[nodiscard]] std::string draft_of(const std::string& segment_path);

/// Is this the name of a file that counts only for the process that made it: unfinished, or retired?
[[nodiscard]] bool is_leftover(const std::string& name);

/// Makes a durable file of zeros at `path`. Slow (it writes it all) and safe on another thread. Returns false, and
/// leaves nothing, if there is no room.
[[nodiscard]] bool prepare_zeros(file_system& files, const std::string& path, std::uint64_t size_bytes);

/// Is there no byte but 0 in the file? Slow: it reads it all.
[[nodiscard]] bool holds_only_zeros(file_system& files, const std::string& path);

/// Makes a retired segment a file of zeros at `to`, durably. Slow, too.
[[nodiscard]] bool recycle(file_system& files, const std::string& from, const std::string& to);

/// How a segment comes to be.
enum class segment_source {
  prewritten, ///< Zeros are written first: slow.
  allocated,  ///< Room is set aside: quick, but each sync later costs more.
  spare,      ///< From `prepare_zeros`.
  reserve,    ///< Likewise.
};

/// Makes a segment and returns it open for writing, its header and name durable; nothing, and nothing has changed, if
/// there is no room for it.
[[nodiscard]] std::unique_ptr<file> make_segment(file_system& files, const std::string& directory,
                                                 const segment_header& header, segment_source source);

} // namespace troupe
