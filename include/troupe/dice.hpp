/// \file
/// Chance, from one seed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace troupe {

/// A small generator of uniform numbers (splitmix64). Equal seeds give equal rolls on every machine, which the
/// distributions of the standard library do not promise.
class dice {
public:
  explicit dice(std::uint64_t seed) : state_{seed} {}

  /// The next 64 random bits.
  std::uint64_t roll() {
    state_ += 0x9e3779b97f4a7c15ull;
    auto x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
  }

  /// Uniform in 0 .. `bound` - 1; 0 if there is nothing to choose. The bias of the remainder is far below what any
  /// story could notice.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : roll() % bound; }

  /// True in `percent` of 100 cases.
  bool chance(unsigned percent) { return below(100) < percent; }

  /// Another generator, independent of what this one goes on to roll.
  [[nodiscard]] dice fork() { return dice{roll()}; }

private:
  std::uint64_t state_;
};

} // namespace troupe
