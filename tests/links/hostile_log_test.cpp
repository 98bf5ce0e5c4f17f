#include "actors/link/log_throttle.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("what strangers provoke is logged once a minute, with how often it happened") {
  log_throttle said{60s, 32};
  const auto begun = instant{} + 1h;
  CHECK(said.times("a", begun) == 1);
  for (int i = 1; i <= 99; ++i)
    CHECK(said.times("a", begun + i * 500ms) == 0);
  CHECK(said.times("b", begun + 50s) == 1);
  CHECK(said.times("a", begun + 60s) == 100);
  CHECK(said.times("a", begun + 61s) == 0);
}

TEST_CASE("strangers who differ each time cannot fill the log") {
  log_throttle said{60s, 32};
  const auto begun = instant{} + 1h;
  std::uint64_t lines = 0;
  for (int i = 0; i < 100'000; ++i)
    lines += said.times(std::to_string(i), begun + i * 1ms) > 0 ? 1 : 0; // 100 seconds of it
  CHECK(lines == 64);
}
