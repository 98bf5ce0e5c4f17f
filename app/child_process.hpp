/// \file
/// Another program, started by this one, that ends with it at the latest.
#pragma once

#include "troupe/types.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// How a process ended.
struct process_end {
  int code = 0;   ///< Its exit code, if it ended by itself.
  int signal = 0; ///< The signal that ended it, or 0.

  /// "exit code 5", "signal 9 (Killed)".
  [[nodiscard]] std::string words() const;
};

/// A running process whose stdout can be read line by line. It gets a process group of its own, so that Ctrl-C in a
/// terminal reaches it only through its parent, and SIGTERM when the parent dies.
class child_process {
public:
  /// Starts `program` with `arguments`; its stderr goes to the end of the file `log`, and the environment variables
  /// named in `without` are hidden from it. Nothing if it cannot be started; `why` then says so.
  [[nodiscard]] static std::optional<child_process> start(const std::string& program,
                                                          const std::vector<std::string>& arguments,
                                                          const std::string& log,
                                                          const std::vector<std::string>& without, std::string& why);

  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&& other) noexcept;
  /// Kills it if it still runs.
  ~child_process();

  [[nodiscard]] pid_t id() const { return id_; }

  /// The next line of its stdout, without its end. Nothing if none comes in time, or stdout is closed.
  [[nodiscard]] std::optional<std::string> read_line(duration timeout);

  /// Everything of its stdout that has not been read as lines, until it is closed or `timeout` has passed.
  [[nodiscard]] std::string read_rest(duration timeout);

  void send_signal(int number) const;

  /// How it ended, if it has ended.
  [[nodiscard]] std::optional<process_end> ended();
  /// Waits for the end.
  [[nodiscard]] std::optional<process_end> wait(duration timeout);

private:
  child_process(pid_t id, int output) : id_{id}, output_{output} {}
  bool read_some(instant deadline);

  pid_t id_ = -1;
  int output_ = -1;
  std::string received_;
  std::optional<process_end> end_;
};

} // namespace troupe
