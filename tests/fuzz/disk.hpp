/// \file
/// Files that somebody else has written, on a disk in memory; and the mending of their checksums, so that a fuzzer gets
/// behind them. Written from the formats as the headers in persistence/ draw them, not from the code that is fuzzed.
#pragma once

#include "persistence/disk_identity.hpp"
#include "stage/simulated_disk.hpp"
#include "tests/fuzz/checksums.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace troupe::fuzz {

inline const disk_identity owner{uuid_of_name("troupe"), uuid_of_name("a disk"), peer_id{1}};
inline const std::string data_directory = "d";
inline const std::string log_directory = data_directory + "/log";
inline constexpr std::size_t sector = 512;

/// Puts a file there as if it had always been.
inline void place(simulated_disk& disk, const std::string& path, std::string_view bytes) {
  disk.make_directories(directory_of(path));
  const auto target = disk.open(path, open_mode::create);
  target->write_at(0, bytes);
  target->sync_data();
  disk.sync_directory(directory_of(path));
}

/// Names and contents of a directory.
[[nodiscard]] inline std::map<std::string, std::string> look(simulated_disk& disk, const std::string& directory) {
  std::map<std::string, std::string> all;
  for (const auto& name : disk.list(directory))
    if (const auto path = directory + "/" + name; path != log_directory + "/snapshots")
      all[name] = disk.contents(path);
  return all;
}

[[nodiscard]] inline std::span<char> bytes_of(std::string& text) {
  return {text.data(), text.size()};
}

/// Gives the 512 bytes at `at` their checksum, which is the last 4; returns it.
inline std::uint32_t mend_sector(std::string& bytes, std::size_t at, std::uint32_t seed = 0) {
  const auto checksum = crc32c(std::string_view{bytes}.substr(at, sector - 4), seed);
  store(bytes_of(bytes).subspan(at + sector - 4), checksum);
  return checksum;
}

/// Puts magic, format version and owner into the header at the front of a file, as all of them have it.
inline void mend_identity(std::string& bytes, std::string_view magic) {
  bytes.replace(0, magic.size(), magic);
  store(bytes_of(bytes).subspan(8), 1);
  store(bytes_of(bytes).subspan(12), 1);
  put_identity(bytes.data() + 24, owner);
}

inline constexpr std::size_t hint_copy_bytes = 4096;

/// A whole hint file that says so.
[[nodiscard]] inline std::string hint_bytes(std::uint32_t durable, std::uint32_t first_segment,
                                            std::uint32_t last_segment) {
  std::string copy(hint_copy_bytes, '\0');
  mend_identity(copy, "TROUPHNT");
  store(bytes_of(copy).subspan(16), 2);
  store(bytes_of(copy).subspan(64), durable);
  store(bytes_of(copy).subspan(72), first_segment);
  store(bytes_of(copy).subspan(80), last_segment);
  mend_sector(copy, 0);
  return copy + copy;
}

} // namespace troupe::fuzz
