/// \file
/// Which rare states a run has come to. A simulator that never sees a torn write proves nothing about torn writes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace troupe {

/// States that many runs together should all have seen, each sometimes.
enum class sometimes : std::uint8_t {
  leader_crashes_with_open_commands,
  candidate_crashes,
  follower_crashes_before_its_sync,
  crash_between_messages,
  torn_write_undone,
  start_with_a_snapshot,
  snapshot_sent,
  snapshot_installed,
  snapshot_resumed,
  conflicting_entries_cut_off,
  pre_vote_refused,
  vote_refused,
  election_without_winner,
  two_leaders_at_once,
  leader_paused_past_its_term,
  leader_steps_down_in_its_term,
  reply_of_an_earlier_term,
  message_after_its_sender_died,
  append_refused_by_a_short_log,
  append_refused_by_another_term,
  old_entry_committed_by_a_new_one,
  leadership_handed_over,
  full_leader,
  full_follower,
  stalled_leader,
  sync_failed,
  command_refused_busy,
  command_uncertain,
  read_not_ready,
  read_through_the_log,
  command_passed_on,
  start_without_room,
  damage_refused,
  damage_declared,
  damage_repaired,
  damage_outlived,
  lie_refused,
  lie_declared,
  lie_unnoticed,
  lie_harmless,
  wiped_disk_refused,
  old_copy_refused,
  minority_serves_nobody,
  count_
};

inline constexpr auto sometimes_count = static_cast<std::size_t>(sometimes::count_);

/// What a mark is called in print.
[[nodiscard]] std::string_view name_of(sometimes mark);

/// How often each was met.
class coverage {
public:
  void hit(sometimes mark) { ++counts_[static_cast<std::size_t>(mark)]; }
  [[nodiscard]] std::uint64_t of(sometimes mark) const { return counts_[static_cast<std::size_t>(mark)]; }
  void add(const coverage& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i] += other.counts_[i];
  }

private:
  std::array<std::uint64_t, sometimes_count> counts_{};
};

} // namespace troupe
