/// \file
/// Real time, timers and pipes on one thread: everything in the world happens here, one thing after the other.
#pragma once

#include <chrono>
#include <functional>
#include <map>

namespace world {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class event_loop {
public:
  /// Calls `then` when `span` has passed.
  void after(clock::duration span, std::function<void()> then) {
    timers_.emplace(clock::now() + span, std::move(then));
  }

  /// What to do whenever a descriptor can be read or has been closed at the other end.
  void watch(int descriptor, std::function<void()> readable) { watched_[descriptor].readable = std::move(readable); }
  /// What to do once, as soon as it can be written.
  void when_writable(int descriptor, std::function<void()> writable) {
    watched_[descriptor].writable = std::move(writable);
  }
  void forget(int descriptor) { watched_.erase(descriptor); }

  /// Lets time pass.
  void run_for(clock::duration span) {
    (void)run_until([] { return false; }, span);
  }
  /// Lets time pass until `reached` holds; false, if it does not within `limit`.
  [[nodiscard]] bool run_until(const std::function<bool()>& reached, clock::duration limit);

private:
  struct interest {
    std::function<void()> readable;
    std::function<void()> writable;
  };

  void run_due_timers();
  void wait_for_pipes(clock::time_point until);

  std::multimap<clock::time_point, std::function<void()>> timers_;
  std::map<int, interest> watched_;
};

} // namespace world
