/// \file
/// A process that stands still.
#pragma once

#include "tests/process/program.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace troupe {

/// Every thread is stopped. What follows a thread's number and name in its line is its state.
[[nodiscard]] inline bool stands_still(const child_process& process) {
  const std::filesystem::directory_iterator threads{"/proc/" + std::to_string(process.id()) + "/task"};
  return std::all_of(begin(threads), end(threads), [](const std::filesystem::directory_entry& each) {
    std::string line;
    std::getline(std::ifstream{each.path() / "stat"}, line);
    return line.find(") T ") != std::string::npos;
  });
}

/// SIGSTOP, until it has had its effect. `kill` comes back when the signal is pending: one thread has to be given a
/// processor to take it up before the others are stopped, and on a busy machine they answer messages meanwhile.
inline void freeze(const child_process& process) {
  process.send_signal(SIGSTOP);
  REQUIRE(comes_true([&] { return stands_still(process); }));
}

} // namespace troupe
