/// \file
/// Words as the value of a `key=value` log line.
#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// `words` in quotes, so that nothing in them ends the value or the line: quotes and backslashes get a backslash,
/// control characters become `\xNN`. All else, UTF-8 too, stays as it is.
[[nodiscard]] inline std::string in_log_quotes(std::string_view words) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : words) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (result += '\\') += c;
    else if (byte < 0x20 || byte == 0x7f)
      ((result += "\\x") += digits[byte >> 4]) += digits[byte & 15];
    else
      result += c;
  }
  return result + '"';
}

} // namespace troupe
