#include "actors/link/socket.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

namespace troupe {

namespace {

using address_list = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

/// Asks getaddrinfo; null and `fault` set if it has nothing to say.
address_list look_up(const endpoint& where, int flags, int& fault) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  fault = getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
  return {fault == 0 ? found : nullptr, &freeaddrinfo};
}

std::vector<socket_address> to_addresses(const address_list& list) {
  std::vector<socket_address> addresses;
  for (const auto* at = list.get(); at != nullptr; at = at->ai_next) {
    socket_address address;
    std::memcpy(&address.bytes, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
    addresses.push_back(address);
  }
  return addresses;
}

std::string lookup_words(const endpoint& where, int fault) {
  return "cannot resolve " + where.host + ": " + (fault == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(fault));
}

const sockaddr* raw(const socket_address& address) {
  return reinterpret_cast<const sockaddr*>(&address.bytes);
}

int open_socket(const socket_address& address) {
  return ::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void set_option(int socket, int level, int option, int value) {
  // An option the system refuses costs speed, not correctness.
  static_cast<void>(::setsockopt(socket, level, option, &value, sizeof(value)));
}

std::uint16_t bound_port(int socket) {
  socket_address mine;
  mine.size = sizeof(mine.bytes);
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&mine.bytes), &mine.size) != 0)
    return 0;
  return mine.bytes.ss_family == AF_INET6 ? ntohs(reinterpret_cast<const sockaddr_in6&>(mine.bytes).sin6_port)
                                          : ntohs(reinterpret_cast<const sockaddr_in&>(mine.bytes).sin_port);
}

/// A listening socket on one address; -1 and errno if it cannot be.
int listen_at(const socket_address& address) {
  const int socket = open_socket(address);
  if (socket < 0)
    return -1;
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(socket, raw(address), address.size) == 0 && ::listen(socket, SOMAXCONN) == 0)
    return socket;
  const int fault = errno;
  ::close(socket);
  errno = fault;
  return -1;
}

} // namespace

std::string to_string(const socket_address& address) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(raw(address), address.size, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV)
      != 0)
    return "unknown";
  return address.bytes.ss_family == AF_INET6 ? '[' + std::string{host} + "]:" + port : std::string{host} + ':' + port;
}

std::vector<socket_address> numeric_addresses(const endpoint& where) {
  int fault = 0;
  return to_addresses(look_up(where, AI_NUMERICHOST, fault));
}

std::variant<std::vector<socket_address>, std::string> resolve_addresses(const endpoint& where) {
  int fault = 0;
  auto addresses = to_addresses(look_up(where, 0, fault));
  if (addresses.empty())
    return lookup_words(where, fault);
  return addresses;
}

std::variant<int, std::string> begin_connect(const socket_address& address, const link_options& options) {
  const int socket = open_socket(address);
  if (socket < 0)
    return std::string{"no socket: "} + std::strerror(errno);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_SNDBUF, static_cast<int>(options.send_buffer_bytes));
  bound_unacknowledged(socket, options);
  if (::connect(socket, raw(address), address.size) == 0 || errno == EINPROGRESS)
    return socket;
  const int fault = errno;
  ::close(socket);
  return "cannot connect to " + to_string(address) + ": " + std::strerror(fault);
}

std::variant<listening_socket, std::string> listen_on(const endpoint& where) {
  int fault = 0;
  const auto addresses = to_addresses(look_up(where, AI_PASSIVE, fault));
  if (addresses.empty())
    return lookup_words(where, fault);
  for (const auto& address : addresses)
    if (const int socket = listen_at(address); socket >= 0)
      return listening_socket{socket, bound_port(socket)};
  return "cannot listen on " + to_string(where) + ": " + std::strerror(errno);
}

void bound_unacknowledged(int socket, const link_options& options) {
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(3 * options.dead_after);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(most.count()));
}

void notice_vanished(int socket, duration within) {
  const auto seconds = static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(within).count());
  const int probes = 2;
  const int between = std::max(1, seconds / 4);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, std::max(1, seconds - probes * between));
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, between);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, probes);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, seconds * 1000);
}

void hang_up(int socket) {
  static_cast<void>(::shutdown(socket, SHUT_RDWR));
}

} // namespace troupe
