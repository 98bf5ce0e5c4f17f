/// \file
/// `troupe status`: ask a node who leads and how far everybody is.
#pragma once

#include "app/options/exit_code.hpp"
#include "app/options/program_options.hpp"

namespace troupe {

/// Prints the answer to stdout, or why there is none to stderr.
[[nodiscard]] exit_code run_status(const status_settings& settings);

} // namespace troupe
