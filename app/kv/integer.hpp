/// \file
/// Integers as Redis reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe {

/// Reads a signed 64-bit decimal by Redis's strict rule (its `string2ll`): the whole text, no leading zeros, no plus
/// sign, no spaces, no negative zero. So a number has exactly one spelling, and a value that was set as text and one
/// that was counted up are told apart nowhere. Nothing for any other text, and for what does not fit.
[[nodiscard]] std::optional<std::int64_t> strict_integer(std::string_view text);

} // namespace troupe
