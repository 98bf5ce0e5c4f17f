/// \file
/// `troupe log`: look at a node's data directory, without touching it.
#pragma once

#include "app/options/exit_code.hpp"
#include "app/options/program_options.hpp"

namespace troupe {

/// Prints what was found to stdout. `verify`: `bad_data` unless a node would start there; `dump`: `bad_data` if
/// anything is damaged. `usage` if no node has been at work there, `failed` if it cannot be read; both with words on
/// stderr.
[[nodiscard]] exit_code run_log(const log_settings& settings);

} // namespace troupe
