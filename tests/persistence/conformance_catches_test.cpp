#include "conformance_paper_store.hpp"
#include "troupe/storage_conformance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace troupe::test {

namespace {

/// A broken store, and the check that must fail for it.
struct row {
  flaw broken;
  const char* check;
};

constexpr row rows[] = {
    {flaw::begins_in_term_one, "an empty place recovers as empty"},
    {flaw::forgets_the_candidate, "term and vote come back as written"},
    {flaw::keeps_the_first_vote, "term and vote come back as written"},
    {flaw::drops_votes_beside_entries, "a vote and the entries written with it come back together"},
    {flaw::drops_entries_beside_votes, "a vote and the entries written with it come back together"},
    {flaw::forgets_kinds, "entries come back with their index, term, time, kind and bytes"},
    {flaw::forgets_times, "entries come back with their index, term, time, kind and bytes"},
    {flaw::ends_content_at_zero, "entries come back with their index, term, time, kind and bytes"},
    {flaw::has_16_bit_sizes, "entries without content, of a mebibyte, and ten thousand tiny ones come back"},
    {flaw::drops_empty_entries, "entries without content, of a mebibyte, and ten thousand tiny ones come back"},
    {flaw::does_not_join_runs, "the terms of the whole log are told run by run, exactly"},
    {flaw::keeps_truncated_runs, "the terms of the whole log are told run by run, exactly"},
    {flaw::gives_the_whole_tail, "the tail is consecutive, ends at the last entry and is about as long as asked for"},
    {flaw::gives_no_tail, "the tail is consecutive, ends at the last entry and is about as long as asked for"},
    {flaw::gives_the_head, "the tail is consecutive, ends at the last entry and is about as long as asked for"},
    {flaw::recovers_as_opened, "a group is recovered as it is now, though the store was not opened again"},
    {flaw::mixes_groups, "a hundred groups do not touch each other"},
    {flaw::truncates_all_groups, "a hundred groups do not touch each other"},
    {flaw::invents_an_entry, "a group that has only voted has a vote and no entries"},
    {flaw::appends_without_truncating, "entries are replaced in one write"},
    {flaw::forgets_lone_truncations, "a truncation alone is remembered, also within a batch"},
    {flaw::truncates_whole_batches, "a truncation alone is remembered, also within a batch"},
    {flaw::keeps_the_first_entry, "a log may be truncated wholly and begun anew"},
    {flaw::truncates_one_too_many, "a truncation behind the last entry changes nothing"},
    {flaw::truncates_first, "several writes of one submit take effect in their order"},
    {flaw::tires_of_truncating, "what replaced others is replaced again and again"},
    {flaw::reads_too_far, "any range is read back, over batches and terms"},
    {flaw::reads_from_batch_start, "any range is read back, over batches and terms"},
    {flaw::reads_with_the_last_term, "any range is read back, over batches and terms"},
    {flaw::reads_without_bound, "a read gives about as many bytes as asked for, and at least one entry"},
    {flaw::reads_nothing_if_too_large, "a read gives about as many bytes as asked for, and at least one entry"},
    {flaw::reads_what_is_there_then, "a read planned before a truncation gives what was there, or is refused"},
    {flaw::reads_on_its_thread_only, "reads run on other threads while the store writes"},
    {flaw::reads_into_one_buffer, "what was read stays as it was, whatever the store does next"},
    {flaw::chore_loses_an_entry, "chores run beside submits and lose nothing"},
    {flaw::loses_writes_beside_chores, "chores run beside submits and lose nothing"},
    {flaw::is_done_twice, "done is called once for each submit"},
    {flaw::is_not_done_for_nothing, "done is called once for each submit"},
    {flaw::drops_what_is_under_way,
     "a store closed with a submit under way keeps a beginning of it, or all if it was done"},
    {flaw::never_syncs, "what is done survives a loss of power"},
    {flaw::never_syncs_votes, "what is done survives a loss of power"},
    {flaw::never_syncs_truncations, "what is done survives a loss of power"},
    {flaw::syncs_in_its_first_life_only, "after a loss of power the log goes on, life after life"},
    {flaw::writes_entries_before_votes, "a submit cut short leaves a beginning of it, never a mixture"},
    {flaw::writes_back_to_front, "a submit cut short leaves a beginning of it, never a mixture"},
    {flaw::does_not_sync_what_it_found, "what was recovered survives the next loss of power"},
    {flaw::loses_long_zeros, "a random history comes back after each opening and loss of power"},
    {flaw::ignores_starts, "a start forgets what is before it and keeps what is behind"},
    {flaw::starts_void_all, "a start forgets what is before it and keeps what is behind"},
    {flaw::starts_at_whole_batches, "a start forgets what is before it and keeps what is behind"},
    {flaw::empties_to_zero, "a log that begins behind its last entry is empty, and goes on there"},
    {flaw::starts_by_index_alone, "a start that the log does not have empties it, and it goes on behind"},
    {flaw::starts_need_entries, "a group may begin with a start"},
    {flaw::truncations_move_starts, "only a start moves the start"},
    {flaw::keeps_the_first_oldest, "only a start moves the start"},
    {flaw::starts_last, "vote, start, truncation and entries of a write take effect in this order"},
    {flaw::starts_all_groups, "each group begins where it was told to"},
    {flaw::tells_runs_from_one, "terms, tails and reads are right behind a start at any place"},
    {flaw::starts_once, "terms, tails and reads are right behind a start at any place"},
    {flaw::reads_what_is_there_then, "a read planned before a start gives what was there, or is refused"},
    {flaw::never_syncs_starts, "a start that is done survives a loss of power"},
    {flaw::writes_starts_late, "a start cut short leaves a beginning of its write, never a mixture"},
    {flaw::knows_unfinished_snapshots, "a snapshot is unknown until it is finished"},
    {flaw::keeps_unfinished_snapshots, "a snapshot that is not finished leaves nothing"},
    {flaw::overwrites_snapshots, "a snapshot that is not finished leaves nothing"},
    {flaw::forgets_snapshot_times,
     "a snapshot comes back with its place, time and size, and with its bytes at every offset"},
    {flaw::has_16_bit_snapshots,
     "a snapshot comes back with its place, time and size, and with its bytes at every offset"},
    {flaw::reads_snapshot_pages,
     "a snapshot comes back with its place, time and size, and with its bytes at every offset"},
    {flaw::keeps_the_first_snapshot, "a snapshot of the same place replaces the one before"},
    {flaw::gives_newest_first, "snapshots come oldest first, and none that a start has no use for"},
    {flaw::keeps_outdated_snapshots, "snapshots come oldest first, and none that a start has no use for"},
    {flaw::removes_what_is_read, "a snapshot that is being read stays readable when it is removed"},
    {flaw::mixes_snapshots, "snapshots of two groups are not mixed"},
    {flaw::drops_snapshots_ahead, "a snapshot may be ahead of its log, and takes its place with a start"},
    {flaw::loses_overtaken_snapshots, "a snapshot is written beside submits"},
    {flaw::never_syncs_snapshots, "a finished snapshot survives a loss of power, and one under way harms nothing"},
    {flaw::knows_snapshots_before_sync, "a snapshot cut short is there whole or not at all"},
};

} // namespace

TEST_CASE("each broken store fails the check of what it breaks, with words and the seed") {
  for (const auto& each : rows) {
    const auto result =
        run_storage_check(each.check, paper_place(each.broken), {.seed = 5, .patience = std::chrono::milliseconds{50}});
    const auto words = result.text();
    CAPTURE(static_cast<int>(each.broken));
    CAPTURE(words);
    CHECK(result.verdict == storage_verdict::failed);
    CHECK_FALSE(result.words.empty());
    CHECK(words.find("(seed 5)") != std::string::npos);
  }
}

TEST_CASE("each check fails for at least one store that is broken on purpose") {
  std::set<std::string> catching;
  for (const auto& each : rows)
    catching.insert(each.check);
  for (const auto& check : storage_checks()) {
    CAPTURE(check);
    CHECK(catching.contains(check));
  }
}

TEST_CASE("the random history by itself finds more than half of the broken stores") {
  std::size_t found = 0;
  std::string missed;
  for (const auto& each : rows) {
    const auto result =
        run_storage_check("a random history comes back after each opening and loss of power", paper_place(each.broken),
                          {.seed = 2, .random_steps = 300, .patience = std::chrono::milliseconds{50}});
    found += result.verdict == storage_verdict::failed ? 1 : 0;
    if (result.verdict != storage_verdict::failed)
      missed += " " + std::to_string(static_cast<int>(each.broken));
  }
  CAPTURE(missed);
  CHECK(found * 2 > std::size(rows));
}

} // namespace troupe::test
