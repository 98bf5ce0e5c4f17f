#include "app/options/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace troupe {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

// Longest first: "ms" must not be taken for a number that ends in "m" and the unit "s".
constexpr std::array<unit, 3> time_units{{{"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}}};
constexpr std::array<unit, 4> size_units{{{"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"B", 1}}};

template <std::size_t N>
std::optional<std::uint64_t> parse_with_unit(std::string_view text, const std::array<unit, N>& units,
                                             std::uint64_t largest) {
  for (const auto& candidate : units) {
    if (!text.ends_with(candidate.name))
      continue;
    auto count = parse_count(text.substr(0, text.size() - candidate.name.size()));
    if (!count || *count > largest / candidate.factor)
      return std::nullopt;
    return *count * candidate.factor;
  }
  return std::nullopt;
}

template <std::size_t N>
std::string text_with_unit(std::uint64_t amount, const std::array<unit, N>& units, unit smallest) {
  auto best = smallest;
  for (const auto& candidate : units)
    if (amount != 0 && amount % candidate.factor == 0 && candidate.factor > best.factor)
      best = candidate;
  return std::to_string(amount / best.factor) + std::string{best.name};
}

} // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  auto end = text.data() + text.size();
  auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stopped != end)
    return std::nullopt;
  return value;
}

std::optional<duration> parse_duration(std::string_view text) {
  auto nanoseconds = parse_with_unit(text, time_units, std::numeric_limits<std::int64_t>::max());
  if (!nanoseconds)
    return std::nullopt;
  return duration{static_cast<duration::rep>(*nanoseconds)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, size_units, std::numeric_limits<std::uint64_t>::max());
}

std::string duration_text(duration time) {
  return text_with_unit(static_cast<std::uint64_t>(time.count()), time_units, time_units[0]);
}

std::string size_text(std::uint64_t bytes) {
  return text_with_unit(bytes, size_units, size_units[3]);
}

} // namespace troupe
