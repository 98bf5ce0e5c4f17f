/// \file
/// What nodes write to their logs, while a story is told: decisions that no message and no write shows.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <spdlog/common.h>

namespace troupe {

/// As long as it lives, lines of level info and above go to `hear`, and nowhere else.
class log_listener {
public:
  explicit log_listener(std::function<void(std::string_view line)> hear);
  ~log_listener();
  log_listener(const log_listener&) = delete;
  log_listener& operator=(const log_listener&) = delete;

private:
  std::vector<spdlog::sink_ptr> before_;
  spdlog::level::level_enum level_;
};

} // namespace troupe
