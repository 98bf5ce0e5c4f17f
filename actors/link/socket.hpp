/// \file
/// The few system calls a link makes itself. No CAF; nothing here waits, but for `resolve` and `listen_on` with a name.
#pragma once

#include "actors/link/endpoint.hpp"
#include "actors/link/options.hpp"

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// An address a socket can connect to, IPv4 or IPv6.
struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

/// A numeric address with its port, for logs.
[[nodiscard]] std::string to_string(const socket_address& address);

/// The addresses of a numeric host, without asking anybody; empty for a name.
[[nodiscard]] std::vector<socket_address> numeric_addresses(const endpoint& where);

/// All addresses of a host, in the order the system prefers, or why there are none. Waits for the name service.
[[nodiscard]] std::variant<std::vector<socket_address>, std::string> resolve_addresses(const endpoint& where);

/// A socket whose connection is under way, or why there is none.
[[nodiscard]] std::variant<int, std::string> begin_connect(const socket_address& address, const link_options& options);

/// A socket that listens.
struct listening_socket {
  int socket = -1;
  std::uint16_t port = 0; ///< The one bound, if any free one was asked for.
};

/// Listens on the first address of `where` that can be bound, or says why none can.
[[nodiscard]] std::variant<listening_socket, std::string> listen_on(const endpoint& where);

/// The kernel gives up on bytes that stay unacknowledged for three times `dead_after`.
void bound_unacknowledged(int socket, const link_options& options);

/// The kernel ends a connection whose other end has not answered for about `within`: it asks an idle one for a sign of
/// life, and gives up on bytes that stay unacknowledged, or for which the other end makes no room, that long. For ends
/// that Troupe does not speak its own pings with. `within` is at least 3 s.
void notice_vanished(int socket, duration within);

/// Ends both directions at once, whatever waits: closing alone would keep socket and buffers until a stuck peer reads.
void hang_up(int socket);

} // namespace troupe
