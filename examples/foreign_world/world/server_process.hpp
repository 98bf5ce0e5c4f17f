/// \file
/// One life of one server: a process of its own, and the pipes to it.
#pragma once

#include "frames.hpp"
#include "world/event_loop.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

namespace world {

/// Which server of how many, and the seed of its chances.
struct server_identity {
  int server = 0;
  int servers = 0;
  std::uint64_t seed = 0;
};

class server_process {
public:
  /// Starts this program anew, as a peer. `heard` gets each frame it sends; `ended` is called when its pipe closes.
  server_process(event_loop& loop, const server_identity& who, std::function<void(frame)> heard,
                 std::function<void()> ended);
  /// Kills it, if it lives.
  ~server_process();

  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  /// Sends a frame; never waits.
  void send(const frame& f);

  /// `kill -9`.
  void kill();

  /// Waits for a process that has closed its pipe. Returns how it ended, in words; nothing, if it was by exit(0).
  [[nodiscard]] std::optional<std::string> await_end();

private:
  void read_some();
  void write_some();

  event_loop& loop_;
  std::function<void(frame)> heard_;
  std::function<void()> ended_;
  pid_t process_ = 0;
  int to_ = -1;
  int from_ = -1;
  std::string unsent_;
  frame_splitter incoming_;
};

} // namespace world
