/// \file
/// How long to wait before the next attempt. A mind.
#pragma once

#include "troupe/types.hpp"

#include <algorithm>
#include <random>

namespace troupe {

/// Doubles from one failure to the next, between two bounds, and moves each wait by up to a quarter either way, so that
/// nodes that lost each other at the same instant do not come back in step.
class backoff {
public:
  backoff(duration least, duration most, std::uint64_t seed) : least_{least}, most_{most}, random_{seed} {}

  /// The wait after one more failure: within 3/4 and 5/4 of the doubled base, never above `most`.
  [[nodiscard]] duration after_failure() {
    base_ = base_ == duration{} ? least_ : std::min(most_, base_ * 2);
    auto spread = std::uniform_int_distribution<duration::rep>{base_.count() * 3 / 4, base_.count() * 5 / 4};
    return std::min(most_, duration{spread(random_)});
  }

  /// It worked: the next failure waits least again.
  void reset() { base_ = duration{}; }

private:
  duration least_;
  duration most_;
  duration base_{};
  std::mt19937_64 random_;
};

} // namespace troupe
