// A loss is a vote of its own kind: one copy of it that goes bad, before it is declared or after, takes nothing away.
#include "losses.hpp"

#include <doctest/doctest.h>

namespace troupe::test {

namespace {

constexpr std::size_t copy_0 = 4096;
constexpr std::size_t copy_1 = 8192;

/// The first slot's copy as it was before the vote in it changed, put back.
void make_old(simulated_disk& disk, std::size_t copy) {
  simulated_disk before{1};
  log_storage{before, "d/log", repairable()}.submit({voting(group_id{0}, 7, 2)}, [] {});
  disk.corrupt("d/log/votes", copy, before.contents("d/log/votes").substr(copy, 512));
}

} // namespace

TEST_CASE("P10 a loss that is declared while one copy of the vote is bad or old is in both copies") {
  for (const auto bad : {copy_0, copy_1})
    for (const bool is_old : {false, true}) {
      CAPTURE(bad);
      CAPTURE(is_old);
      simulated_disk disk{1};
      write_log(disk);
      // The newest vote: a second one in the term after.
      log_storage{disk, "d/log", repairable()}.submit({voting(group_id{0}, 8, 3)}, [] {});
      if (is_old)
        make_old(disk, bad);
      else
        flip(disk, "d/log/votes", bad + 20);
      flip(disk, segment(2), 1000);
      disk.end_processes();
      std::uint64_t lost = 0;
      {
        log_storage log{disk, "d/log", repairable()};
        lost = contents(log, 0).vote.lost;
        CHECK(lost != 0);
        CHECK(log.report().healed_votes == 1);
      }
      disk.crash_losing_all();
      for (const auto next : {copy_0, copy_1}) {
        CAPTURE(next);
        const auto worse = disk.clone();
        flip(*worse, "d/log/votes", next + 20);
        worse->end_processes();
        log_storage log{*worse, "d/log", repairable()};
        const auto vote = contents(log, 0).vote;
        CHECK(vote == hard_state{term_number{8}, peer_id{3}, lost});
      }
    }
}

TEST_CASE("P10 a second loss has another name, though one copy of the vote was bad when the first was declared") {
  simulated_disk disk{1};
  write_log(disk);
  flip(disk, "d/log/votes", copy_0 + 20);
  flip(disk, segment(3), 1000);
  disk.end_processes();
  const auto first = [&] {
    log_storage log{disk, "d/log", repairable()};
    return contents(log, 0).vote.lost;
  }();
  flip(disk, "d/log/votes", copy_1 + 20);
  flip(disk, segment(2), 1000);
  disk.end_processes();
  log_storage log{disk, "d/log", repairable()};
  CHECK(contents(log, 0).vote.lost > first);
}

TEST_CASE("P10 a vote that is flushed before an old copy of it was healed is not undone by the healing") {
  simulated_disk disk{1};
  write_log(disk);
  flip(disk, "d/log/votes", copy_0 + 20);
  disk.end_processes();
  vote_file votes{disk, "d/log", owner, false};
  REQUIRE(votes.stale() == 1);
  votes.put(group_id{0}, {term_number{9}, peer_id{1}});
  votes.flush();
  CHECK(votes.heal() == 0);
  votes.sync();
  flip(disk, "d/log/votes", copy_1 + 20);
  disk.end_processes();
  CHECK(vote_file{disk, "d/log", owner, false}.of(group_id{0}).current_term == term_number{9});
}

} // namespace troupe::test
