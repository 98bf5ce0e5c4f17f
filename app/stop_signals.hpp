/// \file
/// SIGINT and SIGTERM as something to wait for, instead of something that happens in the middle of anything.
#pragma once

#include "troupe/types.hpp"

namespace troupe {

/// Blocks both signals for this thread and every thread it starts from then on, and hands them out one by one. Make one
/// before any thread is started.
class stop_signals {
public:
  stop_signals();
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  /// Waits until a signal comes.
  void wait();

  /// Waits until a signal comes or `timeout` has passed; true if one came.
  [[nodiscard]] bool wait_for(duration timeout);

  /// Gives the signals their usual effect back: the next one ends the process.
  void let_go();

private:
  bool take();

  int descriptor_ = -1;
};

} // namespace troupe
