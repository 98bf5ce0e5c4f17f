/// \file
/// Historic bugs of Raft systems, each built in as one line that is asleep: the simulator must find every one of them.
///
/// Only in a build with TROUPE_MUTANTS (preset `mutants`), where one of them can be woken up before anything runs. In
/// every other build `TROUPE_MUTANT(R1)` is the constant `false`, and nothing of all this is in the binary.
#pragma once

#ifndef TROUPE_MUTANTS

#define TROUPE_MUTANT(name) false

#else

#include <cstdint>
#include <span>
#include <string_view>

namespace troupe {

/// Their names are those of the failures they show (docs/testing.md).
enum class mutant : std::uint8_t {
  none,
  canary,
  E1,
  E2,
  E3,
  E4,
  E5,
  E6,
  E8,
  E10,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R11,
  R12,
  R14,
  P1,
  P1_log,
  P3,
  P4,
  P6,
  P8,
  P9,
  P11,
  P12,
  S2,
  S2_start,
  S3,
  S4,
  S6,
  S7,
  S8,
  Q1,
  Q2,
  Q3,
  Q5,
  C2,
  L1,
  O2,
  O3,
  O3_late,
  O3_again,
  Z5,
};

/// The one that is awake. Set before anything runs, and never again.
inline mutant chosen_mutant = mutant::none;

struct mutant_row {
  mutant what = mutant::none;
  std::string_view name;
  std::string_view does;
  /// Whose bug it imitates; `-` if no public one is known.
  std::string_view of;
};

/// All of them, the canary first.
[[nodiscard]] std::span<const mutant_row> all_mutants();

/// Wakes one up by its name; false if there is none of that name.
[[nodiscard]] bool wake_mutant(std::string_view name);

} // namespace troupe

/// Whether the mutant of that name is awake.
#define TROUPE_MUTANT(name) (::troupe::chosen_mutant == ::troupe::mutant::name)

#endif
