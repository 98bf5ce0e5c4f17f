/// \file
/// One end of a TCP connection in the hands of a test: says whatever it is told to, frames or garbage.
#pragma once

#include "actors/link/frame.hpp"
#include "actors/link/hello.hpp"
#include "actors/link/socket.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::testing {

class raw_end {
public:
  explicit raw_end(int socket) : socket_{socket} {}

  static raw_end dial(std::uint16_t port) {
    const auto address = numeric_addresses({"127.0.0.1", port}).at(0);
    raw_end end{std::get<int>(begin_connect(address, link_options{}))};
    REQUIRE(end.wait_for(POLLOUT));
    return end;
  }

  raw_end(raw_end&& other) noexcept : socket_{std::exchange(other.socket_, -1)}, parser_{std::move(other.parser_)} {}
  raw_end& operator=(raw_end&&) = delete;
  ~raw_end() {
    if (socket_ >= 0)
      ::close(socket_);
  }

  /// Sends what the other end takes; a closed other end takes nothing.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0)
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      else if (errno != EAGAIN || !wait_for(POLLOUT))
        return false;
    }
    return true;
  }

  bool say(link_frame type, std::string_view head) {
    std::vector<char> out;
    append_frame(out, type, head);
    return say({out.data(), out.size()});
  }

  bool say(const encoded_message& message) {
    std::vector<char> out;
    append_frame(out, message);
    return say({out.data(), out.size()});
  }

  /// The next frame as type and head; nothing once the other end has closed. Fails if neither comes.
  std::optional<std::pair<link_frame, std::string>> hear() {
    for (;;) {
      if (auto came = parser_.next())
        return std::pair{static_cast<link_frame>(came->type), std::string{came->head}};
      REQUIRE(parser_.fault() == frame_fault::none);
      REQUIRE_MESSAGE(wait_for(POLLIN), "waited in vain for the other end");
      const auto got = ::recv(socket_, buffer_, sizeof(buffer_), 0);
      if (got <= 0)
        return std::nullopt;
      parser_.feed({buffer_, static_cast<std::size_t>(got)});
    }
  }

  /// Whether the other end says anything, or closes, within `wait`.
  bool hears_within(std::chrono::milliseconds wait) {
    pollfd fd{socket_, POLLIN, 0};
    return ::poll(&fd, 1, static_cast<int>(wait.count())) == 1;
  }

  /// Hears frames until the other end closes; returns its last words.
  refusal_notice hear_closing() {
    refusal_notice last;
    while (const auto came = hear())
      if (came->first == link_frame::closing)
        last = decode_closing(came->second).value();
    return last;
  }

  /// The other end closes without our saying anything more.
  bool is_closed_by_other() {
    while (hear()) {
    }
    return true;
  }

private:
  bool wait_for(short event) {
    pollfd fd{socket_, event, 0};
    return ::poll(&fd, 1, 10000) == 1;
  }

  int socket_;
  frame_parser parser_{frame_limit_bytes};
  char buffer_[4096]{};
};

/// A listening socket in the hands of a test.
class raw_door {
public:
  raw_door() : door_{std::get<listening_socket>(listen_on({"127.0.0.1", 0}))} {}
  ~raw_door() { ::close(door_.socket); }
  raw_door(const raw_door&) = delete;
  raw_door& operator=(const raw_door&) = delete;

  [[nodiscard]] std::uint16_t port() const { return door_.port; }

  /// The next connection; fails if none comes.
  raw_end accept() {
    pollfd fd{door_.socket, POLLIN, 0};
    REQUIRE(::poll(&fd, 1, 10000) == 1);
    return raw_end{::accept4(door_.socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  }

  /// Lets the next caller introduce itself, and answers as `me`.
  raw_end welcome(const link_identity& me) {
    auto end = accept();
    const auto words = end.hear();
    REQUIRE(words);
    REQUIRE(words->first == link_frame::hello);
    REQUIRE(end.say(link_frame::hello_ack, encode(introduce(me, decode_hello(words->second)->from))));
    return end;
  }

private:
  listening_socket door_;
};

/// Introduces itself at a door as `me` and is believed.
inline raw_end enter(std::uint16_t port, const link_identity& me, peer_id to) {
  auto end = raw_end::dial(port);
  REQUIRE(end.say(link_frame::hello, encode(introduce(me, to))));
  const auto answer = end.hear();
  REQUIRE(answer);
  REQUIRE(answer->first == link_frame::hello_ack);
  return end;
}

} // namespace troupe::testing
