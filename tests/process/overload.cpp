#include "tests/process/overload.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

namespace troupe {

namespace {

/// A deaf client's own side takes as little as the system lets it.
constexpr int small_buffer_bytes = 4096;

int connect_to(std::uint16_t port, bool is_deaf) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(socket >= 0);
  if (is_deaf)
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &small_buffer_bytes, sizeof small_buffer_bytes);
  auto address = sockaddr_in{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return socket;
}

} // namespace

std::uint64_t memory_of(const child_process& process, const std::string& field) {
  std::ifstream status{"/proc/" + std::to_string(process.id()) + "/status"};
  for (std::string line; std::getline(status, line);)
    if (line.rfind(field + ":", 0) == 0)
      return std::stoull(line.substr(field.size() + 1)) * 1024; // Given in kB.
  FAIL("no " << field << " of process " << process.id());
  return 0;
}

crowd::crowd(std::uint16_t port, std::size_t members, manners how) : how_{std::move(how)} {
  for (std::size_t i = 0; i < members; ++i) {
    members_.emplace_back();
    members_.back().socket = connect_to(port, !how_.reads);
  }
}

crowd::~crowd() {
  for (auto& each : members_)
    hang_up(each);
}

bool crowd::wants_to_say(const member& one) const {
  return one.said < how_.times && one.said - one.answered < how_.window;
}

void crowd::play(duration span) {
  const auto deadline = std::chrono::steady_clock::now() + span;
  while (!is_done()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0)
      return;
    std::vector<pollfd> ready;
    for (const auto& each : members_) {
      const auto events = (wants_to_say(each) ? POLLOUT : 0) | (how_.reads ? POLLIN : 0);
      ready.push_back({each.socket, static_cast<short>(events), 0});
    }
    if (::poll(ready.data(), ready.size(), static_cast<int>(left)) <= 0)
      return;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      auto& one = members_[i];
      const auto what = ready[i].revents;
      bool is_up = (what & (POLLERR | POLLHUP)) == 0 || (how_.reads && (what & POLLIN) != 0);
      if (is_up && (what & POLLIN) != 0)
        is_up = listen(one);
      if (is_up && (what & POLLOUT) != 0)
        is_up = say(one);
      if (!is_up) {
        ++dropped_;
        hang_up(one);
      }
    }
  }
}

bool crowd::say(member& one) {
  const auto rest = std::string_view{how_.request}.substr(one.within);
  const auto n = ::send(one.socket, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0)
    return errno == EAGAIN;
  sent_bytes_ += static_cast<std::uint64_t>(n);
  one.within += static_cast<std::size_t>(n);
  if (one.within == how_.request.size()) {
    one.within = 0;
    ++one.said;
  }
  return true;
}

bool crowd::listen(member& one) {
  char piece[65536];
  const auto n = ::recv(one.socket, piece, sizeof piece, MSG_DONTWAIT);
  if (n < 0)
    return errno == EAGAIN;
  take(one, {piece, static_cast<std::size_t>(n)});
  return n > 0;
}

void crowd::take(member& one, std::string_view bytes) {
  for (const char each : bytes) {
    if (each != '\n') {
      one.line += each;
      continue;
    }
    ++replies_[one.line.substr(0, one.line.find_first_of(" \r"))];
    ++one.answered;
    one.line.clear();
  }
}

void crowd::hang_up(member& one) {
  if (one.socket >= 0)
    ::close(one.socket);
  one.socket = -1; // Which poll ignores.
}

bool crowd::is_done() const {
  return std::all_of(members_.begin(), members_.end(), [&](const member& each) {
    return each.socket < 0 || (how_.reads && each.said == how_.times && each.answered >= how_.times);
  });
}

std::uint64_t crowd::heard(const std::string& word) const {
  const auto found = replies_.find(word);
  return found == replies_.end() ? 0 : found->second;
}

std::string crowd::words() const {
  std::string text;
  for (const auto& [word, count] : replies_)
    text += word + " " + std::to_string(count) + ", ";
  return text + std::to_string(dropped_) + " dropped, " + std::to_string(sent_bytes_ >> 20) + " MiB sent";
}

} // namespace troupe
