/// \file
/// Runs the `troupe` program as its users do.
#pragma once

#include "app/child_process.hpp"
#include "app/demo_cluster.hpp"

#include <doctest/doctest.h>

#include <stdlib.h>
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace troupe {

/// The program under test: TROUPE_BIN of the environment, else the one that was built along.
inline const std::string troupe_program = ::getenv("TROUPE_BIN") ? ::getenv("TROUPE_BIN") : TROUPE_PROGRAM;

/// A directory that is gone when the test is over; one that failed leaves it, with its name on stderr.
class scratch_directory {
public:
  scratch_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~scratch_directory() {
    if (std::uncaught_exceptions() > 0) {
      std::cerr << "kept for you to look at: " << path_ << std::endl;
      return;
    }
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
  std::string path_;
};

[[nodiscard]] inline std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

/// What a run left behind.
struct outcome {
  process_end end;
  std::string out;
  std::string err;
};

/// Runs the program to its end.
[[nodiscard]] inline outcome run_to_end(const std::vector<std::string>& arguments,
                                        duration timeout = std::chrono::seconds{20}) {
  scratch_directory scratch;
  std::string why;
  auto process = child_process::start(troupe_program, arguments, scratch / "err", {}, why);
  REQUIRE_MESSAGE(process, why);
  outcome result;
  result.out = process->read_rest(timeout);
  auto end = process->wait(std::chrono::seconds{1});
  REQUIRE_MESSAGE(end, "still running after its time");
  result.end = *end;
  result.err = contents(scratch / "err");
  return result;
}

/// Looks again and again, until `done` says yes or `timeout` has passed.
template <class Done>
[[nodiscard]] bool comes_true(Done done, duration timeout = std::chrono::seconds{20}) {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    ::usleep(5000);
  }
  return true;
}

} // namespace troupe
