/// \file
/// What the kernel says of this process.
#pragma once

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace troupe::testing {

inline std::size_t resident_bytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

inline std::size_t open_files() {
  const std::filesystem::directory_iterator files{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(files, std::filesystem::directory_iterator{}));
}

/// Whether a fact that is about to come true does so soon. For facts of the kernel, which sends no message.
template <class Fact>
bool becomes_true(Fact fact) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!fact())
    if (std::chrono::steady_clock::now() > until)
      return false;
    else
      ::sched_yield();
  return true;
}

} // namespace troupe::testing
