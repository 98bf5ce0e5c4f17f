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

log_listener::log_listener(std::function<void(std::string_view line)> hear) {
  auto listening = std::make_shared<spdlog::logger>("story", std::make_shared<listening_sink>(std::move(hear)));
  listening->set_level(spdlog::level::info);
  before_ = exchange_logs(std::move(listening));
}

log_listener::~log_listener() {
  exchange_logs(std::move(before_));
}

} // namespace troupe
