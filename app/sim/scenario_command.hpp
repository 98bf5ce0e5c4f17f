/// \file
/// `troupe sim --scenario`: a hand-written story, over some seeds.
#pragma once

#include "app/options/program_options.hpp"
#include "app/sim/prepared_command.hpp"

namespace troupe {

/// Reads the story in `settings.scenario`, to be played. A run that is not as the story says is told, and its story and
/// diagram are written to files. The settings must outlive what is returned.
[[nodiscard]] prepared_command prepare_scenario(const sim_settings& settings);

} // namespace troupe
