/// \file
/// What nodes write to their logs, while a story is told: decisions that no message and no write shows.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace spdlog {
class logger;
}

namespace troupe {

/// As long as it lives, lines of level info and above go to `hear`, at once, and nowhere else. The logger that there
/// was before is not touched: it may have threads of its own.
class log_listener {
public:
  explicit log_listener(std::function<void(std::string_view line)> hear);
  ~log_listener();
  log_listener(const log_listener&) = delete;
  log_listener& operator=(const log_listener&) = delete;

private:
  std::shared_ptr<spdlog::logger> before_;
};

} // namespace troupe
