// Where a group's log begins: entries that a snapshot stands for are forgotten.
#include "support.hpp"

#include <doctest/doctest.h>

namespace troupe::test {

namespace {

constexpr group_id g0{0};
constexpr group_id g1{1};

/// Ten entries, three of term 1 and seven of term 2, in batches of several.
void fill(log_storage& log, group_id group = g0) {
  submit(log,
         {voting(group, 2),
          appending(group,
                    {batch(1, 1, {"1", "2", "3"}), batch(2, 4, {"4", "5", "6", "7"}), batch(2, 8, {"8", "9", "10"})})},
         [] {});
}

/// The same before and after a power loss.
void expect(simulated_disk& disk, std::unique_ptr<log_storage>& log, const model_group& wanted) {
  CHECK(contents(*log, 0) == wanted);
  log.reset();
  disk.crash_losing_all();
  log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  CHECK(contents(*log, 0) == wanted);
}

std::vector<model_entry> entries_of_term_2(int from, int to) {
  std::vector<model_entry> all;
  for (auto i = from; i <= to; ++i)
    all.push_back({2, std::to_string(i)});
  return all;
}

} // namespace

TEST_CASE("a log begins behind the entry a start names, and keeps what is behind it") {
  simulated_disk disk{1};
  auto log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  fill(*log);
  submit(*log, {beginning(g0, 2, 5, 2)});
  const hard_state vote{term_number{2}, nobody};
  const log_start start{{term_number{2}, log_index{5}}, 5, log_index{2}};
  expect(disk, log, {vote, entries_of_term_2(6, 10), start});

  SUBCASE("terms and tail are those of the rest, also within a batch that the start cuts") {
    const auto found = log->recover(g0, 1);
    CHECK(found.terms == std::vector<term_run>{{log_index{6}, term_number{2}}});
    CHECK(found.last == log_index{10});
    const auto read = log->plan_read({g0, log_index{6}, log_index{9}, 1000})();
    CHECK(read.front().first() == log_index{6});
    CHECK(read.back().last() == log_index{9});
  }
  SUBCASE("the next entry goes on behind the last") {
    submit(*log, {appending(g0, {batch(2, 11, {"11"})})});
    expect(disk, log, {vote, entries_of_term_2(6, 11), start});
  }
  SUBCASE("behind its last entry it is empty, and goes on all the same") {
    submit(*log, {beginning(g0, 2, 10, 5)});
    const log_start last{{term_number{2}, log_index{10}}, 10, log_index{5}};
    expect(disk, log, {vote, {}, last});
    CHECK(log->recover(g0, 1000).last == log_index{10});
    CHECK(log->recover(g0, 1000).terms.empty());
    submit(*log, {appending(g0, {batch(2, 11, {"11"})})});
    expect(disk, log, {vote, entries_of_term_2(11, 11), last});
  }
  SUBCASE("truncated down to its start it is empty, and goes on there") {
    submit(*log, {{g0, hard_state{term_number{3}, nobody}, log_index{6}, {}}});
    CHECK(contents(*log, 0).entries.empty());
    submit(*log, {appending(g0, {batch(3, 6, {"x"})})});
    expect(disk, log, {{term_number{3}, nobody}, {{3, "x"}}, start});
  }
  SUBCASE("the oldest snapshot moves without the start") {
    submit(*log, {beginning(g0, 2, 5, 5)});
    expect(disk, log, {vote, entries_of_term_2(6, 10), {start.before, 5, log_index{5}}});
  }
  SUBCASE("a start that is known already costs nothing") {
    const auto before = disk.count();
    log->submit({beginning(g0, 2, 5, 2)}, [] {});
    CHECK(disk.count().written_bytes == before.written_bytes);
  }
}

TEST_CASE("S3: a log that lacks the entry before its new start is void as a whole, and goes on behind the start") {
  simulated_disk disk{1};
  auto log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  fill(*log);
  SUBCASE("it is shorter") {
    submit(*log, {beginning(g0, 2, 15)});
    const log_start start{{term_number{2}, log_index{15}}, 15, {}};
    expect(disk, log, {{term_number{2}, nobody}, {}, start});
    submit(*log, {appending(g0, {batch(2, 16, {"16"})})});
    expect(disk, log, {{term_number{2}, nobody}, {{2, "16"}}, start});
  }
  SUBCASE("it has another term there") {
    submit(*log, {voting(g0, 3), beginning(g0, 3, 5)});
    expect(disk, log, {{term_number{3}, nobody}, {}, {{term_number{3}, log_index{5}}, 5, {}}});
  }
  SUBCASE("start and entries behind it come in one write") {
    auto write = beginning(g0, 2, 20);
    write.append = {batch(2, 21, {"21"}), batch(2, 22, {"22"})};
    submit(*log, {write});
    expect(disk, log, {{term_number{2}, nobody}, entries_of_term_2(21, 22), {{term_number{2}, log_index{20}}, 20, {}}});
  }
}

TEST_CASE("a log may begin with a start") {
  simulated_disk disk{1};
  auto log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  submit(*log, {voting(g0, 4, 1), beginning(g0, 3, 7)});
  CHECK(log->recover(g0, 0).last == log_index{7});
  submit(*log, {appending(g0, {batch(4, 8, {"8"})})});
  expect(disk, log, {{term_number{4}, peer_id{1}}, {{4, "8"}}, {{term_number{3}, log_index{7}}, 7, {}}});
}

} // namespace troupe::test
