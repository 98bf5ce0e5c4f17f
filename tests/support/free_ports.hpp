/// \file
/// Ports for what is to listen later. Below the range from which the system takes ports for outgoing connections and
/// for who asks for any port: else a dialer, or another test, could be given the very port before its owner listens
/// there.
#pragma once

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace troupe::testing {

/// Whether nobody listens on this port of loopback now.
inline bool is_free_port(std::uint16_t port) {
  const auto probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto is_bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return is_bound;
}

/// Ports of loopback on which nobody listens now, all different.
inline std::vector<std::uint16_t> free_ports(std::size_t count) {
  std::random_device seed;
  std::uniform_int_distribution<std::uint16_t> any{10'000, 32'000};
  std::vector<std::uint16_t> ports;
  for (int attempt = 0; ports.size() < count; ++attempt) {
    REQUIRE_MESSAGE(attempt < 10'000, "no port is free");
    const auto port = any(seed);
    if (std::find(ports.begin(), ports.end(), port) == ports.end() && is_free_port(port))
      ports.push_back(port);
  }
  return ports;
}

inline std::uint16_t free_port() {
  return free_ports(1).front();
}

} // namespace troupe::testing
