// A loss is a vote of its own kind: one copy of it that goes bad, before it is declared or after, takes nothing away.
#include "losses.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>

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

TEST_CASE(
    "I14 a loss has one number for all groups, which no loss had before, whatever a crash leaves of its declaration") {
  constexpr std::uint32_t groups = 3;
  simulated_disk before{1};
  before.make_directories("votes");
  {
    vote_file votes{before, "votes", owner, true};
    for (std::uint64_t term = 1; term <= 9; ++term)
      for (std::uint32_t group = 0; group < groups; ++group)
        if (term <= 1 + group * 3) {
          votes.put(group_id{group}, {term_number{term}, nobody});
          votes.flush();
        }
    votes.sync();
  }
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    const auto disk = before.clone();
    disk->reseed(seed);
    std::uint64_t greatest = 0;
    for (int round = 0; round < 5; ++round) {
      CAPTURE(round);
      // The power goes before the declaration is synced: each group has it or not.
      disk->fail(simulated_disk::operation::sync, 1, EIO);
      CHECK_THROWS_AS((vote_file{*disk, "votes", owner, false}.declare_loss()), io_error);
      disk->crash();
      vote_file votes{*disk, "votes", owner, false};
      for (const auto group : votes.groups())
        greatest = std::max(greatest, votes.of(group).lost);
      const auto number = votes.declare_loss();
      CHECK(number > greatest);
      CHECK(votes.have_all_lost(number));
      CHECK(votes.newest_loss() == number);
      greatest = number;
    }
  }
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
