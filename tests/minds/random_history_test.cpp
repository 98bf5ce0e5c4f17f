// Both checkers against what needs no thought: trying all orders.
#include "tests/minds/random_history.hpp"
#include "tests/support/seeds.hpp"

#include <numeric>

using namespace troupe;
using namespace troupe::test;

namespace {

/// An operation as the permutation check sees it.
struct timed {
  client_call<register_operation> call;
  event_ordinal place = 0; ///< In the log; 0 if that is not known.
};

bool is_an_order(const std::vector<timed>& calls, const std::vector<std::size_t>& order) {
  for (std::size_t i = 0; i < order.size(); ++i)
    for (auto j = i + 1; j < order.size(); ++j) {
      const auto& one = calls[order[i]];
      const auto& later = calls[order[j]];
      if (later.call.returned < one.call.invoked || (later.place < one.place && later.place != 0))
        return false;
    }
  register_state value;
  for (const auto which : order) {
    const auto& what = calls[which].call.what;
    const auto effect = effect_of(what.command, value);
    if (what.answer && effect.answer != *what.answer)
      return false;
    value = effect.after;
  }
  return true;
}

/// Every permutation of the answered calls with every subset of the open ones.
bool some_permutation_fits(const std::vector<timed>& calls) {
  std::vector<std::size_t> answered;
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < calls.size(); ++i)
    (calls[i].call.is_open() ? open : answered).push_back(i);
  for (std::size_t subset = 0; subset < std::size_t{1} << open.size(); ++subset) {
    auto order = answered;
    for (std::size_t i = 0; i < open.size(); ++i)
      if (subset >> i & 1)
        order.push_back(open[i]);
    std::sort(order.begin(), order.end());
    do {
      if (is_an_order(calls, order))
        return true;
    } while (std::next_permutation(order.begin(), order.end()));
  }
  return false;
}

/// What clients saw, and nothing else.
bool may_clients_see(const std::vector<lived>& all) {
  std::vector<timed> calls;
  for (const auto& one : seen_by_clients(all))
    calls.push_back({one});
  return some_permutation_fits(calls);
}

/// What the oracle stands for, in the same words: writes in the order of the log, all of them and no others, each
/// visible from its commit on. (An open one that was committed is in every order: it "returns" when the run is over.)
bool may_clients_see_of_log(const std::vector<lived>& all) {
  std::vector<timed> calls;
  for (const auto& one : all) {
    const auto is_answered = one.end == lived::fate::answered;
    auto operation = register_operation{one.command, std::nullopt};
    if (is_answered)
      operation.answer = one.told;
    if (!one.command.is_read() && one.took_effect != never)
      calls.push_back({{one.took_effect, is_answered ? one.ended : never - 1, operation}, one.took_effect});
    else if (is_answered)
      calls.push_back({{one.invoked, one.ended, operation}});
  }
  return some_permutation_fits(calls);
}

linearizable found(const std::vector<lived>& all) {
  return linearize<register_model>(seen_by_clients(all)).verdict;
}

/// Another answer, of those that one might get.
void alter(dice& chance, lived& one) {
  const auto before = one.told;
  while (one.told == before)
    switch (chance.below(4)) {
    case 0: one.told = nil; break;
    case 1: one.told = number_of(static_cast<std::int64_t>(chance.below(3))); break;
    case 2: one.told = value(std::to_string(chance.below(3))); break;
    case 3: one.told = value(std::to_string(100 + chance.below(7))); break;
    }
}

/// Both checkers say of a history what all orders of it say.
struct opinions {
  bool seen_fits;
  bool logged_fits;
  std::string oracle;
  linearizable search;
};

opinions judge(const std::vector<lived>& all) {
  const opinions of{may_clients_see(all), may_clients_see_of_log(all), told_to_oracle(all), found(all)};
  CHECK((of.search == linearizable::yes) == of.seen_fits);
  CHECK((of.oracle == "") == of.logged_fits);
  CHECK(of.search != linearizable::gave_up);
  // The oracle is never the milder one.
  CHECK_FALSE((of.oracle == "" && !of.seen_fits));
  return of;
}

} // namespace

TEST_CASE("I15 what one copy answers is accepted, whatever the delays") {
  over_seeds(500, [](std::uint64_t seed) {
    dice chance{seed};
    for (const auto unique : {true, false}) {
      course_of_history course;
      course.operations = 60 + chance.below(40);
      course.clients = 1 + chance.below(8);
      course.longest = 1 + chance.below(30);
      course.percent_lost = 10; // With more, a search gives up now and then.
      course.has_unique_values = unique;
      const auto all = random_history(chance, course);
      CHECK(told_to_oracle(all) == "");
      CHECK(found(all) == linearizable::yes);
    }
  });
}

TEST_CASE("I15 a history of thousands of operations is judged by both") {
  over_seeds(10, [](std::uint64_t seed) {
    dice chance{seed};
    course_of_history course;
    course.operations = 5000;
    course.clients = 4;
    course.percent_lost = 0;
    course.percent_refused = 0;
    auto all = random_history(chance, course);
    CHECK(told_to_oracle(all) == "");
    CHECK(found(all) == linearizable::yes);
    auto& last = all[all.size() - 10];
    last.command = get();
    last.told = value("nobody's");
    CHECK(told_to_oracle(all) != "");
    CHECK(found(all) == linearizable::no);
  });
}

TEST_CASE("I15 with one answer altered, a history is rejected exactly where no order of it fits") {
  std::size_t rejected = 0;
  std::size_t accepted = 0;
  std::size_t by_oracle_alone = 0;
  over_seeds(1000, [&](std::uint64_t seed) {
    dice chance{seed};
    course_of_history course;
    course.operations = 4 + chance.below(4);
    course.has_unique_values = chance.chance(50);
    auto all = random_history(chance, course);
    const auto before = judge(all);
    CHECK(before.seen_fits);
    CHECK(before.logged_fits);
    auto& one = all[chance.below(all.size())];
    if (one.end != lived::fate::answered)
      return;
    alter(chance, one);
    const auto after = judge(all);
    (after.seen_fits ? accepted : rejected) += 1;
    by_oracle_alone += after.seen_fits && !after.logged_fits;
  });
  if (rejected + accepted > 500) { // Not with few seeds.
    CHECK(rejected > accepted);
    CHECK(accepted > rejected / 50);
    CHECK(by_oracle_alone > 0);
  }
}

TEST_CASE("I15 with effects that come at any time, a history is rejected exactly where no order of it fits") {
  // As if replicas answered from whatever they have: what is answered is right at some time, seldom at the right one.
  std::size_t fits = 0;
  std::size_t does_not = 0;
  over_seeds(1000, [&](std::uint64_t seed) {
    dice chance{seed};
    course_of_history course;
    course.operations = 4 + chance.below(4);
    course.longest = 8;
    course.percent_refused = 0;
    course.has_unique_values = chance.chance(50);
    auto all = random_history(chance, course);
    std::vector<answer> told;
    for (const auto& one : all)
      if (one.took_effect != never && one.command.is_read())
        told.push_back(one.told);
    for (auto& one : all)
      if (!told.empty() && one.command.is_read() && chance.chance(50))
        one.told = told[chance.below(told.size())];
    (judge(all).seen_fits ? fits : does_not) += 1;
  });
  if (fits + does_not > 500) {
    CHECK(fits > does_not);
    CHECK(does_not > fits / 20);
  }
}
