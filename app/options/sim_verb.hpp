/// \file
/// The command line of `troupe sim`. A simulation has no settings that last, so it has no table, no variables and no
/// file.
#pragma once

#include "app/options/parse.hpp"

namespace troupe {

/// Reads the arguments behind `sim`.
[[nodiscard]] std::variant<program_options, early_end> parse_sim(const std::vector<std::string>& arguments);

} // namespace troupe
