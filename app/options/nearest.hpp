/// \file
/// What somebody may have meant who typed a name that does not exist.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// How many characters must be put in, left out, replaced or swapped with their neighbour to make `b` of `a`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// One of the known names, and how far it is from what was typed.
struct near_name {
  std::string name;
  std::size_t distance = 0;
  /// Close enough to be taken for a slip of the pen: one in four characters, and one in short names.
  bool is_close = false;
};

/// The first of the nearest names; nothing if none is known.
[[nodiscard]] std::optional<near_name> nearest(std::string_view typed, const std::vector<std::string>& known);

} // namespace troupe
