#include "tests/support/logs.hpp"

#include "actors/logging.hpp"

#include <spdlog/pattern_formatter.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace troupe {

namespace {

/// Puts virtual milliseconds in front of what the actors log.
class virtual_time final : public spdlog::custom_flag_formatter {
public:
  explicit virtual_time(const stage_runtime& runtime) : runtime_{runtime} {}
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& into) override {
    const auto text = std::to_string(runtime_.milliseconds());
    into.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<virtual_time>(runtime_); }

private:
  const stage_runtime& runtime_;
};

} // namespace

void log_by_virtual_time(const stage_runtime& runtime) {
  const auto* level = std::getenv("TROUPE_LOG");
  logs().set_level(level == nullptr ? spdlog::level::off : spdlog::level::from_str(level));
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<virtual_time>('*', runtime).set_pattern("%* ms [%l] %v");
  logs().set_formatter(std::move(formatter));
}

void forget_virtual_time() {
  logs().set_pattern("%+");
}

} // namespace troupe
