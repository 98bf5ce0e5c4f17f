/// \file
/// How many of their cases the exhaustive tests try.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace troupe::test {

/// Every how many cases one is tried: `usual`; further between with TROUPE_SEEDS below 50 (the sanitizers), closer
/// above it, every single one from 50 times `usual` on (script/soak disk). Odd, so that no bit is always passed by.
inline std::size_t stride(std::size_t usual) {
  constexpr std::size_t usual_seeds = 50;
  const auto* seeds = std::getenv("TROUPE_SEEDS");
  const auto wanted = seeds ? std::max<std::size_t>(1, std::strtoull(seeds, nullptr, 10)) : usual_seeds;
  return std::max<std::size_t>(1, usual * usual_seeds / wanted) | 1;
}

/// Of `usual` rounds, how many are played, by the same rule.
inline std::size_t rounds(std::size_t usual) {
  constexpr std::size_t usual_seeds = 50;
  const auto* seeds = std::getenv("TROUPE_SEEDS");
  const auto wanted = seeds ? std::strtoull(seeds, nullptr, 10) : usual_seeds;
  return std::max<std::size_t>(1, usual * std::min<std::size_t>(wanted, 20 * usual_seeds) / usual_seeds);
}

} // namespace troupe::test
