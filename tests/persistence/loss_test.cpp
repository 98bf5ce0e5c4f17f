// Bits that went bad in what was durable, of a node that others can repair: what is good of its log is kept, and it
// says durably that it has lost something before it lets go of anything.
#include "losses.hpp"
#include "persistence/loss.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

namespace troupe::test {

namespace {

constexpr group_id g0{0};

} // namespace

TEST_CASE("P3 a log whose bits went bad is cut behind its last good record, which is said durably, and goes on") {
  simulated_disk disk{1};
  write_log(disk);
  REQUIRE(disk.exists(segment(4)));
  flip(disk, segment(2), 1000);
  std::uint64_t good = 0;
  std::uint64_t lost = 0;
  {
    log_storage log{disk, "d/log", repairable()};
    good = contents(log, 0).entries.size();
    lost = contents(log, 0).vote.lost;
    CHECK(good > 5);
    CHECK(good < 20);
    require_declared(log, good);
    REQUIRE(log.report().lost);
    CHECK(log.report().lost->cause.file() == segment(2));
    CHECK(log.report().lost->cause.offset() > 512u);
    CHECK(log.report().lost->loss == lost);
    CHECK_FALSE(disk.exists(segment(3)));
    log.submit({appending(g0, {batch(7, good + 1, {"again"})})}, [] {});
  }
  SUBCASE("and does not lose it a second time") {
    disk.crash_losing_all();
    log_storage log{disk, "d/log", small_segments()};
    require_declared(log, good + 1);
    CHECK(contents(log, 0).vote.lost == lost);
    CHECK_FALSE(log.report().lost);
  }
  SUBCASE("and what was there is kept beside it, byte by byte") {
    CHECK(count_set_aside(disk, lost) >= 3);
    const auto whole = disk.contents("d/log/damaged-" + std::to_string(lost) + "-" + segment_name(2));
    CHECK(whole.find(std::string(400, 'x')) != std::string::npos);
  }
  SUBCASE("and when it is repaired it says so in the same way as a vote") {
    {
      log_storage log{disk, "d/log", repairable()};
      log.submit({voting(g0, 7, 2)}, [] {});
    }
    disk.crash_losing_all();
    log_storage log{disk, "d/log", repairable()};
    CHECK(contents(log, 0).vote.lost == 0);
  }
  SUBCASE("and a second loss has a name of its own") {
    flip(disk, segment(1), 1000);
    log_storage log{disk, "d/log", repairable()};
    CHECK(contents(log, 0).vote.lost != 0);
    CHECK(contents(log, 0).vote.lost != lost);
  }
}

TEST_CASE("P3 the end of a log that is gone, as the hint says, is lost and not a torn write") {
  simulated_disk disk{1};
  write_log(disk);
  std::uint32_t last = 1;
  while (disk.exists(segment(last + 1)))
    ++last;
  const auto used = disk.contents(segment(last)).find_last_not_of('\0') + 1;
  disk.corrupt(segment(last), used - 200, std::string(200, '\0'));
  CHECK_THROWS_AS((log_storage{disk, "d/log", small_segments()}), storage_error);
  disk.end_processes();
  log_storage log{disk, "d/log", repairable()};
  require_declared(log, entries_of_log - 1);
}

TEST_CASE("P3 a cut that is cut short at any instant ends at the same record, and is never taken for a whole log") {
  simulated_disk before{1};
  write_log(before);
  flip(before, segment(2), 1000);
  before.end_processes();
  const auto good = [&] {
    const auto disk = before.clone();
    log_storage log{*disk, "d/log", repairable()};
    return contents(log, 0).entries.size();
  }();
  std::vector<std::unique_ptr<simulated_disk>> images;
  {
    const auto disk = before.clone();
    disk->on_call([&](const simulated_disk::call& each) -> std::optional<int> {
      if (each.is_change)
        images.push_back(disk->clone());
      return std::nullopt;
    });
    log_storage log{*disk, "d/log", repairable()};
  }
  CHECK(images.size() > 15);
  std::size_t declared = 0;
  for (const auto& image : images)
    for (int survives = 0; survives < 3; ++survives) {
      const auto disk = image->clone();
      disk->reseed(static_cast<std::uint64_t>(survives));
      if (survives == 0)
        disk->crash_losing_all();
      else
        disk->crash();
      const auto copy = disk->clone();
      try {
        const log_storage log{*copy, "d/log", small_segments()};
        ++declared; // It was cut before, or it would be refused.
      } catch (const storage_error&) {
      }
      log_storage log{*disk, "d/log", repairable()};
      require_declared(log, good);
    }
  CHECK(declared > 0);
}

TEST_CASE("what an operator can have done, and can undo, is refused, whoever could repair it") {
  simulated_disk disk{1};
  write_log(disk);
  SUBCASE("a segment is missing") {
    disk.remove(segment(2));
  }
  SUBCASE("a segment has another's name") {
    disk.rename(segment(2), segment(3));
  }
  SUBCASE("the hint is gone") {
    disk.remove("d/log/hint");
  }
  SUBCASE("the votes are gone") {
    disk.remove("d/log/votes");
  }
  disk.end_processes();
  CHECK_THROWS_AS((log_storage{disk, "d/log", repairable()}), storage_error);
}

TEST_CASE("P10 without its votes no log is repaired: it could vote twice") {
  simulated_disk disk{1};
  write_log(disk);
  flip(disk, segment(2), 1000);
  const auto size = disk.contents("d/log/votes").size();
  disk.corrupt("d/log/votes", 4096, std::string(size - 4096, 'z'));
  disk.end_processes();
  CHECK_THROWS_AS((log_storage{disk, "d/log", repairable()}), storage_error);
}

TEST_CASE(
    "P3 what was lost is told with file, offset, records and what was set aside, and with no remedy that is none") {
  simulated_disk disk{1};
  write_log(disk);
  flip(disk, segment(2), 1000);
  disk.end_processes();
  SUBCASE("with a copy") {
    log_storage log{disk, "d/log", repairable()};
    const auto words = lost_in_words(log.report());
    const auto loss = std::to_string(contents(log, 0).vote.lost);
    CAPTURE(words);
    const auto good = contents(log, 0).entries.size();
    CHECK(words.starts_with("loss=" + loss + " file=" + segment(2) + " offset=1000"));
    CHECK(words.find(" first_lsn=" + std::to_string(good + 1) + " last_lsn=") != std::string::npos);
    CHECK(words.find(" set_aside=damaged-" + loss + "-" + segment_name(2) + ",damaged-" + loss + "-" + segment_name(3))
          != std::string::npos);
    CHECK(words.find("copy=") == std::string::npos);
    const auto& why = log.report().lost->cause.reason();
    CAPTURE(why);
    CHECK(why.find("the record's header does not match its checksum") != std::string::npos);
    CHECK(why.find("Nothing of the log was changed") == std::string::npos);
    CHECK(why.find("put back") == std::string::npos);
  }
  SUBCASE("without") {
    disk.limit_to(disk.used_bytes());
    const log_storage log{disk, "d/log", repairable()};
    CHECK(lost_in_words(log.report()).ends_with(" copy=none"));
  }
  SUBCASE("after a start that was cut short before it could say so") {
    disk.on_call([](const simulated_disk::call& each) -> std::optional<int> {
      const bool is_last = each.what == simulated_disk::operation::rename && each.path == segment(6);
      return is_last ? std::optional{EIO} : std::nullopt;
    });
    CHECK_THROWS_AS((log_storage{disk, "d/log", repairable()}), io_error);
    disk.end_processes();
    log_storage log{disk, "d/log", repairable()};
    REQUIRE(log.report().lost);
    CHECK(log.report().lost->set_aside.size() == 5);
    CHECK(log.report().lost->loss == contents(log, 0).vote.lost);
  }
}

} // namespace troupe::test
