#include "guest/world_line.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace guest {

void world_line::call(int server, std::string argument, returned end) {
  frame f{.kind = frame_kind::call, .server = server, .bytes = std::move(argument)};
  {
    const std::lock_guard guard{waiting_};
    f.number = ++last_number_;
    calls_.emplace(f.number, std::move(end));
  }
  say(f);
}

void world_line::save(std::string state, std::string snapshot, std::function<void()> saved) {
  frame f{.kind = frame_kind::save, .bytes = std::move(state), .snapshot = std::move(snapshot)};
  {
    const std::lock_guard guard{waiting_};
    f.number = ++last_number_;
    saves_.emplace(f.number, std::move(saved));
  }
  say(f);
}

// The world always reads, so a full pipe is soon empty again: it may be written from an actor.
void world_line::say(const frame& f) {
  const auto bytes = encoded(f);
  const std::lock_guard guard{writing_};
  for (std::size_t written = 0; written < bytes.size();) {
    const auto n = ::write(out_, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno != EINTR)
      return; // The world is gone, and `listen` will say so.
    written += n < 0 ? 0 : static_cast<std::size_t>(n);
  }
}

std::optional<frame> world_line::listen() {
  while (auto f = read_frame())
    if (!is_for_waiting(*f))
      return f;
  return std::nullopt;
}

std::optional<frame> world_line::read_frame() {
  while (true) {
    if (auto f = incoming_.next())
      return f;
    if (!read_piece())
      return std::nullopt;
  }
}

bool world_line::read_piece() {
  std::array<char, 65536> piece;
  const auto n = ::read(in_, piece.data(), piece.size());
  if (n > 0)
    incoming_.feed({piece.data(), static_cast<std::size_t>(n)});
  return n > 0 || (n < 0 && errno == EINTR);
}

bool world_line::listen_aside(std::chrono::milliseconds span) {
  while (auto f = incoming_.next())
    (void)is_for_waiting(*f);
  pollfd from_world{in_, POLLIN, 0};
  return ::poll(&from_world, 1, static_cast<int>(span.count())) <= 0 || read_piece();
}

bool world_line::is_for_waiting(frame& f) {
  if (f.kind != frame_kind::returned && f.kind != frame_kind::saved)
    return false;
  returned end;
  std::function<void()> saved;
  {
    const std::lock_guard guard{waiting_};
    if (auto found = calls_.extract(f.number))
      end = std::move(found.mapped());
    if (auto found = saves_.extract(f.number))
      saved = std::move(found.mapped());
  }
  if (end)
    end(f.yes ? std::optional{std::move(f.bytes)} : std::nullopt);
  if (saved)
    saved();
  return true;
}

} // namespace guest
