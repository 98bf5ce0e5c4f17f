/// \file
/// How disk_shim.cpp notes what a file held before each write that is not synced yet, so that power_failure.cpp can
/// bring it back. One journal a file, named after its inode number and its birth: numbers are given again.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace troupe::undo {

/// Begins each entry. What it covers is the file before it was written: `kept` bytes follow the entry, and `length -
/// kept` bytes more lay beyond the file's end.
struct entry {
  enum class kind : std::uint64_t { write = 0x6574697277, synced = 0x636e7973 };

  kind what = kind::write;
  std::uint64_t offset = 0; ///< Of the write. After a sync: all entries before this place in the journal are durable.
  std::uint64_t length = 0;
  std::uint64_t kept = 0;
};

/// The name of a file's journal. Empty if the system does not tell.
[[nodiscard]] inline std::string journal_name(int file, const char* path = "", int flags = AT_EMPTY_PATH) {
  struct statx facts {};
  if (::statx(file, path, flags, STATX_INO | STATX_BTIME, &facts) != 0)
    return {};
  return std::to_string(facts.stx_ino) + "." + std::to_string(facts.stx_btime.tv_sec) + "."
      + std::to_string(facts.stx_btime.tv_nsec);
}

} // namespace troupe::undo
