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

  /// Waits until a signal comes or `timeout` has passed; true if one came.
  [[nodiscard]] bool wait_for(duration timeout);

  /// Readable when a signal waits to be taken; for a poll of one's own.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Takes a signal if one waits.
  bool take();

private:
  int descriptor_ = -1;
};

} // namespace troupe
