/// \file
/// The logger of all shells.
#pragma once

#include "troupe/logging.hpp"

#include <spdlog/spdlog.h>

namespace troupe {

/// Logs there from now on, and returns where it was until now.
std::shared_ptr<spdlog::logger> exchange_logs(std::shared_ptr<spdlog::logger> logger);

/// Where to log: what `log_to` was given last, or stderr.
[[nodiscard]] spdlog::logger& logs();

} // namespace troupe
