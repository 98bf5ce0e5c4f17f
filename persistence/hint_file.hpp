/// \file
/// What was durable, as far as a second file knows: the file `hint`, beside the segments.
///
/// No reader can tell from the log alone whether an end of zeros, or a last segment that is not there, was ever
/// written. So after each sync of the log its last durable lsn is noted here, in one of two copies in turn. A note
/// is not waited for: it is synced in the next pause, after so many syncs of the log, when the log goes on in another
/// segment, before a segment leaves it, and at the end. What is noted is always true; what was synced last may be old.
///
/// 8192 bytes: a copy of 512 bytes at offset 0, another at 4096, in another block of the device; the rest is zero and
/// does not count. A copy (format version 1, little-endian):
///
///      0  char[8]  "TROUPHNT"
///      8  u32      format version: 1
///     12  u32      oldest format version a reader may know and still read this: 1
///     16  u64      generation: of two copies the higher one counts
///     24  40 bytes owner (disk_identity.hpp)
///     64  u64      durable: every record of the log up to this lsn was synced
///     72  u64      number of the first segment of the log: those below it are not needed any more
///     80  u64      number of the last one that was made; 0: none yet
///     88  u64      the last loss that the log was cut for (hard_state::lost, the greatest of all groups); 0: none
///     96  u64      segments behind the last one, up to this number, are being set aside for the next loss; 0: none are
///    104  zeros
///    508  u32      CRC-32C of bytes 0 to 507
///
/// The file is made before the first segment, and the segment's number is in both copies, synced, before the first
/// record in it. So where there is a segment there is a hint: a missing one is damage, and so are two bad copies, for
/// without it a log that lost its end would look whole. One bad copy is rewritten from the other; the two differ only
/// in what was noted since the last sync, and whatever must hold is in both.
#pragma once

#include "persistence/disk_identity.hpp"
#include "persistence/file_system.hpp"
#include "troupe/storage.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// What a hint says of a log.
struct log_hint {
  std::uint64_t durable = 0;
  std::uint32_t first_segment = 1;
  std::uint32_t last_segment = 0;
  /// The last loss that the log was cut for, and that a peer may have been told of: see loss.hpp.
  std::uint64_t cut_for = 0;
  /// Segments from behind the last one up to this are no part of the log: they are being set aside. 0: none are.
  std::uint32_t leaving = 0;
  friend bool operator==(const log_hint&, const log_hint&) = default;
};

/// A hint that was read.
struct found_hint {
  log_hint says;
  std::uint64_t generation = 0;
  /// Copies that are damaged.
  std::size_t bad_copies = 0;
};

[[nodiscard]] std::string hint_path(const std::string& directory);

/// Reads the hint of the log in `directory`; nothing if there is no such file. Throws `storage_error` if it cannot be
/// trusted or is not `owner`'s. Changes nothing.
[[nodiscard]] std::optional<found_hint> find_hint(file_system& files, const std::string& directory,
                                                  const disk_identity& owner);

/// The hint of a log in use.
class hint_file {
public:
  /// Makes the file for a log without segments, durably.
  static void create(file_system& files, const std::string& directory, const disk_identity& owner);

  /// Goes on behind `generation`.
  hint_file(file_system& files, const std::string& directory, const disk_identity& owner, std::uint64_t generation);

  /// Writes a note over the older copy. Not durable yet, and never waited for.
  void note(const log_hint& says);

  /// Writes the note to both copies: what comes after relies on it, whichever copy goes bad.
  void note_twice(const log_hint& says);

  /// Makes what was noted durable.
  void sync();

  /// Notes since the last sync, one that is on its way included.
  [[nodiscard]] std::uint64_t unsynced() const { return unsynced_; }

  /// `sync` for another thread; counts as done.
  [[nodiscard]] chore plan_sync();

private:
  file_system& files_;
  std::string path_;
  disk_identity owner_;
  std::unique_ptr<file> file_;
  std::uint64_t generation_;
  std::uint64_t unsynced_ = 0;
};

} // namespace troupe
