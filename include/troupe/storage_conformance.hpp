/// \file
/// The contract of `storage` as checks that anyone can run against a store of his own, in any test framework.
///
///     troupe::storage_under_test mine;
///     mine.fresh = [&] { remove_all(directory); };
///     mine.open = [&] { return std::make_unique<my_store>(directory); };
///     const auto report = troupe::check_storage(mine, {.seed = 7});
///     if (!report.conforms()) std::cerr << report.text();
///
/// Link with the library's persistence part. Needs no CAF. A framework that wants one test per check takes the names
/// from `storage_checks` and runs each with `run_storage_check`.
///
/// What is checked is what storage.hpp says, and nothing of how a store does it: batches may come back cut or joined
/// differently as long as each entry has its index, term, leader time, kind and bytes. Every call to the store is made
/// by the calling thread; read plans, chores and snapshots also run on threads of the checks' own.
///
/// For a store that keeps no snapshots (`storage::keeps_snapshots`) the checks of snapshots, and of where a log begins,
/// are skipped.
#pragma once

#include "troupe/storage.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A store to be checked, and what can be done to the place where it keeps what it is given.
struct storage_under_test {
  /// Opens the store on what the last one left; makes it if the place is empty. Never called while one is open.
  std::function<std::unique_ptr<storage>()> open;

  /// Empties the place. Called while no store is open, before each check.
  std::function<void()> fresh;

  /// Optional: drops what is not durable, as a machine does whose power goes. Called while the store is open; it is
  /// destroyed right after, and what it still writes then must be lost too. Without this, stores are only closed and
  /// opened again, and the checks that need more are skipped.
  std::function<void()> lose_power = {};

  /// Optional, with `lose_power` only: `steps` more steps of the medium (writes, syncs) are carried out, and then no
  /// further one until this is called again. The checks call it, submit, and then lose the power or just close, as if
  /// the process had been killed; the submit may throw or never be done; a snapshot's sink must throw. Before they open
  /// again, they call it with the largest number there is: the medium works again.
  std::function<void(std::size_t steps)> stop_medium_after = {};
};

/// How to check.
struct storage_check_options {
  /// Decides every random choice. The same seed makes the same calls.
  std::uint64_t seed = 1;
  /// Steps of the random history. More find more.
  std::size_t random_steps = 200;
  /// How long a store may take to call `done`.
  std::chrono::milliseconds patience = std::chrono::seconds{30};
};

enum class storage_verdict { passed, failed, skipped };

/// How one check ended.
struct storage_check_result {
  /// The check's name: a sentence about storage.
  std::string check;
  storage_verdict verdict = storage_verdict::passed;
  /// What was expected and what came, or why the check was skipped; empty if it passed.
  std::string words;
  /// Brings the same run back.
  std::uint64_t seed = 0;

  /// One line: verdict, check, words, seed.
  [[nodiscard]] std::string text() const;
};

/// How all of them ended.
struct storage_conformance_report {
  std::vector<storage_check_result> results;

  /// Did no check fail? Those that were skipped say nothing.
  [[nodiscard]] bool conforms() const;
  /// One line per check, then one with the counts.
  [[nodiscard]] std::string text() const;
};

/// Hears of each check as it ends.
using storage_check_sink = std::function<void(const storage_check_result&)>;

/// The names of all checks, in the order in which they run: simple ones first, so that the first failure is the one to
/// look at.
[[nodiscard]] const std::vector<std::string>& storage_checks();

/// Runs one check in a fresh place. `check` must be one of `storage_checks()`; any other name is a failed result.
[[nodiscard]] storage_check_result run_storage_check(std::string_view check, const storage_under_test& subject,
                                                     const storage_check_options& options = {});

/// Runs all checks. Exceptions of the store are failures with words, none gets out. A store that breaks its caller's
/// process (an assertion, a data race) ends the run like any other program.
[[nodiscard]] storage_conformance_report check_storage(const storage_under_test& subject,
                                                       const storage_check_options& options = {},
                                                       const storage_check_sink& sink = {});

} // namespace troupe
