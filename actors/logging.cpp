#include "actors/logging.hpp"

#include <spdlog/sinks/stdout_sinks.h>

#include <utility>

namespace troupe {

namespace {

// Registered, so that spdlog's own functions find it; stderr, since stdout is its user's.
std::shared_ptr<spdlog::logger> make_default() {
  auto logger = spdlog::get("troupe");
  if (!logger) {
    logger = spdlog::stderr_logger_mt("troupe");
    logger->set_level(spdlog::level::warn);
  }
  return logger;
}

std::shared_ptr<spdlog::logger>& present() {
  static auto logger = make_default();
  return logger;
}

} // namespace

spdlog::logger& logs() {
  return *present();
}

std::shared_ptr<spdlog::logger> exchange_logs(std::shared_ptr<spdlog::logger> logger) {
  return std::exchange(present(), std::move(logger));
}

void log_to(std::shared_ptr<spdlog::logger> logger) {
  present() = logger ? std::move(logger) : make_default();
}

} // namespace troupe
