#include "app/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

namespace troupe {

namespace {

instant now() {
  return std::chrono::steady_clock::now();
}

int milliseconds_until(instant deadline) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& each : strings)
    result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_without(const std::vector<std::string>& hidden) {
  std::vector<std::string> result;
  for (auto each = environ; *each != nullptr; ++each) {
    std::string_view line = *each;
    auto name = line.substr(0, line.find('='));
    if (std::find(hidden.begin(), hidden.end(), name) == hidden.end())
      result.emplace_back(line);
  }
  return result;
}

// Runs between fork and exec, where only async-signal-safe calls are allowed.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* variables, int output, int log,
                         pid_t parent) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() == parent && ::dup2(output, STDOUT_FILENO) >= 0 && ::dup2(log, STDERR_FILENO) >= 0)
    ::execve(program, arguments, variables);
  ::_exit(127);
}

} // namespace

std::string process_end::words() const {
  if (signal == 0)
    return "exit code " + std::to_string(code);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

std::optional<child_process> child_process::start(const std::string& program, const std::vector<std::string>& arguments,
                                                  const std::string& log, const std::vector<std::string>& without,
                                                  std::string& why) {
  auto words = arguments;
  words.insert(words.begin(), program);
  auto variables = environment_without(without);
  auto word_pointers = pointers(words);
  auto variable_pointers = pointers(variables);
  int log_file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log_file < 0) {
    why = log + ": " + std::strerror(errno);
    return std::nullopt;
  }
  int ends[2];
  pid_t id = -1;
  if (::pipe2(ends, O_CLOEXEC) == 0) {
    auto parent = ::getpid();
    id = ::fork();
    if (id == 0)
      become(program.c_str(), word_pointers.data(), variable_pointers.data(), ends[1], log_file, parent);
    why = std::strerror(errno);
    ::close(ends[1]);
    if (id < 0)
      ::close(ends[0]);
  } else {
    why = std::strerror(errno);
  }
  ::close(log_file);
  if (id < 0)
    return std::nullopt;
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return child_process{id, ends[0]};
}

child_process::child_process(child_process&& other) noexcept {
  *this = std::move(other);
}

child_process& child_process::operator=(child_process&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(output_, other.output_);
  std::swap(received_, other.received_);
  std::swap(end_, other.end_);
  return *this;
}

child_process::~child_process() {
  if (id_ > 0 && !ended()) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  if (output_ >= 0)
    ::close(output_);
}

// Takes in what its stdout has; false if it is closed or nothing came in time.
bool child_process::read_some(instant deadline) {
  while (true) {
    char buffer[4096];
    auto size = ::read(output_, buffer, sizeof buffer);
    if (size > 0) {
      received_.append(buffer, static_cast<std::size_t>(size));
      return true;
    }
    if (size == 0 || (errno != EAGAIN && errno != EINTR))
      return false;
    pollfd watched{output_, POLLIN, 0};
    if (errno == EAGAIN && ::poll(&watched, 1, milliseconds_until(deadline)) == 0)
      return false;
  }
}

std::optional<std::string> child_process::read_line(duration timeout) {
  auto deadline = now() + timeout;
  auto end = received_.find('\n');
  while (end == std::string::npos) {
    if (!read_some(deadline))
      return std::nullopt;
    end = received_.find('\n');
  }
  auto line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

std::string child_process::read_rest(duration timeout) {
  auto deadline = now() + timeout;
  while (read_some(deadline)) {
  }
  return std::exchange(received_, {});
}

void child_process::send_signal(int number) const {
  if (!end_)
    ::kill(id_, number);
}

std::optional<process_end> child_process::ended() {
  int status = 0;
  if (!end_ && ::waitpid(id_, &status, WNOHANG) == id_)
    end_ = WIFSIGNALED(status) ? process_end{0, WTERMSIG(status)} : process_end{WEXITSTATUS(status), 0};
  return end_;
}

std::optional<process_end> child_process::wait(duration timeout) {
  // A descriptor of the process becomes readable when it ends. Where a sandbox offers none, look again and again.
  auto deadline = now() + timeout;
  int handle = static_cast<int>(::syscall(SYS_pidfd_open, id_, 0));
  while (!ended() && now() < deadline) {
    pollfd watched{handle, POLLIN, 0};
    ::poll(&watched, 1, handle >= 0 ? milliseconds_until(deadline) : 10);
  }
  if (handle >= 0)
    ::close(handle);
  return ended();
}

} // namespace troupe
