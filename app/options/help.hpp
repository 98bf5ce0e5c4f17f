/// \file
/// What the program says about itself: --help and --print-config.
#pragma once

#include "app/options/sources.hpp"

namespace troupe {

/// `troupe --help`: the verbs, examples, where settings come from, exit codes.
[[nodiscard]] std::string general_help();

/// `troupe VERB --help`: every setting with its default.
[[nodiscard]] std::string verb_help(verb which);

/// `--print-config`: all values as a TOML file that --config takes back, each with where it came from.
[[nodiscard]] std::string printed_config(verb which, const std::vector<resolved_value>& values);

} // namespace troupe
