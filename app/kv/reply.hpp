/// \file
/// Replies in RESP2, appended to a string.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::reply {

inline constexpr std::string_view ok = "+OK\r\n";
inline constexpr std::string_view null = "$-1\r\n";

/// A type byte, a number and the line's end: `:5`, `$5` and `*5` all look like this.
inline void append_header(std::string& out, char type, std::int64_t number) {
  char text[24];
  text[0] = type;
  auto* end = std::to_chars(text + 1, text + sizeof text - 2, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text, end);
}

inline void append_integer(std::string& out, std::int64_t value) {
  append_header(out, ':', value);
}

/// Announces an array; its `count` elements follow.
inline void append_array(std::string& out, std::size_t count) {
  append_header(out, '*', static_cast<std::int64_t>(count));
}

inline void append_bulk(std::string& out, std::string_view bytes) {
  append_header(out, '$', static_cast<std::int64_t>(bytes.size()));
  out.append(bytes).append("\r\n");
}

/// A status line. `text` holds no line end.
inline void append_status(std::string& out, std::string_view text) {
  out.append("+").append(text).append("\r\n");
}

/// An error line: `text` begins with its code word (`ERR ...`). Line ends that a client's own words may have brought in
/// become spaces, as Redis does it: an error is one line.
inline void append_error(std::string& out, std::string_view text) {
  out += '-';
  for (const char c : text)
    out += c == '\r' || c == '\n' ? ' ' : c;
  out += "\r\n";
}

} // namespace troupe::reply
