#include "app/resp/inline_words.hpp"

#include <optional>

namespace troupe::resp {

namespace {

/// C's `isspace` in the C locale; a NUL ends a line in Redis, and is taken for a blank here.
bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f')
    return lower - 'a' + 10;
  return std::nullopt;
}

char escaped(char c) {
  switch (c) {
  case 'n': return '\n';
  case 'r': return '\r';
  case 't': return '\t';
  case 'b': return '\b';
  case 'a': return '\a';
  default: return c;
  }
}

/// Reads a "..." behind its opening quote; false if it does not end well.
bool read_double_quoted(std::string_view line, std::size_t& at, std::string& text) {
  while (at < line.size() && line[at] != '"') {
    if (line[at] != '\\' || at + 1 == line.size()) {
      text += line[at++];
      continue;
    }
    if (line[at + 1] == 'x' && at + 3 < line.size()) {
      const auto high = hex_digit(line[at + 2]);
      const auto low = hex_digit(line[at + 3]);
      if (high && low) {
        text += static_cast<char>(*high * 16 + *low);
        at += 4;
        continue;
      }
    }
    text += escaped(line[at + 1]);
    at += 2;
  }
  return at < line.size();
}

bool read_single_quoted(std::string_view line, std::size_t& at, std::string& text) {
  while (at < line.size() && line[at] != '\'') {
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '\'')
      ++at;
    text += line[at++];
  }
  return at < line.size();
}

} // namespace

bool split_words(std::string_view line, std::string& text, std::vector<std::size_t>& ends) {
  std::size_t at = 0;
  for (;;) {
    while (at < line.size() && is_blank(line[at]))
      ++at;
    if (at == line.size())
      return true;
    while (at < line.size() && !is_blank(line[at])) {
      const char c = line[at++];
      if (c != '"' && c != '\'') {
        text += c;
        continue;
      }
      if (!(c == '"' ? read_double_quoted(line, at, text) : read_single_quoted(line, at, text)))
        return false;
      ++at;
      if (at < line.size() && !is_blank(line[at]))
        return false;
    }
    ends.push_back(text.size());
  }
}

} // namespace troupe::resp
