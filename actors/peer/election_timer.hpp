/// \file
/// When an election is due.
#pragma once

#include "troupe/peer_options.hpp"

#include <cstdint>
#include <random>

namespace troupe {

/// Draws election timeouts, uniformly from [min, max], anew each time, from a seed (N7; paper §5.2).
class election_timer {
public:
  election_timer(const timing& times, std::uint64_t seed) : times_{times}, rng_{seed} {}

  /// Begins a new wait.
  void restart(instant now) {
    const auto spread = static_cast<std::uint64_t>((times_.election_timeout_max - times_.election_timeout_min).count());
    // Not std::uniform_int_distribution: its draws differ between standard libraries, and a seed must mean the same
    // everywhere. The bias of the remainder is below 2^-30.
    const auto jitter = spread == 0 ? 0 : rng_() % (spread + 1);
    deadline_ = now + times_.election_timeout_min + duration{static_cast<duration::rep>(jitter)};
  }

  [[nodiscard]] instant deadline() const { return deadline_; }
  [[nodiscard]] bool is_due(instant now) const { return now >= deadline_; }

  /// A number nobody else is likely to draw: names vote rounds apart across restarts.
  [[nodiscard]] std::uint64_t draw() { return rng_(); }

private:
  timing times_;
  std::mt19937_64 rng_;
  instant deadline_{};
};

} // namespace troupe
