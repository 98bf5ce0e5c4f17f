/// \file
/// What a director does over time, written as it is told: a coroutine that sleeps on the virtual clock.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <utility>

namespace troupe {

/// A part played beside others. Begins when it is called, runs until its first sleep, and goes on whenever the clock
/// of the runtime has reached its time. Whoever awaits or finishes it hears of its failure.
///
/// A script must outlive neither its runtime nor what its parameters refer to; destroying it ends it where it sleeps,
/// provided that the runtime runs no more.
class script {
public:
  struct promise_type {
    std::exception_ptr failure;
    std::coroutine_handle<> awaited_by;

    script get_return_object() { return script{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct resume_waiter {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
          const auto waiter = self.promise().awaited_by;
          return waiter ? waiter : std::noop_coroutine();
        }
        void await_resume() noexcept {}
      };
      return resume_waiter{};
    }
    void return_void() {}
    void unhandled_exception() { failure = std::current_exception(); }
  };

  script(script&& other) noexcept : self_{std::exchange(other.self_, nullptr)} {}
  script& operator=(script&& other) noexcept {
    std::swap(self_, other.self_);
    return *this;
  }
  ~script() {
    if (self_)
      self_.destroy();
  }

  [[nodiscard]] bool done() const { return self_.done(); }

  /// Throws what the script threw, if it has.
  void demand() const {
    if (self_.promise().failure)
      std::rethrow_exception(self_.promise().failure);
  }

  /// Awaiting a script from another one.
  [[nodiscard]] bool await_ready() const { return done(); }
  void await_suspend(std::coroutine_handle<> waiter) { self_.promise().awaited_by = waiter; }
  void await_resume() const { demand(); }

private:
  explicit script(std::coroutine_handle<promise_type> self) : self_{self} {}
  std::coroutine_handle<promise_type> self_;
};

} // namespace troupe
