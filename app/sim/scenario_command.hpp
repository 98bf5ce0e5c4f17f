/// \file
/// `troupe sim --scenario`: a hand-written story, over some seeds.
#pragma once

#include "app/options/exit_code.hpp"
#include "app/options/program_options.hpp"

namespace troupe {

/// Plays the story in `settings.scenario`; prints to stdout. A run that is not as the story says is told, and its story
/// and diagram are written to files.
[[nodiscard]] exit_code run_scenario(const sim_settings& settings);

} // namespace troupe
