#include "app/resp_client.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe {

namespace {

instant now() {
  return std::chrono::steady_clock::now();
}

std::string encode(const std::vector<std::string>& words) {
  auto result = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words)
    result += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return result;
}

resp_reply lost(std::string why) {
  return {resp_reply::kind::lost, std::move(why), 0, {}};
}

} // namespace

resp_client::resp_client(resp_client&& other) noexcept {
  *this = std::move(other);
}

resp_client& resp_client::operator=(resp_client&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(trouble_, other.trouble_);
  std::swap(received_, other.received_);
  return *this;
}

resp_client::~resp_client() {
  close();
}

void resp_client::close() {
  if (socket_ >= 0)
    ::close(socket_);
  socket_ = -1;
  received_.clear();
}

resp_reply resp_client::lose(std::string why) {
  close();
  trouble_ = std::move(why);
  return lost(trouble_);
}

bool resp_client::wait_for(short events, instant deadline) {
  while (true) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
    pollfd watched{socket_, events, 0};
    auto ready = ::poll(&watched, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (ready > 0)
      return true;
    if (ready < 0 && errno == EINTR)
      continue;
    lose(ready == 0 ? "no answer in time" : std::strerror(errno));
    return false;
  }
}

resp_client resp_client::connect(const endpoint& to, duration timeout) {
  resp_client result;
  auto deadline = now() + timeout;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (auto fault = ::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &hints, &found); fault != 0) {
    result.trouble_ = ::gai_strerror(fault);
    return result;
  }
  for (auto each = found; each != nullptr && !result.is_open(); each = each->ai_next) {
    result.socket_ = ::socket(each->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (result.socket_ < 0)
      continue;
    int fault = ::connect(result.socket_, each->ai_addr, each->ai_addrlen) == 0 ? 0 : errno;
    if (fault == EINPROGRESS) {
      if (!result.wait_for(POLLOUT, deadline))
        continue;
      socklen_t size = sizeof fault;
      ::getsockopt(result.socket_, SOL_SOCKET, SO_ERROR, &fault, &size);
    }
    if (fault != 0)
      result.lose(std::strerror(fault));
  }
  ::freeaddrinfo(found);
  if (result.is_open()) {
    int on = 1;
    ::setsockopt(result.socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    result.trouble_.clear();
  }
  return result;
}

bool resp_client::send_all(std::string_view bytes, instant deadline) {
  while (!bytes.empty()) {
    auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      // A node that stops reading until its answers are fetched must not stop us both.
      if (!wait_for(POLLOUT | POLLIN, deadline) || !receive_some(now()))
        return false;
    } else if (errno != EINTR) {
      lose(std::strerror(errno));
      return false;
    }
  }
  return true;
}

// Takes in what has arrived. With a deadline that has passed, having nothing is no failure.
bool resp_client::receive_some(instant deadline) {
  while (true) {
    char buffer[64 * 1024];
    auto size = ::recv(socket_, buffer, sizeof buffer, 0);
    if (size > 0) {
      received_.feed({buffer, static_cast<std::size_t>(size)});
      return true;
    }
    if (size == 0) {
      lose("the connection was closed");
      return false;
    }
    if (errno == EAGAIN && deadline <= now())
      return true;
    if (errno == EAGAIN && !wait_for(POLLIN, deadline))
      return false;
    if (errno != EAGAIN && errno != EINTR) {
      lose(std::strerror(errno));
      return false;
    }
  }
}

resp_reply resp_client::read_reply(instant deadline) {
  resp_reply found;
  for (;;) {
    switch (received_.next(found)) {
    case resp_reply_reader::outcome::reply: return found;
    case resp_reply_reader::outcome::garbage: return lose("what answers there does not speak RESP");
    case resp_reply_reader::outcome::incomplete:
      if (!wait_for(POLLIN, deadline) || !receive_some(deadline))
        return lost(trouble_);
    }
  }
}

std::vector<resp_reply> resp_client::call_all(const std::vector<std::vector<std::string>>& commands, duration timeout) {
  auto deadline = now() + timeout;
  std::string bytes;
  for (const auto& words : commands)
    bytes += encode(words);
  if (is_open())
    send_all(bytes, deadline);
  std::vector<resp_reply> replies;
  while (replies.size() < commands.size())
    replies.push_back(is_open() ? read_reply(deadline) : lost(trouble_));
  return replies;
}

resp_reply resp_client::call(const std::vector<std::string>& words, duration timeout) {
  return call_all({words}, timeout).front();
}

} // namespace troupe
