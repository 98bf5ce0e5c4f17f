#include "persistence/conformance/check.hpp"
#include "persistence/conformance/writes.hpp"

namespace troupe::conformance {

namespace {

constexpr group_id g0{0};
constexpr group_id g1{1};
constexpr std::uint32_t groups = 3;

void done_once(bench& place) {
  place.write({voting(g0, vote(1))});
  place.write({});
  place.write({voting(g0, vote(1))}); // Nothing new is an answer too.
  place.write({truncating(g0, 1)});
  for (std::uint64_t i = 0; i < 20; ++i)
    place.write({appending(g0, {filler(1, i + 1, 1, 100)})});
}

/// A store may be closed with a submit under way: done is then called before, during, or never.
void closed_under_way(bench& place) {
  place.write({{g0, vote(1), std::nullopt, {filler(1, 1, 2, 50)}}});
  const auto before = place.expected(g0);
  const std::vector<log_write> under_way{{g0, vote(2), log_index{2}, {filler(2, 2, 3, 50)}}};
  const auto done = place.submit(under_way);
  place.close();
  const auto was_done = done.calls() > 0;
  place.open();
  const auto found = place.look(g0);
  auto whole = before;
  perform(whole, under_way[0]);
  require(was_done ? found == whole : may_remain(before, under_way, g0, found),
          was_done ? "done was called, and after closing and opening: " + difference(whole, found)
                   : "the group has neither what was before nor a beginning of what was submitted: "
                  + difference(before, found));
}

/// The last thing done before the power goes is, in turn, each thing that a write can do.
void done_survives(bench& place) {
  const auto survives = [&](std::vector<log_write> writes) {
    place.write(std::move(writes));
    place.lose_power_and_reopen();
    place.expect_all_same();
  };
  survives({voting(g0, vote(1, 2))});
  survives({appending(g0, {filler(1, 1, 5, 100)})});
  survives({truncating(g0, 4)});
  survives({{g0, vote(2), log_index{3}, {filler(2, 3, 4, 100)}}});
  survives({voting(g1, vote(7, 1))});
  survives({truncating(g0, 1)});
  survives({appending(g0, {filler(2, 1, 3, 100)}), {g1, vote(8), std::nullopt, {filler(8, 1, 1, 3000)}}});
  for (std::uint64_t i = 0; i < 50; ++i) {
    place.write({appending(g0, {filler(2, 4 + i, 1, 2000)})});
    place.run_chore();
    if (i % 10 == 9) {
      place.lose_power_and_reopen();
      place.expect_all_same();
    }
  }
}

void again_after_loss(bench& place) {
  for (std::uint64_t life = 1; life <= 8; ++life) {
    const auto next = place.expected(g0).last().value() + 1;
    place.write({{g0, vote(life, life), std::nullopt, {filler(life, next, 3, 700)}}});
    place.lose_power_and_reopen();
    place.expect_all_same();
    place.lose_power_and_reopen(); // With nothing written in between.
    place.expect_all_same();
  }
}

/// The write of a follower that hears a new leader: a term, a truncation and several batches.
void cut_short(bench& place) {
  for (std::size_t steps = 0; steps < 12; ++steps) {
    const auto last = place.expected(g0).last().value();
    const auto term = place.expected(g0).vote.current_term.value() + 1;
    place.write({{g0, vote(term, 1), std::nullopt, {filler(term, last + 1, 4, 300)}}});
    const std::vector<log_write> writes{{g0,
                                         vote(term + 1),
                                         log_index{last + 3},
                                         {filler(term + 1, last + 3, 2, 900), filler(term + 1, last + 5, 3, 40)}},
                                        {g1, vote(term + 1, 2), std::nullopt, {}},
                                        {g0, vote(term + 2, 3), std::nullopt, {filler(term + 2, last + 8, 1, 2000)}}};
    if (place.write_cut_short(writes, steps) && steps > 0)
      return; // No step of the write is left to stop at.
  }
}

/// Peers are told of what recovery found: it must be as durable as what was done.
void recovered_is_durable(bench& place) {
  chance luck{place.options().seed};
  for (int i = 0; i < 30; ++i) {
    place.write_cut_short(draw_writes(luck, place.expected(), groups), luck.below(6),
                          i % 2 == 0 ? ending::process_end : ending::power_loss);
    place.lose_power_and_reopen();
    place.expect_all_same();
  }
}

void read_somewhere(bench& place, chance& luck) {
  const group_id group{static_cast<std::uint32_t>(luck.below(groups))};
  const auto& held = place.expected(group);
  if (held.entries.empty())
    return;
  const auto first = held.first() + luck.below(held.entries.size());
  place.expect_read({group, first, first + luck.below(held.last() - first + 1), luck.below(20000)});
}

void snapshot_somewhere(bench& place, chance& luck) {
  const group_id group{static_cast<std::uint32_t>(luck.below(groups))};
  const auto drawn = place.store().keeps_snapshots() ? draw_snapshot(luck, place.expected(group)) : std::nullopt;
  if (!drawn)
    return;
  if (place.can_stop_medium() && luck.once_in(4))
    place.save_cut_short(group, drawn->mark, drawn->content, luck.below(12),
                         luck.once_in(2) ? ending::process_end : ending::power_loss);
  else
    place.save_snapshot(group, drawn->mark, drawn->content);
}

void random_history(bench& place) {
  chance luck{place.options().seed};
  for (std::size_t step = 1; step <= place.options().random_steps; ++step) {
    try {
      const auto what = luck.below(100);
      auto writes = draw_writes(luck, place.expected(), groups);
      if (what < 5 && place.can_stop_medium())
        place.write_cut_short(writes, luck.below(8), luck.once_in(2) ? ending::process_end : ending::power_loss);
      else if (what < 12)
        snapshot_somewhere(place, luck);
      else if (what < 60)
        place.write(std::move(writes));
      else if (what < 75)
        place.run_chore();
      else if (what < 92)
        read_somewhere(place, luck);
      else if (what < 96 && place.can_lose_power())
        place.lose_power_and_reopen();
      else
        place.reopen();
      if (what < 5 || what >= 90)
        place.expect_all_same();
    } catch (const nonconformance& reason) {
      throw nonconformance{"step " + std::to_string(step) + ": " + reason.what()};
    }
  }
  place.reopen();
  place.expect_all_same();
}

} // namespace

std::vector<check> durability_checks() {
  return {
      {"done is called once for each submit", done_once},
      {"a store closed with a submit under way keeps a beginning of it, or all if it was done", closed_under_way},
      {"what is done survives a loss of power", done_survives, needs::power_loss},
      {"after a loss of power the log goes on, life after life", again_after_loss, needs::power_loss},
      {"a submit cut short leaves a beginning of it, never a mixture", cut_short, needs::stopping_medium},
      {"what was recovered survives the next loss of power", recovered_is_durable, needs::stopping_medium},
      {"a random history comes back after each opening and loss of power", random_history},
  };
}

} // namespace troupe::conformance
