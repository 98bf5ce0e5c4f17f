/// \file
/// Random writes that a peer could make, from one seed.
#pragma once

#include "persistence/conformance/model.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::conformance {

/// Chance from one seed: the same on every machine, which the distributions of the standard library do not promise.
class chance {
public:
  explicit chance(std::uint64_t seed) : state_{seed} {}

  /// Uniform in 0 .. `bound` - 1; `bound` is at least 1.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// True once in `n` times.
  [[nodiscard]] bool once_in(std::uint64_t n) { return below(n) == 0; }

private:
  std::uint64_t next();

  std::uint64_t state_;
};

/// Draws the writes of one submit, one to four, of groups 0 to `groups` - 1, to continue what `held` has: terms rise,
/// each has one vote, an entry's term is never above its group's, now and then the newest entries are replaced,
/// and, if there is a snapshot, the oldest forgotten.
[[nodiscard]] std::vector<log_write> draw_writes(chance& luck, const store_image& held, std::uint32_t groups);

/// Draws a snapshot that a peer of that group could take or be sent: not before its newest. Nothing, if it could not.
[[nodiscard]] std::optional<snapshot_image> draw_snapshot(chance& luck, const group_image& group);

} // namespace troupe::conformance
