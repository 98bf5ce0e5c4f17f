/// \file
/// What users wrote, as it is shown to them again.
#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// Without control characters, which a terminal would obey, and cut where it becomes long.
[[nodiscard]] inline std::string in_plain(std::string_view text) {
  constexpr std::size_t longest = 120;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      ((result += "\\x") += digits[byte >> 4]) += digits[byte & 15];
    else
      result += c;
  }
  return text.size() > longest ? result + "..." : result;
}

/// The same, in quotes.
[[nodiscard]] inline std::string shown(std::string_view text) {
  return '"' + in_plain(text) + '"';
}

} // namespace troupe
