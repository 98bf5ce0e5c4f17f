/// \file
/// The front door of app/options: from a command line to what is to be done.
#pragma once

#include "app/options/exit_code.hpp"
#include "app/options/program_options.hpp"
#include "app/options/sources.hpp"

#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// There is nothing to run: print `text` (to stdout if `code` is ok, else to stderr) and end with `code`.
struct early_end {
  exit_code code = exit_code::ok;
  std::string text;
};

/// Reads the command line (without the program's name), the environment and the file, and checks all of it: what comes
/// back as options can be acted on. Touches nothing but the file named by --config.
[[nodiscard]] std::variant<program_options, early_end> parse_command_line(const std::vector<std::string>& arguments,
                                                                          const surroundings& world);

} // namespace troupe
