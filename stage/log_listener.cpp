#include "stage/log_listener.hpp"

#include "actors/logging.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <utility>

namespace troupe {

namespace {

class listening_sink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
  explicit listening_sink(std::function<void(std::string_view)> hear) : hear_{std::move(hear)} {}

private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    hear_(std::string_view{line.payload.data(), line.payload.size()});
  }
  void flush_() override {}

  std::function<void(std::string_view)> hear_;
};

} // namespace

log_listener::log_listener(std::function<void(std::string_view line)> hear)
    : before_{std::move(logs().sinks())}, level_{logs().level()} {
  logs().sinks() = {std::make_shared<listening_sink>(std::move(hear))};
  logs().set_level(spdlog::level::info);
}

log_listener::~log_listener() {
  logs().sinks() = std::move(before_);
  logs().set_level(level_);
}

} // namespace troupe
