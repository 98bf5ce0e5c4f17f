/// \file
/// What `troupe sim` is about to do, once everything that it was given has been read.
#pragma once

#include "app/options/parse.hpp"

#include <functional>
#include <variant>

namespace troupe {

/// Plays, and prints to stdout. Files go to a directory that must be there by then.
using play_command = std::function<exit_code()>;

/// Or why nothing is played.
using prepared_command = std::variant<play_command, early_end>;

} // namespace troupe
