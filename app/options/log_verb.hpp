/// \file
/// The command line of `troupe log`. It looks at what is there and has no settings, so it has no table, no variables
/// and no file: a word for what to do, a directory, and how to print.
#pragma once

#include "app/options/parse.hpp"

namespace troupe {

/// Reads the arguments behind `log`.
[[nodiscard]] std::variant<program_options, early_end> parse_log(const std::vector<std::string>& arguments);

} // namespace troupe
