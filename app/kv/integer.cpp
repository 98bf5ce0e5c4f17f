#include "app/kv/integer.hpp"

#include <charconv>

namespace troupe {

std::optional<std::int64_t> strict_integer(std::string_view text) {
  if (text == "0")
    return 0;
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || digits.front() < '1' || digits.front() > '9')
    return std::nullopt;
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end)
    return std::nullopt;
  return value;
}

} // namespace troupe
