/// \file
/// Plays scenarios: one in this process, or many in processes of their own.
#pragma once

#include "world/scenarios.hpp"

#include <cstdint>

namespace world {

/// Plays one, prints a line about it, and returns the exit code.
[[nodiscard]] int play(const scenario& which, std::uint64_t seed);

/// Plays all, some at a time: they are mostly waiting. Returns the exit code: 0, if all went as they should.
[[nodiscard]] int play_all(std::uint64_t seed, int at_a_time);

} // namespace world
