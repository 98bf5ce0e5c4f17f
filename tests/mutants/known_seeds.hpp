/// \file
/// Where each mutant was found first: there looking begins, so that a run that finds all of them is short. What is not
/// found there any more (the stage has changed) is looked for from seed 1 on.
#pragma once

#include "messages/mutant.hpp"

#include <array>
#include <cstdint>

namespace troupe {

struct known_seed {
  mutant what = mutant::none;
  std::uint64_t seed = 1;
};

inline constexpr std::array known_seeds{
    known_seed{mutant::canary, 1},
};

} // namespace troupe
