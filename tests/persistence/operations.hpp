/// \file
/// What a node does to its store, operation by operation: submits with votes, starts, truncations and entries,
/// snapshots, chores and idle moments. By seed, always the same.
#pragma once

#include "ledger.hpp"

#include "troupe/assert.hpp"

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace troupe::test {

class operations {
public:
  static constexpr std::uint32_t groups = 3;

  explicit operations(std::uint64_t seed, std::size_t largest_content = 500)
      : writes_{seed, groups, largest_content}, random_{seed} {}

  /// Carries out the next one. Whatever it throws but `out_of_space`, which it deals with, ends the process.
  void next(log_storage& log, ledger& told) {
    // Chores go on beside the submits: some are done before the next one, some after.
    auto work = random_() % 2 == 0 ? log.next_chore() : std::nullopt;
    if (++count_ % 10 == 7)
      save_snapshot(log, told);
    else
      submit(log, told, writes_.next());
    if (work) {
      (*work)();
      log.chore_done();
    } else {
      tidy_up(log);
    }
    // A full disk is waited for.
    for (int i = 0; i < 20 && told.is_waiting(); ++i)
      tidy_up(log);
    TROUPE_ASSERT(!told.is_waiting(), "what was submitted is done when there is room");
    if (random_() % 8 == 0)
      if (const auto idle = log.when_idle())
        (*idle)();
  }

private:
  static void submit(log_storage& log, ledger& told, const std::vector<log_write>& writes) {
    try {
      told.submit(log, writes);
    } catch (const out_of_space&) {
      told.submit(log, writes); // It was for a snapshot that a start needs. By now there is room.
    }
  }

  void save_snapshot(log_storage& log, ledger& told) {
    const auto group = static_cast<std::uint32_t>(random_() % groups);
    const auto found = told.done().find(group);
    if (found == told.done().end() || found->second.last() == 0)
      return;
    const log_position at{term_number{found->second.last_term()}, log_index{found->second.last()}};
    try {
      told.save(log, group_id{group}, {at, 3});
    } catch (const out_of_space&) {
      // The next one will do.
    }
  }

  static void tidy_up(log_storage& log) {
    if (const auto work = log.next_chore()) {
      (*work)();
      log.chore_done();
    }
  }

  history writes_;
  std::mt19937_64 random_;
  std::uint64_t count_ = 0;
};

} // namespace troupe::test
