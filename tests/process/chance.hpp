/// \file
/// How long a test of faults is to go on, and the seed of what it does.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <string>

namespace troupe {

/// What an environment variable says, if it is set.
[[nodiscard]] inline std::optional<std::uint64_t> number_in_environment(const char* name) {
  const auto* text = std::getenv(name);
  return text == nullptr ? std::nullopt : std::optional{std::strtoull(text, nullptr, 10)};
}

/// The long form of tests of faults: `script/soak processes CYCLES` sets TROUPE_CYCLES.
[[nodiscard]] inline bool is_long_form() {
  return number_in_environment("TROUPE_CYCLES").has_value();
}

/// How many rounds to play: `usual` in the short form; in the long one a part of what was asked for.
[[nodiscard]] inline int rounds(int usual, int part = 1) {
  const auto asked = number_in_environment("TROUPE_CYCLES");
  return asked ? std::max(1, static_cast<int>(*asked) / part) : usual;
}

/// A test's own dice. The seed (TROUPE_SEED gives one back) decides what the test does and when, but not how the
/// processes and the machine take it: the same seed makes the same fault likely again, not certain.
class seeded_dice {
public:
  seeded_dice() : seeded_dice{std::random_device{}() % 1'000'000} {}
  /// Throws the same each time, with no TROUPE_SEED.
  explicit seeded_dice(std::uint64_t usual) : seed{number_in_environment("TROUPE_SEED").value_or(usual)} {}

  /// For INFO: seen when the test fails.
  [[nodiscard]] std::string words() const {
    return "seed " + std::to_string(seed) + " (again: TROUPE_SEED=" + std::to_string(seed) + ")";
  }
  /// A number from 0, below `end`.
  [[nodiscard]] std::uint64_t below(std::uint64_t end) {
    return std::uniform_int_distribution<std::uint64_t>{0, end - 1}(dice_);
  }

  const std::uint64_t seed;

private:
  std::mt19937_64 dice_{seed};
};

/// A figure that a test has measured, for whoever reads its output.
inline void say_figure(const std::string& words) {
  std::cerr << "  " << words << std::endl;
}

/// A line for whoever watches the long form; the short one is silent.
inline void say_progress(const std::string& words) {
  if (is_long_form())
    std::cerr << "  " << words << std::endl;
}

} // namespace troupe
