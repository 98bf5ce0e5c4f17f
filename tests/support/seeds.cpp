#include "tests/support/seeds.hpp"

#include "stage/verdict.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <exception>
#include <string>

namespace troupe {

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const auto* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace

void over_seeds(std::uint64_t usual, const std::function<void(std::uint64_t seed)>& story) {
  const auto only = number_from("TROUPE_SEED", 0);
  const auto first = only != 0 ? only : 1;
  const auto last = only != 0 ? only : number_from("TROUPE_SEEDS", usual);
  int failures = 0;
  for (auto seed = first; seed <= last && failures < 3; ++seed) {
    const std::string replay = "seed " + std::to_string(seed) + " (again: TROUPE_SEED=" + std::to_string(seed) + ")";
    INFO(replay); // Seen if an assertion of our own ends the program.
    try {
      story(seed);
    } catch (const story_failed& failure) {
      ++failures;
      const auto words = replay + ": " + failure.what();
      FAIL_CHECK(words);
    }
  }
  CHECK(failures == 0);
}

} // namespace troupe
