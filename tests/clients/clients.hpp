/// \file
/// Three node processes, and the programs and sockets that clients come with.
#pragma once

#include "app/demo_cluster.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// The program under test: TROUPE_BIN of the environment, else the one that was built along.
[[nodiscard]] inline std::string program_under_test() {
  const auto* given = ::getenv("TROUPE_BIN");
  return given ? given : TROUPE_PROGRAM;
}

/// A cluster of real processes in a directory of its own, with a leader.
class served_cluster {
public:
  explicit served_cluster(std::vector<std::string> flags = {}, std::uint64_t peers = 3)
      : directory_{make_directory()}, cluster{{peers, directory_, 0, std::move(flags)}, program_under_test()} {
    const auto wrong = cluster.start_all(std::chrono::seconds{30});
    REQUIRE_MESSAGE(!wrong, *wrong);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    auto found = cluster.leader();
    for (; !found && std::chrono::steady_clock::now() < deadline; found = cluster.leader())
      ::usleep(5000);
    REQUIRE(found);
    leader = found->id;
    follower = peer_id{leader.value() % peers + 1};
  }
  ~served_cluster() {
    for (auto& one : cluster.members())
      if (one.is_running())
        cluster.kill_hard(one.id);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  [[nodiscard]] std::uint16_t port(peer_id id) { return cluster.at(id).client.port; }

  /// Says one command on a connection of its own.
  [[nodiscard]] resp_reply call(peer_id at, const std::vector<std::string>& words) {
    auto client = resp_client::connect(cluster.at(at).client, std::chrono::seconds{5});
    return client.call(words, std::chrono::seconds{20});
  }

  [[nodiscard]] const std::string& directory() const { return directory_; }

private:
  static std::string make_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-clients-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    return pattern;
  }

  std::string directory_;

public:
  demo_cluster cluster;
  peer_id leader;
  peer_id follower;
};

/// What a shell command printed, stdout and stderr together, and how it ended.
struct printed {
  std::string text;
  int code = -1;
};

[[nodiscard]] inline printed shell(const served_cluster& in, const std::string& line,
                                   duration timeout = std::chrono::seconds{120}) {
  auto why = std::string{};
  auto process = child_process::start("/bin/sh", {"-c", "exec 2>&1; " + line}, in.directory() + "/shell.log", {}, why);
  REQUIRE_MESSAGE(process, why);
  auto result = printed{process->read_rest(timeout), -1};
  if (const auto end = process->wait(std::chrono::seconds{5}))
    result.code = end->signal == 0 ? end->code : -end->signal;
  return result;
}

/// A socket that says and hears bytes, well-formed or not.
class raw_connection {
public:
  explicit raw_connection(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    auto address = sockaddr_in{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~raw_connection() {
    if (socket_ >= 0)
      ::close(socket_);
  }
  raw_connection(const raw_connection&) = delete;
  raw_connection& operator=(const raw_connection&) = delete;

  /// Says bytes, as many as are taken within `patience`; returns how many were.
  std::size_t say(std::string_view bytes, int patience_milliseconds = 10000) {
    std::size_t said = 0;
    while (said < bytes.size()) {
      auto ready = pollfd{socket_, POLLOUT, 0};
      if (::poll(&ready, 1, patience_milliseconds) != 1)
        break;
      const auto n = ::send(socket_, bytes.data() + said, bytes.size() - said, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0)
        break;
      said += static_cast<std::size_t>(n);
    }
    return said;
  }

  /// Hears `bytes` bytes, or fewer if the stream ends or nothing comes for ten seconds.
  std::string hear(std::size_t bytes) {
    auto heard = std::string{};
    char piece[65536];
    while (heard.size() < bytes && !ended) {
      auto ready = pollfd{socket_, POLLIN, 0};
      if (::poll(&ready, 1, 10000) != 1)
        break;
      const auto n = ::recv(socket_, piece, std::min(sizeof piece, bytes - heard.size()), 0);
      ended = n <= 0;
      was_reset = n < 0;
      if (n > 0)
        heard.append(piece, static_cast<std::size_t>(n));
    }
    return heard;
  }

  /// Says no more, and goes on listening.
  void end_input() { ::shutdown(socket_, SHUT_WR); }

  /// Ends as a client does that crashes: with a reset, whatever is unread.
  void vanish() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(socket_, -1));
  }

  /// Hears everything until the stream ends.
  std::string hear_all() { return hear(std::string::npos); }

  bool ended = false;
  bool was_reset = false;

private:
  int socket_;
};

} // namespace troupe
