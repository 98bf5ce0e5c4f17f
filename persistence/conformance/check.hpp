/// \file
/// What a check is. Each file checks_*.cpp holds the checks of one part of the contract.
#pragma once

#include "persistence/conformance/bench.hpp"

#include <string_view>
#include <vector>

namespace troupe::conformance {

/// Bits of what a check needs besides opening and closing.
enum class needs { nothing, power_loss, stopping_medium };

struct check {
  /// A sentence about storage.
  std::string_view name;
  /// Gets an open store in a fresh place. Throws `nonconformance`, or `not_applicable`.
  void (*run)(bench&);
  needs need = needs::nothing;
  /// For stores that keep snapshots only.
  bool is_on_snapshots = false;
};

/// Votes, entries, terms and tails; groups; large and small.
[[nodiscard]] std::vector<check> content_checks();
/// Order and truncation.
[[nodiscard]] std::vector<check> truncation_checks();
/// Reading back, reads on other threads, chores.
[[nodiscard]] std::vector<check> reading_checks();
/// Where a log begins.
[[nodiscard]] std::vector<check> start_checks();
/// Snapshots, and what is in them.
[[nodiscard]] std::vector<check> snapshot_checks();
/// Completions and power.
[[nodiscard]] std::vector<check> durability_checks();

} // namespace troupe::conformance
