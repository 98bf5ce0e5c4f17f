/// \file
/// Histories by chance: one copy of a register does one thing after another, and clients hear of it with delays.
#pragma once

#include "tests/minds/told_history.hpp"
#include "troupe/dice.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace troupe::test {

/// One operation of a history.
struct lived {
  enum class fate { answered, lost, refused };
  register_command command;
  fate end = fate::answered;
  event_ordinal invoked = 0;
  event_ordinal took_effect = 0; ///< `never` if it did not.
  event_ordinal ended = 0;
  answer told;
};

/// Who does what, and how long things take.
struct course_of_history {
  std::size_t operations = 7;
  std::size_t clients = 3;
  unsigned percent_lost = 15; ///< Half of these take effect all the same, some of them late.
  unsigned percent_refused = 5;
  std::uint64_t longest = 12;    ///< Of an operation, in ticks.
  bool has_unique_values = true; ///< Otherwise all sets are of "0" or "1".
};

/// As one copy would play it.
inline std::vector<lived> random_history(dice& chance, const course_of_history& course = {}) {
  std::vector<lived> all;
  std::vector<event_ordinal> free_at(course.clients, 1);
  for (std::size_t i = 0; i < course.operations; ++i) {
    const auto client = chance.below(course.clients);
    lived one;
    const auto text = std::to_string(course.has_unique_values ? 100 + i : chance.below(2));
    switch (chance.below(8)) {
    case 0: one.command = set_nx(text); break;
    case 1: one.command = del(); break;
    case 2: one.command = add(1); break;
    case 3:
    case 4: one.command = set(text); break;
    default: one.command = get();
    }
    // Ticks of their own for invocations, effects and ends; those of one tick are put in an order below.
    one.invoked = free_at[client] + chance.below(4);
    one.took_effect = one.invoked + chance.below(course.longest);
    one.ended = one.took_effect + chance.below(course.longest);
    free_at[client] = one.ended + 1;
    if (chance.chance(course.percent_lost)) {
      one.end = lived::fate::lost;
      if (chance.chance(50))
        one.took_effect = never;
      else if (chance.chance(50))
        one.took_effect += chance.below(5 * course.longest);
    } else if (chance.chance(course.percent_refused)) {
      one.end = lived::fate::refused;
      one.took_effect = never;
    }
    all.push_back(one);
  }
  // Every event gets an ordinal of its own.
  std::vector<std::pair<event_ordinal, event_ordinal*>> events;
  for (auto& one : all) {
    events.emplace_back(4 * one.invoked, &one.invoked);
    if (one.took_effect != never)
      events.emplace_back(4 * one.took_effect + 1, &one.took_effect);
    events.emplace_back(4 * one.ended + 2, &one.ended);
  }
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  event_ordinal now = 0;
  for (const auto& [tick, ordinal] : events)
    *ordinal = ++now;
  // Then the one copy does what it is asked.
  std::vector<lived*> effects;
  for (auto& one : all)
    if (one.took_effect != never)
      effects.push_back(&one);
  std::sort(effects.begin(), effects.end(), [](auto* a, auto* b) { return a->took_effect < b->took_effect; });
  register_state value;
  for (auto* one : effects) {
    auto effect = effect_of(one->command, value);
    value = effect.after;
    one->told = effect.answer;
  }
  return all;
}

/// Tells it to an oracle; what that finds broken, or nothing.
inline std::string told_to_oracle(const std::vector<lived>& all) {
  enum class step { asks, takes_effect, ends };
  struct event {
    event_ordinal at;
    std::size_t which;
    step what;
  };
  std::vector<event> events;
  for (std::size_t i = 0; i < all.size(); ++i) {
    events.push_back({all[i].invoked, i, step::asks});
    if (all[i].took_effect != never)
      events.push_back({all[i].took_effect, i, step::takes_effect});
    events.push_back({all[i].ended, i, step::ends});
  }
  std::sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  key_oracle oracle;
  for (const auto& [at, which, what] : events) {
    const auto& one = all[which];
    const operation_id id{which + 1};
    if (what == step::asks)
      oracle.invoked(id, "x", one.command, at);
    else if (what == step::takes_effect)
      oracle.committed(log_index{at}, id, "x", one.command);
    else if (one.end == lived::fate::answered)
      oracle.completed(id, one.told, at);
    else if (one.end == lived::fate::refused)
      oracle.refused(id);
    else
      oracle.lost(id);
  }
  return oracle.broken().value_or("");
}

/// What clients saw of it.
inline std::vector<client_call<register_operation>> seen_by_clients(const std::vector<lived>& all) {
  std::vector<client_call<register_operation>> history;
  for (const auto& one : all)
    if (one.end == lived::fate::answered)
      history.push_back({one.invoked, one.ended, {one.command, one.told}});
    else if (one.end == lived::fate::lost)
      history.push_back({one.invoked, never, {one.command, std::nullopt}});
  return history;
}

} // namespace troupe::test
