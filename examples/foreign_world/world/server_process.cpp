#include "world/server_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace world {

namespace {

struct pipe_ends {
  int read = -1;
  int write = -1;
};

// Closed on exec, so that no peer holds another one's pipe open.
pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::system_error{errno, std::generic_category(), "pipe"};
  return {ends[0], ends[1]};
}

[[noreturn]] void become_peer(const pipe_ends& to, const pipe_ends& from, const server_identity& who) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // No peer outlives its world.
  ::dup2(to.read, STDIN_FILENO);
  ::dup2(from.write, STDOUT_FILENO);
  const auto server = std::to_string(who.server);
  const auto servers = std::to_string(who.servers);
  const auto seed = std::to_string(who.seed);
  ::execl("/proc/self/exe", "foreign_world", "peer", server.c_str(), servers.c_str(), seed.c_str(), nullptr);
  ::_exit(127);
}

} // namespace

server_process::server_process(event_loop& loop, const server_identity& who, std::function<void(frame)> heard,
                               std::function<void()> ended)
    : loop_{loop}, heard_{std::move(heard)}, ended_{std::move(ended)} {
  const auto to = make_pipe();
  const auto from = make_pipe();
  process_ = ::fork();
  if (process_ < 0)
    throw std::system_error{errno, std::generic_category(), "fork"};
  if (process_ == 0)
    become_peer(to, from, who);
  ::close(to.read);
  ::close(from.write);
  to_ = to.write;
  from_ = from.read;
  ::fcntl(to_, F_SETFL, O_NONBLOCK);
  ::fcntl(from_, F_SETFL, O_NONBLOCK);
  loop_.watch(from_, [this] { read_some(); });
}

server_process::~server_process() {
  loop_.forget(to_);
  loop_.forget(from_);
  ::close(to_);
  ::close(from_);
  if (process_ != 0) {
    kill();
    ::waitpid(process_, nullptr, 0);
  }
}

void server_process::kill() {
  ::kill(process_, SIGKILL);
}

void server_process::send(const frame& f) {
  unsent_ += encoded(f);
  write_some();
}

void server_process::write_some() {
  while (!unsent_.empty()) {
    const auto n = ::write(to_, unsent_.data(), unsent_.size());
    if (n < 0 && errno == EAGAIN) {
      loop_.when_writable(to_, [this] { write_some(); });
      return;
    }
    if (n < 0 && errno != EINTR) {
      unsent_.clear(); // Nobody is left to read it.
      return;
    }
    unsent_.erase(0, n < 0 ? 0 : static_cast<std::size_t>(n));
  }
}

void server_process::read_some() {
  std::array<char, 65536> piece;
  const auto n = ::read(from_, piece.data(), piece.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    loop_.forget(from_);
    ended_();
    return;
  }
  incoming_.feed({piece.data(), static_cast<std::size_t>(n)});
  while (auto f = incoming_.next())
    heard_(std::move(*f));
}

std::optional<std::string> server_process::await_end() {
  int status = 0;
  ::waitpid(std::exchange(process_, 0), &status, 0);
  if (WIFSIGNALED(status))
    return std::string{"killed by signal "} + ::strsignal(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0)
    return "exit code " + std::to_string(WEXITSTATUS(status));
  return std::nullopt;
}

} // namespace world
