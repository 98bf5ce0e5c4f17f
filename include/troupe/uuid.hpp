/// \file
/// 128 random bits that name a disk, or 128 bits made of a name.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace troupe {

/// The identity of a data directory, minted when it is first used; also a cluster's, derived from its name. Persistence
/// never draws one by itself: randomness comes in as an argument.
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const uuid&, const uuid&) = default;
};

/// 32 hexadecimal digits in the usual groups: 8-4-4-4-12.
[[nodiscard]] std::string to_string(const uuid& id);

/// Reads what `to_string` writes; nothing for anything else.
[[nodiscard]] std::optional<uuid> parse_uuid(std::string_view text);

/// The identity every node derives from a cluster's name (FNV-1a, 128 bit).
[[nodiscard]] uuid uuid_of_name(std::string_view name);

/// Draws a random one.
[[nodiscard]] uuid draw_uuid(std::random_device& dice);

} // namespace troupe
