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
    known_seed{mutant::canary, 1},   known_seed{mutant::E1, 1},       known_seed{mutant::E2, 1},
    known_seed{mutant::E3, 1},       known_seed{mutant::E4, 1},       known_seed{mutant::E5, 73},
    known_seed{mutant::E6, 2},       known_seed{mutant::E8, 8},       known_seed{mutant::E10, 1},
    known_seed{mutant::R1, 2},       known_seed{mutant::R2, 1},       known_seed{mutant::R3, 4},
    known_seed{mutant::R4, 4},       known_seed{mutant::R5, 6},       known_seed{mutant::R6, 9},
    known_seed{mutant::R7, 1},       known_seed{mutant::R8, 15},      known_seed{mutant::R11, 1},
    known_seed{mutant::R12, 595},    known_seed{mutant::R14, 1},      known_seed{mutant::P1, 1},
    known_seed{mutant::P1_log, 1},   known_seed{mutant::P3, 2},       known_seed{mutant::P4, 2},
    known_seed{mutant::P6, 1},       known_seed{mutant::P8, 1},       known_seed{mutant::P9, 1},
    known_seed{mutant::P11, 79},     known_seed{mutant::P12, 3},      known_seed{mutant::S2, 1274},
    known_seed{mutant::S2_start, 1}, known_seed{mutant::S3, 8},       known_seed{mutant::S4, 29},
    known_seed{mutant::S6, 1},       known_seed{mutant::S7, 1},       known_seed{mutant::S8, 1},
    known_seed{mutant::Q1, 3},       known_seed{mutant::Q2, 4},       known_seed{mutant::Q3, 3},
    known_seed{mutant::Q5, 5},       known_seed{mutant::C2, 1},       known_seed{mutant::L1, 1},
    known_seed{mutant::O2, 1},       known_seed{mutant::O3, 2},       known_seed{mutant::Z5, 4},
    known_seed{mutant::O3_late, 1},  known_seed{mutant::O3_again, 2},
};

} // namespace troupe
