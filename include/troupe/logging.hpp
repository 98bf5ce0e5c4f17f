/// \file
/// Where the library's log lines go.
#pragma once

#include <memory>

namespace spdlog {
class logger;
}

namespace troupe {

/// Has the library log there, from now on: roles, terms and links at level info, what may want an eye at warn, batches
/// at debug, messages at trace; `key=value`, one line an event. Until this is called, warnings go to stderr, through a
/// logger that spdlog knows as "troupe". Call it before the first node or peer is made, and give a logger that may be
/// used from any thread and does not block.
void log_to(std::shared_ptr<spdlog::logger> logger);

} // namespace troupe
