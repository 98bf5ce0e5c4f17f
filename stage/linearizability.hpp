/// \file
/// Is a history linearizable? Can each call be given one instant between its invocation and its return, so that the
/// answers are those of an object that does one thing after another?
///
/// The search of Wing and Gong (Testing and verifying concurrent objects, 1993), which tries orders depth first, with
/// Lowe's cache (Testing for linearizability, 2017): once a set of calls has led to a state, no other order of the same
/// calls to the same state is looked into. It knows what clients saw and nothing else, so it shares no mistake with who
/// watches the log (key_oracle.hpp). Linearizability is local: a history of many keys is as good as that of each.
#pragma once

#include "stage/call_order.hpp"

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace troupe {

/// What an object does when it does one thing after another. A state is a value with `==` and `std::hash`.
///
/// `step` gives the state behind an operation, or nothing if the operation's answer is not the one that this state
/// gives. An operation whose answer is not known fits everywhere. `only_looks` may say of an operation that, wherever
/// it fits, it leaves the state as it is: that saves time.
template <class M>
concept sequential_model = requires(const M& model, const typename M::state& state,
                                    const typename M::operation& operation) {
  { model.initial() } -> std::same_as<typename M::state>;
  { model.step(state, operation) } -> std::same_as<std::optional<typename M::state>>;
  { model.only_looks(operation) } -> std::same_as<bool>;
  { model.words(state) } -> std::convertible_to<std::string>;
  { model.words(operation) } -> std::convertible_to<std::string>;
  { state == state } -> std::convertible_to<bool>;
  { std::hash<typename M::state>{}(state) } -> std::convertible_to<std::size_t>;
};

enum class linearizable : std::uint8_t { yes, no, gave_up };

/// What came of a search. Calls are named by their place in the history.
struct linearization {
  linearizable verdict = linearizable::gave_up;
  std::uint64_t steps = 0; ///< Steps of the model that it took.
  /// One way to order the calls; open ones that are not in it need not have taken effect. If there is none, or the
  /// search gave up: the beginning of one with the most answered calls that was found.
  std::vector<std::size_t> order;
  /// Where that beginning ends: the answered calls that might be next, of which none fits (or none was tried).
  std::vector<std::size_t> misfits;
  /// The same for a person to read, if there is no order or none was found.
  std::string explanation;
};

/// The history of one object, and the search in it.
template <sequential_model Model>
class linearization_search {
public:
  using state = typename Model::state;
  using call = client_call<typename Model::operation>;

  linearization_search(const std::vector<call>& history, const Model& model)
      : history_{history}, model_{model}, calls_{times_of(history)}, state_{model.initial()} {}

  /// Ends after `max_steps` steps of the model, or one more. A step takes well below a microsecond and, if it leads
  /// somewhere new, memory for a state and some words.
  [[nodiscard]] linearization run(std::uint64_t max_steps) {
    auto where = calls_.first();
    while (calls_.answered_and_placed() < calls_.answered()) {
      const auto next = calls_.candidate(where);
      if (!next) {
        remember_longest();
        if (!back_to_a_choice(where))
          return failed(linearizable::no);
      } else if (found_.steps >= max_steps) {
        remember_longest();
        return failed(linearizable::gave_up);
      } else if (place(*next, where)) {
        where = calls_.first();
      } else {
        calls_.pass(where);
      }
    }
    found_.verdict = linearizable::yes;
    found_.order = order(placed_.size());
    return std::move(found_);
  }

private:
  /// A call that is placed.
  struct placement {
    std::size_t call;
    call_order::cursor where;
    state before;
  };

  struct configuration {
    std::vector<std::uint64_t> placed;
    state reached;
    friend bool operator==(const configuration&, const configuration&) = default;
  };

  struct configuration_hash {
    std::size_t operator()(const configuration& c) const {
      std::uint64_t hash = std::hash<state>{}(c.reached);
      for (const auto word : c.placed) {
        hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
        hash ^= hash >> 32;
      }
      return static_cast<std::size_t>(hash);
    }
  };

  static std::vector<call_order::times> times_of(const std::vector<call>& history) {
    std::vector<call_order::times> times;
    times.reserve(history.size());
    for (const auto& one : history)
      times.push_back({one.invoked, one.returned});
    return times;
  }

  bool place(std::size_t next, const call_order::cursor& where) {
    auto after = step(state_, next);
    if (!after || (calls_.is_open(next) && *after == state_) || last_is_needless(next, *after))
      return false;
    calls_.place(next);
    if (!seen_.insert({calls_.placed(), *after}).second) {
      calls_.take_back(next);
      return false;
    }
    placed_.push_back({next, where, std::exchange(state_, std::move(*after))});
    return true;
  }

  std::optional<state> step(const state& before, std::size_t call) {
    ++found_.steps;
    return model_.step(before, history_[call].what);
  }

  /// The last call is an open one, and with `next` behind it all is as if it had been left out. Of all orders, the one
  /// with the fewest open calls has none like that; without this, a few dozen open writes would be too many.
  bool last_is_needless(std::size_t next, const state& after) {
    if (placed_.empty() || !calls_.is_open(placed_.back().call))
      return false;
    const auto without = step(placed_.back().before, next);
    return without && *without == after;
  }

  /// Takes calls back up to one that could stand elsewhere; false if there is none.
  bool back_to_a_choice(call_order::cursor& where) {
    while (!placed_.empty()) {
      auto last = std::move(placed_.back());
      placed_.pop_back();
      calls_.take_back(last.call);
      state_ = std::move(last.before);
      // What only looks may as well stand at the first place where it fits: that was no choice.
      if (!calls_.is_open(last.call) && model_.only_looks(history_[last.call].what))
        continue;
      where = last.where;
      calls_.pass(where);
      return true;
    }
    return false;
  }

  /// The first calls that are placed, that many.
  [[nodiscard]] std::vector<std::size_t> order(std::size_t size) const {
    std::vector<std::size_t> calls;
    for (std::size_t i = 0; i < size; ++i)
      calls.push_back(placed_[i].call);
    return calls;
  }

  void remember_longest() {
    if (calls_.answered_and_placed() <= longest_ && longest_state_)
      return;
    longest_ = calls_.answered_and_placed();
    // Open calls at the end were but tried, and led nowhere.
    auto size = placed_.size();
    while (size > 0 && calls_.is_open(placed_[size - 1].call))
      --size;
    longest_state_ = size < placed_.size() ? placed_[size].before : state_;
    found_.order = order(size);
    found_.misfits.clear();
    auto where = calls_.first();
    for (auto next = calls_.candidate(where); next && !calls_.is_open(*next); next = calls_.candidate(where)) {
      found_.misfits.push_back(*next);
      calls_.pass(where);
    }
  }

  linearization failed(linearizable verdict) {
    found_.verdict = verdict;
    found_.explanation = explanation();
    return std::move(found_);
  }

  [[nodiscard]] std::string line(std::size_t which) const {
    const auto& one = history_[which];
    return "\n  [" + std::to_string(one.invoked) + ", " + (one.is_open() ? "never" : std::to_string(one.returned))
        + "] " + model_.words(one.what);
  }

  [[nodiscard]] std::string explanation() const {
    constexpr std::size_t shown = 12;
    auto text = found_.verdict == linearizable::no ? std::string{"not linearizable: "}
                                                   : "gave up after " + std::to_string(found_.steps) + " steps: ";
    text += std::to_string(longest_) + " of the " + std::to_string(calls_.answered())
        + " answered operations could be put in an order, from";
    const auto left_out = found_.order.size() > shown ? found_.order.size() - shown : 0;
    if (left_out > 0)
      text += "\n  (" + std::to_string(left_out) + " operations)";
    if (found_.order.empty())
      text += " none";
    for (auto i = left_out; i < found_.order.size(); ++i)
      text += line(found_.order[i]);
    text += "\nto " + std::string{model_.words(*longest_state_)};
    text += found_.verdict == linearizable::no ? ", where none of these can be next:" : ", where one of these is next:";
    for (const auto call : found_.misfits)
      text += line(call);
    return text;
  }

  const std::vector<call>& history_;
  const Model& model_;
  call_order calls_;
  state state_;
  std::vector<placement> placed_;
  std::unordered_set<configuration, configuration_hash> seen_;
  linearization found_;
  std::size_t longest_ = 0;
  std::optional<state> longest_state_;
};

/// Looks for a linearization of one object's history: in a few steps per call where few calls are concurrent or open,
/// in time exponential in their number at worst. (Of a thousand calls of eight clients, with one in a hundred lost,
/// most take some ten thousand steps. With one in seven lost, some histories of three hundred are given up.) As many
/// steps as the default allows take half a second and a few hundred megabytes at most.
template <sequential_model Model>
[[nodiscard]] linearization linearize(const std::vector<client_call<typename Model::operation>>& history,
                                      const Model& model = {}, std::uint64_t max_steps = 1'000'000) {
  return linearization_search<Model>{history, model}.run(max_steps);
}

} // namespace troupe
