/// \file
/// The world, as a peer's process sees it: what the foreign simulator offers to whoever lives in it (an RPC, a
/// persister, a place to deliver commands) and what it asks. Knows nothing of Troupe; in the course's labs these are
/// objects.
#pragma once

#include "frames.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace guest {

/// The process's end of the pipes to the world. All but `serve` may be called from any thread.
class world_line {
public:
  using returned = std::function<void(std::optional<std::string> result)>;

  world_line(int in, int out) : in_{in}, out_{out} {}

  /// Calls another server. `end` is called once: with the result, or, after up to seven seconds, without.
  void call(int server, std::string argument, returned end);

  /// Has the persister replace what it holds, both parts of it. `saved` is called when it has.
  void save(std::string state, std::string snapshot, std::function<void()> saved);

  /// Says something to the world, such as an answer.
  void say(const frame& f);

  /// The next thing the world wants; waits for it. Nothing, when the world has hung up. What belongs to `call` and
  /// `save` is dealt with on the way, on the thread that calls this.
  [[nodiscard]] std::optional<frame> listen();

  /// Listens for so long at most, and only to what belongs to `call` and `save`: for who waits for an end to come that
  /// may depend on them. False, when the world has hung up.
  [[nodiscard]] bool listen_aside(std::chrono::milliseconds span);

private:
  [[nodiscard]] std::optional<frame> read_frame();
  [[nodiscard]] bool read_piece();
  [[nodiscard]] bool is_for_waiting(frame& f);

  int in_;
  int out_;
  frame_splitter incoming_;
  std::mutex writing_;
  std::mutex waiting_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, returned> calls_;
  std::map<std::uint64_t, std::function<void()>> saves_;
};

} // namespace guest
