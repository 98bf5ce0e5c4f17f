#include "persistence/conformance/check.hpp"
#include "persistence/conformance/writes.hpp"

namespace troupe::conformance {

namespace {

constexpr group_id g0{0};
constexpr group_id g1{1};

void begin(bench& place) {
  place.write({{g0, vote(1, 1), std::nullopt, {filler(1, 1, 4, 20), filler(1, 5, 4, 20)}}});
}

void compare_now_and_reopened(bench& place) {
  if (const auto last = place.expected(g0).last(); last > log_index{})
    place.expect_read({g0, log_index{1}, last, 100000});
  place.reopen();
  place.expect_all_same();
}

void replaced_in_one_write(bench& place) {
  begin(place);
  place.write({{g0, vote(2), log_index{6}, {filler(2, 6, 2, 30), filler(2, 8, 1, 30)}}});
  compare_now_and_reopened(place);
  place.write({{g0, vote(3), log_index{3}, {filler(3, 3, 1, 30)}}});
  compare_now_and_reopened(place);
}

void truncated_alone(bench& place) {
  begin(place);
  place.write({truncating(g0, 7)});
  compare_now_and_reopened(place);
  place.write({truncating(g0, 5)});
  compare_now_and_reopened(place);
  place.write({appending(g0, {filler(1, 5, 2, 25)})});
  compare_now_and_reopened(place);
}

void truncated_wholly(bench& place) {
  begin(place);
  place.write({truncating(g0, 1)});
  compare_now_and_reopened(place);
  require(place.recover(g0, 1000).last == log_index{}, "a log that was truncated wholly has a last index");
  place.write({{g0, vote(4, 3), std::nullopt, {filler(4, 1, 3, 20)}}});
  compare_now_and_reopened(place);
  place.write({truncating(g0, 1, {filler(4, 1, 1, 60)})});
  compare_now_and_reopened(place);
}

void truncated_behind_the_end(bench& place) {
  begin(place);
  place.write({truncating(g0, 9)});
  place.write({truncating(g0, 9, {filler(1, 9, 2, 20)})});
  place.write({voting(g1, vote(1)), truncating(g1, 1)});
  compare_now_and_reopened(place);
}

void one_submit_in_order(bench& place) {
  place.write({{g0, vote(1, 2), std::nullopt, {filler(1, 1, 5, 10)}},
               {g1, vote(1), std::nullopt, {filler(1, 1, 2, 10)}},
               {g0, vote(2), log_index{3}, {filler(2, 3, 3, 10)}},
               truncating(g0, 5),
               {g0, vote(3, 3), std::nullopt, {filler(3, 5, 1, 10)}},
               truncating(g1, 2, {filler(1, 2, 1, 40)})});
  compare_now_and_reopened(place);
}

void again_and_again(bench& place) {
  begin(place);
  for (std::uint64_t term = 2; term < 30; ++term)
    place.write({{g0, vote(term), log_index{8 - term % 4}, {filler(term, 8 - term % 4, 1 + term % 4, 300)}}});
  compare_now_and_reopened(place);
}

} // namespace

std::vector<check> truncation_checks() {
  return {
      {"entries are replaced in one write", replaced_in_one_write},
      {"a truncation alone is remembered, also within a batch", truncated_alone},
      {"a log may be truncated wholly and begun anew", truncated_wholly},
      {"a truncation behind the last entry changes nothing", truncated_behind_the_end},
      {"several writes of one submit take effect in their order", one_submit_in_order},
      {"what replaced others is replaced again and again", again_and_again},
  };
}

} // namespace troupe::conformance
