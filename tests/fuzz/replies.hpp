/// \file
/// A reader of replies that shares no code with the program: it only counts them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::fuzz {

/// Takes one reply, RESP2 or RESP3, from the front of `text`; false if there is none.
[[nodiscard]] inline bool take_reply(std::string_view& text, int depth = 0) {
  const auto end = text.find("\r\n");
  if (end == text.npos || end == 0 || depth > 8)
    return false;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 2);
  const auto type = line.front();
  if (type == '+' || type == '-')
    return line.find('\n') == line.npos;
  if (type == '_')
    return line.size() == 1;
  if (type == '#')
    return line == "#t" || line == "#f";
  std::int64_t number = 0;
  const auto [stopped, fault] = std::from_chars(line.data() + 1, line.data() + line.size(), number);
  if (fault != std::errc{} || stopped != line.data() + line.size())
    return false;
  if (type == ':' || ((type == '$' || type == '*') && number == -1))
    return true;
  if (number < 0)
    return false;
  if (type == '$' || type == '=') {
    const auto size = static_cast<std::size_t>(number);
    if (text.size() < size + 2 || text.substr(size, 2) != "\r\n")
      return false;
    text.remove_prefix(size + 2);
    return true;
  }
  if (type != '*' && type != '%' && type != '~')
    return false;
  for (auto left = number; left > 0; --left)
    if (!take_reply(text, depth + 1) || (type == '%' && !take_reply(text, depth + 1)))
      return false;
  return true;
}

/// How many replies `text` holds; nothing if it is anything but whole replies.
[[nodiscard]] inline std::optional<std::size_t> count_replies(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count)
    if (!take_reply(text))
      return std::nullopt;
  return count;
}

} // namespace troupe::fuzz
