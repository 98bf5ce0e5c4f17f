#include "effort.hpp"
#include "operations.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <functional>
#include <optional>

namespace troupe::test {

namespace {

/// The disk at one instant, and what was told and what was under way then.
struct image {
  std::unique_ptr<simulated_disk> disk;
  ledger told;
};

model read_all(log_storage& log, std::uint32_t groups) {
  model all;
  for (std::uint32_t group = 0; group < groups; ++group)
    all[group] = contents(log, group);
  return all;
}

constexpr auto groups = operations::groups;

/// Has a store live through some operations, with a new start halfway, and takes an image before each call that changes
/// the disk, and one at the end.
std::vector<image> images_of(std::uint64_t seed, std::size_t segment_bytes, int steps, std::size_t largest_content) {
  simulated_disk disk{seed};
  operations all{seed, largest_content};
  std::vector<image> images;
  ledger told;
  disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
    if (each.is_change)
      images.push_back({disk.clone(), told});
    return std::nullopt;
  });
  auto log = std::make_unique<log_storage>(disk, "d/log", small_segments(segment_bytes));
  for (int step = 0; step < steps; ++step) {
    if (step == steps / 2) {
      log.reset();
      log = std::make_unique<log_storage>(disk, "d/log", small_segments(segment_bytes));
    }
    all.next(*log, told);
  }
  images.push_back({disk.clone(), told});
  return images;
}

/// What is left of what was not synced.
enum class left { nothing, all, some };

void lose_power(simulated_disk& disk, left what) {
  switch (what) {
  case left::nothing: return disk.crash_losing_all();
  case left::all:
    return disk.crash_keeping([](const std::string&, std::uint64_t, std::size_t versions) { return versions; });
  case left::some: return disk.crash();
  }
}

/// Recovers after a crash of the image, checks, goes on writing, crashes again and checks that too; and, if wanted,
/// crashes the recovery as well, at any change. Returns how many crashes that were.
std::size_t check_crash(const image& at, left what, std::uint64_t crash_seed, bool in_recovery_too) {
  CAPTURE(static_cast<int>(what));
  CAPTURE(crash_seed);
  const auto disk = at.disk->clone();
  disk->reseed(crash_seed);
  lose_power(*disk, what);
  std::vector<std::unique_ptr<simulated_disk>> during_recovery;
  disk->on_call([&](const simulated_disk::call& each) -> std::optional<int> {
    if (each.is_change && in_recovery_too)
      during_recovery.push_back(disk->clone());
    return std::nullopt;
  });
  model found;
  {
    log_storage log{*disk, "d/log", small_segments()};
    found = read_all(log, groups);
    REQUIRE(at.told.objection(log) == "");
  }
  for (const auto& each : during_recovery) {
    each->crash();
    log_storage log{*each, "d/log", small_segments()};
    REQUIRE(at.told.objection(log) == "");
  }
  // What recovery gave out is durable: peers may be told of it from now on.
  disk->crash_losing_all();
  log_storage log{*disk, "d/log", small_segments()};
  REQUIRE(read_all(log, groups) == found);
  std::vector<log_write> more;
  for (std::uint32_t group = 0; group < groups; ++group) {
    const auto term = found[group].vote.current_term.next();
    more.push_back({group_id{group},
                    hard_state{term, nobody},
                    std::nullopt,
                    {batch(term.value(), found[group].last() + 1, {"more"})}});
  }
  perform(found, more);
  log.submit(more, [] {});
  disk->crash();
  log_storage again{*disk, "d/log", small_segments()};
  REQUIRE(read_all(again, groups) == found);
  return 3 + during_recovery.size();
}

} // namespace

TEST_SUITE("surgery") {

  TEST_CASE("E1 N26a N26b N26c P2 P8 P12: power lost at any instant loses nothing that was told, and invents nothing") {
    struct life {
      std::uint64_t seed;
      std::size_t segment_bytes;
      int operations;
      std::size_t largest_content;
    };
    std::size_t instants = 0;
    std::size_t crashes = 0;
    for (const auto& [seed, segment_bytes, length, largest_content] :
         {life{1, 4096, 200, 400}, life{2, 4096, 30, 6000}, life{3, 16384, 60, 400}, life{4, 16384, 30, 6000}}) {
      CAPTURE(seed);
      const auto images = images_of(seed, segment_bytes, length, largest_content);
      for (std::size_t i = 0; i < images.size(); i += stride(3)) {
        CAPTURE(i);
        ++instants;
        for (const auto what : {left::nothing, left::all, left::some})
          crashes += check_crash(images[i], what, seed * 1000 + i, what == left::some && i % 4 == 0);
      }
    }
    MESSAGE(instants << " instants, " << crashes << " crashes");
  }

} // TEST_SUITE

TEST_CASE("P6 P7: any call that fails is reported, is not retried, and loses nothing that was told") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    for (std::uint64_t failing = 1;; ++failing) {
      CAPTURE(seed);
      CAPTURE(failing);
      simulated_disk disk{seed};
      history writes{seed, groups, 600};
      ledger told;
      bool failed = false;
      bool is_snapshot = false;
      bool is_state = false; // No room for a file that is not in use yet.
      disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
        // Nothing is called after a failure, but to leave nothing of a snapshot that was not finished, or of a draft
        // that found no room; and of the log, which is none the worse for that, its last word.
        const auto is_of_no_use =
            each.path.find(".snap.") != std::string::npos || (seed % 2 == 0 && each.path.ends_with(".tmp"));
        const auto tidies_up =
            is_of_no_use ? each.what == simulated_disk::operation::remove : is_snapshot && each.path == "d/log/hint";
        REQUIRE((!failed || tidies_up || is_state));
        if (!each.is_change || each.change != failing)
          return std::nullopt;
        failed = true;
        is_snapshot = each.path.starts_with("d/log/snapshots");
        is_state = seed % 2 == 0 && each.what != simulated_disk::operation::sync && each.path.ends_with(".log.tmp");
        return seed % 2 == 0 ? ENOSPC : EIO;
      });
      try {
        log_storage log{disk, "d/log", small_segments()};
        for (int step = 0; step < 20; ++step) {
          told.submit(log, writes.next());
          if (log.is_holding())
            break;
        }
      } catch (const io_error& error) {
        CHECK(error.number() == (seed % 2 == 0 ? ENOSPC : EIO));
      } catch (const out_of_space&) {
        CHECK(seed % 2 == 0);
      }
      if (!failed)
        break;
      disk.crash();
      log_storage log{disk, "d/log", small_segments()};
      REQUIRE(told.objection(log) == "");
    }
  }
}

TEST_CASE("E1: term and vote change together or not at all, whichever sectors survive") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    simulated_disk disk{seed};
    const group_id g{4};
    {
      log_storage log{disk, "d/log", small_segments()};
      log.submit({voting(g, 6, 1)}, [] {});
      log.write({voting(g, 7, 2)});
    }
    disk.crash();
    log_storage log{disk, "d/log", small_segments()};
    const auto vote = contents(log, 4).vote;
    const auto is_old = vote == hard_state{term_number{6}, peer_id{1}};
    const auto is_new = vote == hard_state{term_number{7}, peer_id{2}};
    REQUIRE((is_old || is_new));
  }
}

TEST_CASE("P2: more records at once than one call of the operating system takes are torn between records only") {
  simulated_disk disk{1};
  std::vector<log_write> writes{voting(group_id{0}, 1)};
  for (std::uint64_t index = 1; index <= 1200; ++index)
    writes.push_back(appending(group_id{0}, {batch(1, index, {std::string(index % 7 * 20, 'x')})}));
  {
    log_storage log{disk, "d/log", small_segments(1 << 20)};
    log.write(writes);
  }
  // The worst a crash can do: sectors that two calls wrote have what the first of them wrote, all others survive.
  std::size_t torn = 0;
  disk.crash_keeping([&](const std::string& path, std::uint64_t, std::size_t versions) {
    const auto is_torn = path == "d/log/" + segment_name(1) && versions > 1;
    torn += is_torn ? 1 : 0;
    return is_torn ? 1 : versions;
  });
  CHECK(torn > 0);
  log_storage log{disk, "d/log", small_segments()};
  CHECK(log.report().cut);
  CHECK(contents(log, 0).entries.size() > 300);
  CHECK(contents(log, 0).entries.size() < 400);
}

TEST_CASE("entries never reach the disk before the term they were written under") {
  bool entries_survived = false;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    simulated_disk disk{seed};
    {
      log_storage log{disk, "d/log", small_segments()};
      log.submit({voting(group_id{0}, 1)}, [] {});
      log.write({voting(group_id{0}, 2, 3)});
      log.write({appending(group_id{0}, {batch(2, 1, {"x"})})});
    }
    disk.crash();
    log_storage log{disk, "d/log", small_segments()};
    const auto found = contents(log, 0);
    if (!found.entries.empty()) {
      entries_survived = true;
      REQUIRE(found.vote == hard_state{term_number{2}, peer_id{3}});
    }
  }
  CHECK(entries_survived);
}

} // namespace troupe::test
