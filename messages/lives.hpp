/// \file
/// By what an older copy of a disk is told from the disk itself: the numbers of a node's lives.
#pragma once

#include "troupe/uuid.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe {

/// Names one life of a node: from one opening of its data directory to the next. Random, so that two directories that
/// were one once, and have been started as often since, do not agree on it. 0: not noted.
using life_number = std::uint64_t;

/// Numbers of the last lives on a disk, the present one first; all of them while they are not more than `lives_kept`.
using last_lives = std::vector<life_number>;

/// How many lives a disk remembers. An older copy that was started more often than this with nobody to meet cannot be
/// told from the disk itself by its lives; a node that was started more often than this while a peer was away must be
/// believed.
inline constexpr std::size_t lives_kept = 64;

/// The life that a fresh uuid stands for: its last eight bytes, and never 0.
[[nodiscard]] life_number life_of(const uuid& fresh);

/// Whether a disk in that boot can have these lives: one or more, no more than boots and `lives_kept`, the present one
/// not 0.
[[nodiscard]] bool are_sound(std::uint64_t boot, const last_lives& lives);

/// Whether whoever is in the boot `boot` and says `lives` of himself can have been in the life `met` in his boot
/// `met_in`.
[[nodiscard]] bool may_have_lived(std::uint64_t boot, const last_lives& lives, std::uint64_t met_in, life_number met);

} // namespace troupe
