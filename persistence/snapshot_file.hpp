/// \file
/// A snapshot: one file with the content in chunks, each with a checksum of its own (format version 1, little-endian).
///
/// Header, 512 bytes:
///
///      0  char[8]  "TROUPSNP"
///      8  u32      format version: 1
///     12  u32      oldest format version a reader may know and still read this: 1
///     16  u32      bytes of the header: 512
///     20  u32      bytes of content in a chunk: 65536; a reader takes 512 to 1048576
///     24  40 bytes owner (disk_identity.hpp)
///     64  u32      group
///     68  u32      0
///     72  u64      index of the last entry whose effect is in the content
///     80  u64      its term
///     88  i64      its log time
///     96  zeros
///    508  u32      CRC-32C of bytes 0 to 507: the header checksum
///
/// Then the chunks, number 0 first. All are full but the last, which has at least one byte; no content, no chunk:
///
///      0  u64      number
///      8  u32      bytes of content
///     12  u32      CRC-32C of bytes 0 to 11 and the content, seeded with the header checksum
///     16  content
///
/// Then the footer, 512 bytes:
///
///      0  char[8]  "TROUPEND"
///      8  u64      bytes of content, of all chunks
///     16  u64      chunks
///     24  u32      CRC-32C of all chunk checksums, 4 bytes each, seeded with the header checksum
///     28  zeros
///    508  u32      CRC-32C of bytes 0 to 507, seeded with the header checksum
///
/// Then the header again, 512 bytes; there the file ends.
///
/// Why each part: a chunk's place follows from its number, so any part is read without what is before it, and trusted
/// once its own chunks are. Its checksum covers the number and is seeded by the header, so a chunk that was swapped,
/// doubled, or left behind by another snapshot does not pass for this one. The footer says where the content ends, so a
/// file that was cut has none where it belongs; its checksum over checksums holds all chunks together. The header is
/// there again so that the two ends of a file cannot be of two snapshots. Nothing is allocated on the word of a length
/// that is not under a checksum and within the file.
///
/// A snapshot is written as `NAME.tmp`, synced as it grows so that no device queue holds much of it before a group
/// commit, and gets its name when all of it is durable.
#pragma once

#include "persistence/disk_identity.hpp"
#include "persistence/errors.hpp"
#include "persistence/file_system.hpp"
#include "troupe/storage.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

inline constexpr std::size_t snapshot_header_bytes = 512;
inline constexpr std::size_t snapshot_chunk_header_bytes = 16;
inline constexpr std::size_t snapshot_footer_bytes = 512;
inline constexpr std::uint32_t snapshot_format_version = 1;
/// Bytes of content in a chunk.
inline constexpr std::uint32_t snapshot_chunk_bytes = std::uint32_t{64} << 10;

/// What a snapshot's header says.
struct snapshot_header {
  disk_identity owner;
  group_id group;
  log_position at;
  std::int64_t time = 0;
  std::uint32_t chunk_bytes = snapshot_chunk_bytes;
};

/// A snapshot whose bytes are not those that were written: it cannot be used, but nothing else is in doubt. Other
/// `storage_error`s say that a file is not ours, or not for this program.
class damaged_snapshot : public storage_error {
public:
  using storage_error::storage_error;
};

/// Starts to write a snapshot that is to be at `path`, in a file `draft` beside it that nobody else writes. The sink
/// makes it durable and then gives it its name, as `snapshot_sink` says. Throws, as the sink does, `out_of_space` if
/// there is no room, and `io_error` for all else; in either case nothing is left of it, and what had the name before is
/// as it was. (One exception: when the last step of `finish` fails, the sync of the directory, the snapshot may be
/// there.) `files` must outlive the sink.
[[nodiscard]] std::unique_ptr<snapshot_sink> write_snapshot(file_system& files, std::string path, std::string draft,
                                                            const snapshot_header& header);

/// A snapshot that is there.
class snapshot_file final : public snapshot_reader {
public:
  /// Opens it and reads its two ends. Throws `damaged_snapshot` if they do not match their checksums or each other, and
  /// another `storage_error` if it is of a format this program does not know, or someone else's. `files` must outlive
  /// this.
  snapshot_file(file_system& files, std::string path, const disk_identity& owner);

  [[nodiscard]] const snapshot_mark& mark() const override { return mark_; }
  [[nodiscard]] group_id group() const { return group_; }

  /// Throws `damaged_snapshot`, naming file and offset, if a chunk of the range is damaged.
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t max_bytes) override;

  /// Reads all of it, a chunk at a time. Throws `damaged_snapshot` unless every chunk is whole and they are those that
  /// the footer speaks for.
  void verify();

private:
  void read_header(std::string_view bytes, const disk_identity& owner);
  void read_footer(std::string_view bytes, std::uint64_t at);
  /// The content of a chunk, verified; valid until the next call.
  [[nodiscard]] std::string_view chunk(std::uint64_t number);

  std::string path_;
  std::unique_ptr<file> file_;
  group_id group_;
  snapshot_mark mark_;
  std::uint32_t header_checksum_ = 0;
  std::uint32_t whole_checksum_ = 0;
  std::uint64_t chunk_bytes_ = 0;
  std::uint64_t chunks_ = 0;
  /// The chunk that was read last, its header in front; which, unless none.
  std::string loaded_bytes_;
  std::optional<std::uint64_t> loaded_;
};

} // namespace troupe
