/// \file
/// `troupe sim`: runs of whole clusters on the stage.
#pragma once

#include "app/options/exit_code.hpp"
#include "app/options/program_options.hpp"

namespace troupe {

/// Plays what was asked for; prints to stdout, progress to stderr.
[[nodiscard]] exit_code run_sim(const sim_settings& settings);

} // namespace troupe
