/// \file
/// How far a long simulation is, for whoever waits for it.
#pragma once

#include <chrono>
#include <cstdint>

namespace troupe {

/// Prints to stderr: a bar on a terminal, a line every ten seconds elsewhere. Reads the real clock: nothing on the
/// stage depends on it.
class sim_progress {
public:
  sim_progress(std::uint64_t seeds, bool is_quiet);

  void show(std::uint64_t done, double virtual_seconds, std::uint64_t steps, std::uint64_t violations);
  void clear() const;
  /// Since it was made.
  [[nodiscard]] double real_seconds() const;

private:
  using clock = std::chrono::steady_clock;

  std::uint64_t seeds_;
  bool is_quiet_;
  bool is_terminal_;
  clock::time_point began_ = clock::now();
  clock::time_point shown_ = clock::now();
};

} // namespace troupe
