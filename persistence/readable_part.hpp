/// \file
/// A file of which a device may have lost sectors: what can be read of it.
#pragma once

#include "persistence/file_system.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// The bytes of a file from its beginning on.
struct readable_part {
  std::string bytes;
  /// Of the file.
  std::uint64_t size_bytes = 0;
  /// The device cannot read this byte, or one of the 4 KiB from here on: `bytes` ends before it. Nothing if all that
  /// was asked for is there.
  std::optional<std::uint64_t> unreadable_at = {};
};

/// Reads a file, or its first `most_bytes`, up to the first block that the device cannot read (EIO).
[[nodiscard]] readable_part read_readable(file_system& files, const std::string& path,
                                          std::uint64_t most_bytes = ~std::uint64_t{0});

} // namespace troupe
