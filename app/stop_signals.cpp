#include "app/stop_signals.hpp"

#include "troupe/assert.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace troupe {

namespace {

sigset_t stopping() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  return signals;
}

} // namespace

stop_signals::stop_signals() {
  auto wanted = stopping();
  auto blocked = ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  descriptor_ = ::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  TROUPE_ASSERT(blocked == 0 && descriptor_ >= 0, "signals can be waited for");
}

stop_signals::~stop_signals() {
  ::close(descriptor_);
}

std::optional<stop_signals::arrival> stop_signals::take() {
  signalfd_siginfo taken;
  if (::read(descriptor_, &taken, sizeof taken) != sizeof taken)
    return std::nullopt;
  return arrival{static_cast<int>(taken.ssi_signo), taken.ssi_pid};
}

bool stop_signals::wait_for(duration timeout) {
  pollfd watched{descriptor_, POLLIN, 0};
  ::poll(&watched, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(timeout).count()));
  return take().has_value();
}

stop_signals::arrival stop_signals::wait() {
  while (true) {
    pollfd watched{descriptor_, POLLIN, 0};
    ::poll(&watched, 1, -1);
    if (auto taken = take())
      return *taken;
  }
}

void stop_signals::let_go() {
  auto wanted = stopping();
  ::pthread_sigmask(SIG_UNBLOCK, &wanted, nullptr);
}

} // namespace troupe
