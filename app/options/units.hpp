/// \file
/// Durations, sizes and counts as people write them: always with their unit, always a whole number.
#pragma once

#include "troupe/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Reads "250us", "100ms", "5s". Nothing if the unit or the number is missing, negative, fractional or too large to
/// count in nanoseconds.
[[nodiscard]] std::optional<duration> parse_duration(std::string_view text);

/// Reads "512B", "4KiB", "64MiB", "2GiB". Nothing if it is anything else; powers of ten are not offered, so that nobody
/// has to guess which kind a "MB" is.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// Reads a whole number in decimal digits. Nothing if there is anything else in `text`, or it exceeds 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// Writes a duration in the largest unit that keeps it whole; finer than a microsecond is cut off.
[[nodiscard]] std::string duration_text(duration time);

/// Writes a size in the largest unit that keeps it whole.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

} // namespace troupe
