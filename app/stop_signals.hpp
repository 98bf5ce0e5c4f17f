/// \file
/// SIGINT and SIGTERM as something to wait for, instead of something that happens in the middle of anything.
#pragma once

#include "troupe/types.hpp"

#include <cstdint>
#include <optional>

namespace troupe {

/// Blocks both signals for this thread and every thread it starts from then on, and hands them out one by one. Make one
/// before any thread is started.
/// Also tells who sent one: what stopped a node is the first question after it.
class stop_signals {
public:
  stop_signals();
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  struct arrival {
    int number = 0;
    std::uint32_t sender = 0; ///< Process id.
  };

  /// Waits until a signal comes.
  arrival wait();

  /// Waits until a signal comes or `timeout` has passed; true if one came.
  [[nodiscard]] bool wait_for(duration timeout);

  /// Gives the signals their usual effect back: the next one ends the process.
  void let_go();

private:
  [[nodiscard]] std::optional<arrival> take();

  int descriptor_ = -1;
};

} // namespace troupe
