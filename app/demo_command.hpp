/// \file
/// `troupe demo`: a whole cluster on this machine, to try and to break.
#pragma once

#include "app/options/exit_code.hpp"
#include "app/options/program_options.hpp"

namespace troupe {

/// Runs until SIGINT or SIGTERM, or until the proof of --once is done.
[[nodiscard]] exit_code run_demo(const demo_settings& settings);

} // namespace troupe
