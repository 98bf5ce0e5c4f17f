/// \file
/// Terms and votes of all groups: one file, `votes`, beside the segments.
///
/// The file is a header of 4096 bytes and then every slot twice, 512 bytes each: first copies of all slots, then second
/// copies of all slots. A group has one slot for life. A changed vote goes to both copies, which one sync makes
/// durable; of two copies that differ the one of the higher generation counts. So a crash leaves the vote before or the
/// vote after, and nobody was told of the one after; and one sector that goes bad at any time, in a crash or by itself,
/// has a twin in another block of the device. Every sector has a checksum from the day the file is made, so zeros are
/// damage too. More slots come by a new file under the same name.
///
/// Header (format version 1, little-endian):
///
///      0  char[8]  "TROUPVOT"
///      8  u32      format version: 1
///     12  u32      oldest format version a reader may know and still read this: 1
///     16  u32      slots
///     20  u32      0
///     24  40 bytes owner (disk_identity.hpp)
///     64  zeros
///    508  u32      CRC-32C of bytes 0 to 507
///    512  zeros
///
/// Slot:
///
///      0  u64      generation; 0: never used
///      8  u32      slot
///     12  u32      group
///     16  u64      current term
///     24  u64      voted for; 0: nobody
///     32  u64      names a loss of the log that is not repaired (hard_state); 0: there is none. Of version 1: no
///                  program was ever released that ignores it
///     40  zeros
///    508  u32      CRC-32C of bytes 0 to 507
#pragma once

#include "persistence/disk_identity.hpp"
#include "persistence/file_system.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// The terms and votes a node must never forget.
class vote_file {
public:
  /// Makes the file if it is missing and `may_create`, else reads it. Throws `storage_error` if a term or vote may be
  /// lost: a missing file, a damaged header, or a slot whose newest generation cannot be known.
  vote_file(file_system& files, std::string directory, disk_identity owner, bool may_create);

  /// What is remembered of the group, the unsynced included; term 0 for a new one.
  [[nodiscard]] hard_state of(group_id group) const;

  /// Remembers the state from now on; on disk with the next `flush`. Nothing is done if it is remembered already.
  void put(group_id group, const hard_state& state);

  /// Every group's log may have lost what was acknowledged: gives each the number of this loss, greater than that of
  /// any before, durably and in both copies when this returns. Heals first. Returns the number; 0 if there is no group,
  /// and so nothing that was ever promised.
  std::uint64_t declare_loss();
  /// The greatest number of a loss that some group has and that is not repaired. 0: there is none.
  [[nodiscard]] std::uint64_t newest_loss() const;
  /// Has every group that loss? Not if a crash cut short its declaration, nor once one is repaired.
  [[nodiscard]] bool have_all_lost(std::uint64_t number) const;

  /// Hands what was put to the file system. Not durable yet.
  void flush();

  /// Is there something that `sync` would make durable?
  [[nodiscard]] bool unsynced() const { return unsynced_; }

  /// Makes what was flushed durable: one fdatasync for all groups.
  void sync();

  /// Makes the whole file durable, also what an earlier process left unsynced.
  void sync_all();

  /// Rewrites copies that were bad or old when the file was read from their twin. Returns how many. Reading alone
  /// changes nothing: the log beside may turn out not to be trusted.
  std::size_t heal();
  /// How many it would rewrite.
  [[nodiscard]] std::size_t stale() const { return stale_.size(); }

  [[nodiscard]] std::vector<group_id> groups() const;

private:
  struct slot {
    group_id group;
    std::uint64_t generation = 0;
    hard_state state;
    bool used = false;    ///< Some group's, for life.
    bool changed = false; ///< Put, not yet flushed.
  };

  [[nodiscard]] std::uint32_t take_slot(group_id group);
  void create(std::size_t capacity);
  void read();
  [[nodiscard]] slot read_slot(std::string_view file_bytes, std::uint32_t number);
  /// `copy` is 0 or 1.
  [[nodiscard]] std::uint64_t offset_of(std::uint32_t number, std::size_t copy) const;
  [[nodiscard]] std::string path() const { return directory_ + "/votes"; }

  file_system& files_;
  std::string directory_;
  disk_identity owner_;
  std::unique_ptr<file> file_;
  std::size_t capacity_ = 0;
  std::vector<slot> slots_;
  std::unordered_map<group_id, std::uint32_t> slot_of_;
  /// Unused slots below the last used one: a crash took their first vote.
  std::vector<std::uint32_t> holes_;
  std::vector<std::uint32_t> changed_;
  bool unsynced_ = false;
  /// Copies to heal: where, and what should be there. None of a slot that was written since.
  std::vector<std::pair<std::uint64_t, std::string>> stale_;
};

} // namespace troupe
