// Logs of several groups, compacted now and then, damaged anywhere and started again under power failures: what is
// found is what was written, with a loss declared if it is not all; and the node goes on from there.
#include "bad_sectors.hpp"
#include "effort.hpp"
#include "losses.hpp"
#include "snapshots.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>

namespace troupe::test {

namespace {

constexpr std::uint32_t groups = 3;
constexpr std::uint64_t term = 7;

log_options options_of(std::size_t segment_bytes) {
  auto options = small_segments(segment_bytes);
  options.may_lose = true;
  options.must_exist = true;
  return options;
}

/// What every entry is, wherever it is found: it follows from its place.
std::string content_at(std::uint32_t group, std::uint64_t index) {
  return std::to_string(group) + "-" + std::to_string(index) + std::string(index * 131 % 700, 'x');
}

void do_chores(log_storage& log) {
  while (const auto work = log.next_chore()) {
    (*work)();
    log.chore_done();
  }
}

/// One group, as its peer knows it.
struct known_group {
  std::uint64_t last = 0;
  std::uint64_t start = 0;
  std::vector<std::uint64_t> snapshots; ///< Those that were finished.
};

using known = std::vector<known_group>;

/// A node at work for a while: entries, snapshots, starts.
void work(log_storage& log, known& all, std::mt19937_64& dice, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const auto group = static_cast<std::uint32_t>(dice() % groups);
    auto& mine = all[group];
    for (auto count = dice() % 4; count > 0; --count) {
      ++mine.last;
      log.submit({appending(group_id{group}, {batch(term, mine.last, {content_at(group, mine.last)})})}, [] {});
    }
    const auto newest = mine.snapshots.empty() ? 0 : mine.snapshots.back();
    if (dice() % 6 == 0 && mine.last > newest) {
      save(log, group, mark_at(mine.last, term), noise(mine.last, 2000));
      mine.snapshots.push_back(mine.last);
    }
    // As a peer does: the last two are kept, and the log from somewhere before the newest.
    if (dice() % 5 == 0 && mine.snapshots.size() >= 2) {
      const auto oldest = mine.snapshots[mine.snapshots.size() - 2];
      const auto before = std::max(mine.start, oldest - dice() % (oldest - std::min(oldest, mine.start) + 1));
      if (before > 0) {
        log.submit({beginning(group_id{group}, term, before, std::min(oldest, before))}, [] {});
        mine.start = before;
      }
    }
    if (dice() % 4 == 0)
      do_chores(log);
  }
}

/// Anything in any segment but the first header.
void damage_something(simulated_disk& disk, bad_sectors& device, std::mt19937_64& dice) {
  std::vector<std::string> segments;
  for (const auto& name : disk.list("d/log"))
    if (segment_number(name))
      segments.push_back("d/log/" + name);
  const auto& path = segments[dice() % segments.size()];
  const auto used = disk.contents(path).find_last_not_of('\0') + 1;
  const auto from = path == segments.front() ? segment_header_bytes : 0;
  if (used <= from)
    return;
  const auto at = from + dice() % (used - from);
  if (dice() % 3 == 0 && (path != segments.front() || at >= 4096))
    device.lose(path, at);
  else
    flip(disk, path, at);
}

/// Starts the node, with the power going `failures` times meanwhile, at any instant.
std::unique_ptr<log_storage> start(simulated_disk& disk, bad_sectors& device, std::mt19937_64& dice, int failures,
                                   std::size_t segment_bytes) {
  for (; failures > 0; --failures) {
    const auto nth = disk.changes() + 1 + dice() % 40;
    disk.on_call([nth](const simulated_disk::call& each) -> std::optional<int> {
      return each.is_change && each.change >= nth ? std::optional{EIO} : std::nullopt;
    });
    try {
      log_storage{device, "d/log", options_of(segment_bytes)};
    } catch (const io_error&) {
    }
    disk.on_call(nullptr);
    disk.crash();
  }
  return std::make_unique<log_storage>(device, "d/log", options_of(segment_bytes));
}

/// Every entry is what it was, and those that are not there are declared lost: by another loss than the one that was
/// known `before` this start. From now on these are known.
void check(log_storage& log, known& all, std::uint64_t before) {
  for (std::uint32_t group = 0; group < groups; ++group) {
    CAPTURE(group);
    auto& mine = all[group];
    const auto found = log.recover(group_id{group}, std::size_t{1} << 40);
    REQUIRE(found.vote.current_term == term_number{term});
    REQUIRE(found.vote.voted_for == peer_id{2});
    REQUIRE(found.last.value() <= mine.last);
    const auto text = contents(log, group);
    REQUIRE(text.entries.size() == found.last.value() - found.start.before.index.value());
    for (std::size_t i = 0; i < text.entries.size(); ++i)
      REQUIRE(text.entries[i].content == content_at(group, text.start.before.index.value() + 1 + i));
    const auto newest = found.snapshots.empty() ? 0 : found.snapshots.back().at.index.value();
    REQUIRE(newest >= found.start.before.index.value());
    if (found.vote.lost == before) {
      REQUIRE(found.last.value() == mine.last);
      REQUIRE(found.start.before.index.value() == mine.start);
    }
    // The peer takes a newer snapshot for the log's beginning.
    mine.last = found.last.value();
    mine.start = found.start.before.index.value();
    if (newest > mine.last) {
      log.submit({beginning(group_id{group}, term, newest, found.start.oldest_snapshot.value())}, [] {});
      mine.last = mine.start = newest;
    }
    mine.snapshots.clear();
    for (const auto& each : found.snapshots)
      mine.snapshots.push_back(each.at.index.value());
  }
}

} // namespace

TEST_SUITE("surgery") {
  TEST_CASE("P3 a compacted log of three groups, damaged again and again while the power fails, is what was written or "
            "said to be lost") {
    std::size_t losses = 0;
    std::size_t beginnings = 0;
    for (std::uint64_t seed = 1; seed <= rounds(150); ++seed) {
      CAPTURE(seed);
      std::mt19937_64 dice{seed};
      const std::size_t segment_bytes = seed % 2 == 0 ? 4096 : 16384;
      simulated_disk disk{seed};
      bad_sectors device{disk};
      known all(groups);
      {
        auto options = options_of(segment_bytes);
        options.must_exist = false;
        log_storage log{device, "d/log", options};
        for (std::uint32_t group = 0; group < groups; ++group)
          log.submit({voting(group_id{group}, term, 2)}, [] {});
        work(log, all, dice, 120);
      }
      std::uint64_t loss = 0;
      for (int life = 0; life < 4; ++life) {
        CAPTURE(life);
        disk.end_processes();
        damage_something(disk, device, dice);
        const auto log = start(disk, device, dice, static_cast<int>(dice() % 4), segment_bytes);
        check(*log, all, loss);
        const auto lost = log->recover(group_id{0}, 0).vote.lost;
        REQUIRE(lost >= loss);
        losses += lost > loss ? 1 : 0;
        beginnings += log->report().begun_anew.size();
        loss = lost;
        work(*log, all, dice, 40);
        disk.crash_losing_all();
      }
    }
    MESSAGE(losses, " losses, ", beginnings, " new beginnings");
    CHECK(losses > 0);
    CHECK(beginnings > 0);
  }
}

} // namespace troupe::test
