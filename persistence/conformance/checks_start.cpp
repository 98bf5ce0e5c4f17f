#include "persistence/conformance/check.hpp"
#include "persistence/conformance/writes.hpp"

#include <limits>

namespace troupe::conformance {

namespace {

constexpr group_id g0{0};
constexpr group_id g1{1};
constexpr std::size_t plenty = std::numeric_limits<std::size_t>::max();

/// Twelve entries in batches of several: 1 to 4 of term 1, 5 to 12 of term 2. Both groups have them.
void begin(bench& place) {
  for (const auto group : {g0, g1})
    place.write({{group, vote(2), std::nullopt, {filler(1, 1, 4, 30), filler(2, 5, 3, 30), filler(2, 8, 5, 30)}}});
}

void compare_now_and_reopened(bench& place) {
  for (const auto is_reopened : {false, true}) {
    if (is_reopened)
      place.reopen();
    place.expect_all_same();
    for (const auto group : {g0, g1})
      if (const auto& held = place.expected(group); !held.entries.empty())
        place.expect_read({group, held.first(), held.last(), plenty});
  }
}

/// A snapshot of that place, and the log begins behind it.
void forget(bench& place, std::uint64_t term, std::uint64_t index, group_id group = g0) {
  const auto mark = mark_at(term, index);
  place.save_snapshot(group, mark, snapshot_text(index, 100));
  place.write({starting(group, behind(mark, index))});
}

void prefix_forgotten(bench& place) {
  begin(place);
  forget(place, 1, 2); // Within a batch,
  compare_now_and_reopened(place);
  forget(place, 2, 7); // at the end of one,
  compare_now_and_reopened(place);
  place.write({appending(g0, {filler(2, 13, 2, 30)})});
  forget(place, 2, 13); // and one that came behind a start.
  compare_now_and_reopened(place);
}

void all_forgotten(bench& place) {
  begin(place);
  forget(place, 2, 12);
  const auto found = place.recover(g0, 1000);
  require(found.last == log_index{12} && found.terms.empty() && found.tail.empty(),
          "a log that begins behind its last entry, 12, has a last index of " + std::to_string(found.last.value())
              + ", terms or a tail");
  compare_now_and_reopened(place);
  place.write({{g0, vote(3, 1), std::nullopt, {filler(2, 13, 1, 30), filler(3, 14, 2, 30)}}});
  compare_now_and_reopened(place);
}

void unknown_start(bench& place) {
  begin(place);
  forget(place, 2, 20); // Beyond the end.
  compare_now_and_reopened(place);
  place.write({appending(g0, {filler(2, 21, 3, 30)})});
  compare_now_and_reopened(place);
  place.write({voting(g0, vote(4))});
  forget(place, 4, 22); // Another term there.
  compare_now_and_reopened(place);
  place.write({appending(g0, {filler(4, 23, 1, 30)})});
  compare_now_and_reopened(place);
}

void started_afresh(bench& place) {
  place.write({voting(g0, vote(5, 2))});
  forget(place, 3, 1000);
  compare_now_and_reopened(place);
  place.write({appending(g0, {filler(4, 1001, 2, 30)})});
  compare_now_and_reopened(place);
}

/// What moves the start is a start, and nothing else.
void start_stays(bench& place) {
  begin(place);
  place.save_snapshot(g0, mark_at(1, 3), snapshot_text(3, 50));
  place.save_snapshot(g0, mark_at(2, 8), snapshot_text(8, 50));
  place.write({starting(g0, behind(mark_at(2, 6), 3))}); // Further back than the newest: a trailing part is kept.
  compare_now_and_reopened(place);
  place.write({starting(g0, behind(mark_at(2, 6), 3))}); // Told again.
  compare_now_and_reopened(place);
  place.write({starting(g0, behind(mark_at(2, 6), 8))}); // The oldest snapshot moves alone.
  compare_now_and_reopened(place);
  place.write({{g0, vote(3, 1), log_index{7}, {}}}); // Truncated down to the start.
  compare_now_and_reopened(place);
  place.write({appending(g0, {filler(3, 7, 3, 30)})});
  place.write({voting(g0, vote(4)), truncating(g0, 9, {filler(4, 9, 1, 30)})});
  compare_now_and_reopened(place);
}

void parts_in_order(bench& place) {
  begin(place);
  place.save_snapshot(g0, mark_at(5, 20), snapshot_text(20, 50));
  // The start voids what is there; then come entries that go on behind it. And all of a term that the vote brings.
  auto write = starting(g0, behind(mark_at(5, 20), 20));
  write.vote = vote(5, 3);
  write.append = {filler(5, 21, 2, 30), filler(5, 23, 2, 30)};
  place.write({write});
  compare_now_and_reopened(place);
  // The start keeps a suffix; the truncation takes part of that; then the rest is new.
  place.save_snapshot(g0, mark_at(5, 21), snapshot_text(21, 50));
  write = starting(g0, behind(mark_at(5, 21), 21));
  write.vote = vote(6);
  write.truncate_from = log_index{23};
  write.append = {filler(6, 23, 3, 30)};
  place.write({write});
  compare_now_and_reopened(place);
  // Several in one submit.
  place.save_snapshot(g0, mark_at(6, 27), snapshot_text(27, 50));
  place.write({appending(g0, {filler(6, 26, 2, 30)}), starting(g0, behind(mark_at(6, 27), 27)),
               appending(g0, {filler(6, 28, 1, 30)}), truncating(g0, 28, {filler(6, 28, 2, 40)})});
  compare_now_and_reopened(place);
}

void groups_begin_apart(bench& place) {
  begin(place);
  forget(place, 1, 3, g0);
  compare_now_and_reopened(place);
  forget(place, 2, 9, g1);
  compare_now_and_reopened(place);
}

/// Terms, tails and reads at each place where a start can cut.
void anywhere(bench& place) {
  begin(place);
  for (std::uint64_t index = 1; index <= 12; ++index) {
    forget(place, index <= 4 ? 1 : 2, index);
    for (const auto is_reopened : {false, true}) {
      if (is_reopened)
        place.reopen();
      const auto& held = place.expected(g0);
      for (const std::size_t asked : {0, 1, 60, 1000}) {
        const auto where = "a tail of " + std::to_string(asked) + " bytes behind index " + std::to_string(index);
        const auto found = place.recover(g0, asked);
        require(found.terms == runs_of(held),
                where + ": expected the terms " + words_of(runs_of(held)) + ", got " + words_of(found.terms));
        require(found.last == log_index{12}, where + ": the last index is " + std::to_string(found.last.value()));
        if (found.tail.empty())
          continue;
        const auto first = found.tail.front().first();
        require(first >= held.first(), where + ": begins at " + std::to_string(first.value()));
        auto next = first;
        for (const auto& each : images_of(found.tail, first, where)) {
          require(next <= held.last() && each == held.at(next),
                  where + ": another entry at index " + std::to_string(next.value()));
          next = next.next();
        }
        require(next == held.last().next(), where + ": ends before the log does");
      }
      for (auto first = held.first(); first <= held.last(); first = first.next())
        for (auto last = first; last <= held.last(); last = last.next())
          place.expect_read({g0, first, last, 70});
    }
  }
}

void read_before_start(bench& place) {
  begin(place);
  const auto before = place.expected(g0);
  const auto plan = place.plan_read({g0, log_index{2}, log_index{11}, plenty});
  forget(place, 2, 10);
  place.write({appending(g0, {filler(2, 13, 5, 200)})});
  while (place.run_chore())
    ;
  try {
    const auto found = images_of(plan(), log_index{2}, "a read planned before a start");
    require(!found.empty() && found.size() <= 10, "a read planned before a start: other entries than asked for");
    for (std::size_t i = 0; i < found.size(); ++i)
      require(found[i] == before.at(log_index{i + 2}),
              "a read planned before a start gave another entry at index " + std::to_string(i + 2));
  } catch (const nonconformance&) {
    throw;
  } catch (const std::exception&) {
    // Refused: what was asked for is forgotten.
  }
  compare_now_and_reopened(place);
}

void start_survives(bench& place) {
  const auto survives = [&](log_write write) {
    place.write({std::move(write)});
    place.lose_power_and_reopen();
    place.expect_all_same();
  };
  begin(place);
  place.save_snapshot(g0, mark_at(2, 6), snapshot_text(6, 300));
  survives(starting(g0, behind(mark_at(2, 6), 6)));
  survives(appending(g0, {filler(2, 13, 1, 300)}));
  place.save_snapshot(g0, mark_at(2, 40), snapshot_text(40, 300));
  survives(starting(g0, behind(mark_at(2, 40), 6)));
  survives(starting(g0, behind(mark_at(2, 40), 40)));
  survives(appending(g0, {filler(2, 41, 4, 300)}));
}

/// The write of a follower that has installed a snapshot, and of one that has taken one.
void start_cut_short(bench& place) {
  begin(place);
  for (std::size_t steps = 0; steps < 14; ++steps) {
    for (const auto is_known : {true, false}) {
      const auto& held = place.expected(g0);
      const auto term = held.vote.current_term.value() + 1;
      const auto last = held.last().value();
      place.write({{g0, vote(term), std::nullopt, {filler(term, last + 1, 4, 200)}}});
      const auto mark = is_known ? mark_at(term, last + 2) : mark_at(term + 1, last + 9);
      const auto end = is_known ? last + 4 : last + 9;
      place.save_snapshot(g0, mark, snapshot_text(term, 500));
      auto write = starting(g0, behind(mark, mark.at.index.value()));
      write.vote = vote(term + 1, 2);
      write.append = {filler(term + 1, end + 1, 2, 700), filler(term + 1, end + 3, 1, 30)};
      if (place.write_cut_short({write}, steps, steps % 2 == 0 ? ending::power_loss : ending::process_end) && steps > 0
          && !is_known)
        return; // No step of the write is left to stop at.
    }
  }
}

} // namespace

std::vector<check> start_checks() {
  return {
      {"a start forgets what is before it and keeps what is behind", prefix_forgotten, needs::nothing, true},
      {"a log that begins behind its last entry is empty, and goes on there", all_forgotten, needs::nothing, true},
      {"a start that the log does not have empties it, and it goes on behind", unknown_start, needs::nothing, true},
      {"a group may begin with a start", started_afresh, needs::nothing, true},
      {"only a start moves the start", start_stays, needs::nothing, true},
      {"vote, start, truncation and entries of a write take effect in this order", parts_in_order, needs::nothing,
       true},
      {"each group begins where it was told to", groups_begin_apart, needs::nothing, true},
      {"terms, tails and reads are right behind a start at any place", anywhere, needs::nothing, true},
      {"a read planned before a start gives what was there, or is refused", read_before_start, needs::nothing, true},
      {"a start that is done survives a loss of power", start_survives, needs::power_loss, true},
      {"a start cut short leaves a beginning of its write, never a mixture", start_cut_short, needs::stopping_medium,
       true},
  };
}

} // namespace troupe::conformance
