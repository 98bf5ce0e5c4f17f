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
  /// While a failing seed is played again and again with fewer faults.
  void show_shrinking(std::uint64_t seed, std::size_t faults_left, std::size_t faults_drawn, unsigned runs);
  void clear() const;
  /// Since it was made.
  [[nodiscard]] double real_seconds() const;

private:
  /// Not too often.
  [[nodiscard]] bool is_due();

  using clock = std::chrono::steady_clock;

  std::uint64_t seeds_;
  bool is_quiet_;
  bool is_terminal_;
  clock::time_point began_ = clock::now();
  clock::time_point shown_ = clock::now();
};

} // namespace troupe
