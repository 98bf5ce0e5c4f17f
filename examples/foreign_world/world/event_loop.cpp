#include "world/event_loop.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <poll.h>

namespace world {

bool event_loop::run_until(const std::function<bool()>& reached, clock::duration limit) {
  const auto deadline = clock::now() + limit;
  while (!reached()) {
    if (clock::now() >= deadline)
      return false;
    wait_for_pipes(timers_.empty() ? deadline : std::min(deadline, timers_.begin()->first));
    run_due_timers();
  }
  return true;
}

void event_loop::run_due_timers() {
  const auto now = clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto then = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    then();
  }
}

void event_loop::wait_for_pipes(clock::time_point until) {
  std::vector<pollfd> descriptors;
  for (const auto& [descriptor, interest] : watched_) {
    const auto events = (interest.readable ? POLLIN : 0) | (interest.writable ? POLLOUT : 0);
    descriptors.push_back({descriptor, static_cast<short>(events), 0});
  }
  const auto left = std::chrono::ceil<milliseconds>(until - clock::now());
  ::poll(descriptors.data(), descriptors.size(), static_cast<int>(std::max(left, milliseconds{0}).count()));
  for (const auto& ready : descriptors) {
    // What was done for another descriptor may have closed this one.
    if (ready.revents & POLLOUT)
      if (const auto found = watched_.find(ready.fd); found != watched_.end() && found->second.writable)
        std::exchange(found->second.writable, nullptr)();
    if (ready.revents & (POLLIN | POLLHUP | POLLERR))
      if (const auto found = watched_.find(ready.fd); found != watched_.end() && found->second.readable)
        std::function{found->second.readable}();
  }
}

} // namespace world
