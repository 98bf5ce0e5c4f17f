/// \file
/// Fixed-width little-endian fields at known places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace troupe {

/// Writes the bytes of an integer, lowest first.
template <class Integer>
void put_le(char* at, Integer value) {
  const auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    at[i] = static_cast<char>(static_cast<unsigned char>(bits >> (8 * i)));
}

/// Reads what `put_le` wrote.
template <class Integer>
[[nodiscard]] Integer get_le(const char* at) {
  using bits = std::make_unsigned_t<Integer>;
  bits value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    value =
        static_cast<bits>(value | static_cast<bits>(static_cast<bits>(static_cast<unsigned char>(at[i])) << (8 * i)));
  return static_cast<Integer>(value);
}

} // namespace troupe
