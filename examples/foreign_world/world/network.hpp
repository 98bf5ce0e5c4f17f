/// \file
/// The lossy network of the course's labs: calls between servers that end with a reply or in failure.
///
/// Every ordered pair of servers has an end of its own, which is enabled or not. A call on an end is delivered,
/// delayed, lost or left hanging as the course's network does, with its figures.
#pragma once

#include "world/event_loop.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace world {

class network {
public:
  /// Hears how a call ended: with a reply, or in failure.
  using call_end = std::function<void(std::optional<std::string> reply)>;
  /// A server: takes a call of `from`, and ends it by `end`, some time or never.
  using handler = std::function<void(int from, std::string request, call_end end)>;

  network(event_loop& loop, std::uint64_t seed) : loop_{loop}, chance_{seed} {}

  /// Unreliable: requests are delayed by up to 26 ms, and one in ten is lost, as is one in ten replies.
  void set_reliable(bool on) { is_reliable_ = on; }
  /// Two of three replies come 0.2 to 2.2 s late.
  void set_long_reordering(bool on) { is_reordering_ = on; }

  void enable(int from, int to, bool on) { enabled_[{from, to}] = on; }
  /// Puts a server in place of the one before it, whose replies are suppressed from then on.
  void add_server(int server, handler serve);
  void delete_server(int server) { servers_.erase(server); }

  /// Calls `to`. `end` is called once, later, for the caller.
  void call(int from, int to, std::string request, call_end end);

  /// Calls made, whatever became of them.
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  /// Bytes of all requests, and of the replies that got through.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Requests that servers received, summed over all.
  [[nodiscard]] std::uint64_t requests_received() const { return received_; }

private:
  struct open_call;
  using open = std::shared_ptr<open_call>;

  [[nodiscard]] bool is_enabled(int from, int to) const;
  [[nodiscard]] bool reaches(const open_call& call) const;
  void deliver(const open& call);
  void look_after(const open& call);
  void take_reply(const open& call, std::optional<std::string> reply);
  void end(const open& call, std::optional<std::string> reply);
  /// A uniform number below `bound`.
  int random(int bound) { return std::uniform_int_distribution{0, bound - 1}(chance_); }

  event_loop& loop_;
  std::mt19937_64 chance_;
  bool is_reliable_ = true;
  bool is_reordering_ = false;
  std::map<std::pair<int, int>, bool> enabled_;
  std::map<int, std::shared_ptr<handler>> servers_;
  std::uint64_t calls_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t received_ = 0;
};

} // namespace world
