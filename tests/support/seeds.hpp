/// \file
/// Plays a story over many seeds.
#pragma once

#include <cstdint>
#include <functional>

namespace troupe {

/// Plays `story` with the seeds 1 to `usual`, or as the environment says: TROUPE_SEED=N plays that one, TROUPE_SEEDS=N
/// plays 1 to N. Each seed that fails is reported with what broke and how to play it again; after three, no more are
/// played.
void over_seeds(std::uint64_t usual, const std::function<void(std::uint64_t seed)>& story);

/// The course recommends hundreds; script/soak plays them.
inline void over_seeds(const std::function<void(std::uint64_t seed)>& story) {
  over_seeds(50, story);
}

} // namespace troupe
