/// \file
/// `troupe node`: one node of a cluster.
#pragma once

#include "app/options/exit_code.hpp"
#include "app/options/program_options.hpp"

namespace troupe {

/// Runs until SIGTERM or SIGINT, or until the node cannot go on.
[[nodiscard]] exit_code run_node(const node_settings& settings);

} // namespace troupe
