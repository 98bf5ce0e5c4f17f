/// \file
/// The logger of all shells.
#pragma once

#include "troupe/logging.hpp"

#include <spdlog/spdlog.h>

namespace troupe {

/// Where to log: what `log_to` was given last, or stderr.
[[nodiscard]] spdlog::logger& logs();

} // namespace troupe
