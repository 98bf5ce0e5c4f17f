// Sectors of a segment that the device cannot read any more are damage like any other: what is before them is kept
// where others can repair the rest, and the file is set aside with them, for nothing can be copied from there.
#include "bad_sectors.hpp"
#include "losses.hpp"
#include "persistence/data_directory.hpp"
#include "persistence/log_dump.hpp"
#include "persistence/log_inspection.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <sstream>

namespace troupe::test {

namespace {

constexpr group_id g0{0};

std::size_t used_of(simulated_disk& disk, const std::string& path) {
  return disk.contents(path).find_last_not_of('\0') + 1;
}

std::uint32_t last_segment(simulated_disk& disk) {
  std::uint32_t last = 1;
  while (disk.exists(segment(last + 1)))
    ++last;
  return last;
}

log_options larger(bool may_lose) {
  auto options = small_segments(32 << 10);
  options.may_lose = may_lose;
  return options;
}

} // namespace

TEST_CASE("P3 a segment that the device cannot read in the middle is kept up to there, set aside, and written anew") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", larger(true)};
    log.submit({voting(g0, 7, 2)}, [] {});
    for (std::uint64_t index = 1; index <= 200; ++index)
      log.submit({appending(g0, {batch(7, index, {std::string(400, 'x')})})}, [] {});
  }
  REQUIRE(disk.exists(segment(3)));
  disk.end_processes();
  const auto first_of_2 = decode_segment_header("", disk.contents(segment(2)), owner).first_lsn;
  bad_sectors device{disk};
  device.lose(segment(2), 20'000);
  SUBCASE("where nobody can repair it, it is refused, with file and offset, and nothing is changed") {
    const auto before = disk.changes();
    try {
      log_storage{device, "d/log", larger(false)};
      FAIL("it was opened");
    } catch (const storage_error& refused) {
      CHECK(refused.file() == segment(2));
      CHECK(refused.offset() > 16'000u);
      CHECK(refused.offset() <= 20'000u);
      CHECK(refused.kind() == damage::corrupt);
      CHECK(refused.records());
      CHECK(refused.why().find("the device cannot read it from offset 16384 on") != std::string::npos);
    }
    CHECK(disk.changes() == before);
  }
  SUBCASE("where others can, it goes on") {
    std::uint64_t good = 0;
    std::uint64_t lost = 0;
    {
      log_storage log{device, "d/log", larger(true)};
      const auto found = contents(log, 0);
      good = found.entries.size();
      lost = found.vote.lost;
      CHECK(lost != 0);
      CHECK(good > first_of_2 + 10);
      CHECK(good < 200);
      CHECK_FALSE(device.has(segment(2)));
      CHECK(device.has("d/log/" + damaged_name(lost, 2)));
      CHECK_FALSE(log.report().lost->lacks_copy);
      log.submit({appending(g0, {batch(7, good + 1, {"again"})})}, [] {});
    }
    disk.crash_losing_all();
    log_storage log{device, "d/log", larger(false)};
    CHECK(contents(log, 0).entries.size() == good + 1);
    CHECK(contents(log, 0).vote.lost == lost);
  }
  SUBCASE("if the device can read it after all, nothing is lost") {
    device.find_all_again();
    log_storage log{device, "d/log", larger(true)};
    CHECK(contents(log, 0).entries.size() == 200);
    CHECK(contents(log, 0).vote.lost == 0);
  }
}

TEST_CASE("P3 a segment whose first sector the device cannot read is lost, and the log ends before it") {
  simulated_disk disk{1};
  write_log(disk);
  disk.end_processes();
  bad_sectors device{disk};
  SUBCASE("not the first") {
    device.lose(segment(3), 0);
    const auto first_lost = decode_segment_header("", disk.contents(segment(3)), owner).first_lsn;
    CHECK_THROWS_AS((log_storage{device, "d/log", small_segments()}), storage_error);
    log_storage log{device, "d/log", repairable()};
    require_declared(log, first_lost - 1);
    CHECK(count_set_aside(disk, contents(log, 0).vote.lost) == last_segment(disk) + 2);
  }
  SUBCASE("the first: nothing would be left, and it is refused") {
    device.lose(segment(1), 0);
    try {
      log_storage{device, "d/log", repairable()};
      FAIL("it was opened");
    } catch (const storage_error& refused) {
      CHECK(refused.file() == segment(1));
      CHECK(refused.offset() == 0u);
    }
  }
}

TEST_CASE(
    "P3 what the device cannot read behind the end of a full segment does not matter, and in the last one it may") {
  simulated_disk disk{1};
  write_log(disk);
  disk.end_processes();
  const auto last = last_segment(disk);
  bad_sectors device{disk};
  SUBCASE("a full one") {
    // A block of 4 KiB is what is tried: of such a segment it is all there is, so a larger one is needed.
    simulated_disk wide{1};
    {
      log_storage log{wide, "d/log", larger(true)};
      log.submit({voting(g0, 7, 2)}, [] {});
      for (std::uint64_t index = 1; index <= 8; ++index)
        log.submit({appending(g0, {batch(7, index, {std::string(9'000, 'x')})})}, [] {});
    }
    REQUIRE(wide.exists(segment(2)));
    REQUIRE(used_of(wide, segment(1)) < 28'672);
    wide.end_processes();
    bad_sectors worn{wide};
    worn.lose(segment(1), 32'000);
    log_storage log{worn, "d/log", larger(true)};
    CHECK(contents(log, 0).entries.size() == 8);
    CHECK(contents(log, 0).vote.lost == 0);
  }
  SUBCASE("the last one: suspect, for a record may have been there") {
    device.lose(segment(last), 4095);
    CHECK_THROWS_AS((log_storage{device, "d/log", small_segments()}), storage_error);
  }
}

TEST_CASE(
    "P3 a segment that is replaced because the device cannot read it is there again after a crash at any instant") {
  simulated_disk before{1};
  {
    log_storage log{before, "d/log", larger(true)};
    log.submit({voting(g0, 7, 2)}, [] {});
    for (std::uint64_t index = 1; index <= 100; ++index)
      log.submit({appending(g0, {batch(7, index, {std::string(400, 'x')})})}, [] {});
  }
  for (const std::uint32_t number : {1u, 2u}) {
    const auto base = before.clone();
    base->end_processes();
    std::vector<std::unique_ptr<simulated_disk>> images;
    std::size_t good = 0;
    {
      const auto disk = base->clone();
      bad_sectors device{*disk};
      device.lose(segment(number), 20'000);
      disk->on_call([&](const simulated_disk::call& each) -> std::optional<int> {
        if (each.is_change)
          images.push_back(disk->clone());
        return std::nullopt;
      });
      log_storage log{device, "d/log", larger(true)};
      good = contents(log, 0).entries.size();
      CHECK(good > 30);
    }
    for (const auto& each : images)
      for (std::uint64_t seed = 0; seed < 4; ++seed) {
        const auto disk = each->clone();
        disk->reseed(seed);
        if (seed == 0)
          disk->crash_losing_all();
        else
          disk->crash();
        // The old file has the bad sector, under whatever name.
        bad_sectors device{*disk};
        for (const auto& path : disk->paths())
          if (disk->contents(path) == base->contents(segment(number)))
            device.lose(path, 20'000);
        auto options = larger(true);
        options.must_exist = true;
        log_storage log{device, "d/log", options};
        require_declared(log, good);
      }
  }
}

TEST_CASE("P3 a segment that must be replaced on a full disk takes the room of the reserve") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", larger(true)};
    log.submit({voting(g0, 7, 2)}, [] {});
    for (std::uint64_t index = 1; index <= 100; ++index)
      log.submit({appending(g0, {batch(7, index, {std::string(400, 'x')})})}, [] {});
    while (const auto work = log.next_chore()) {
      (*work)();
      log.chore_done();
    }
  }
  REQUIRE(disk.exists("d/log/reserve"));
  disk.end_processes();
  disk.limit_to(disk.used_bytes());
  bad_sectors device{disk};
  device.lose(segment(2), 9'000);
  SUBCASE("which is there") {
    log_storage log{device, "d/log", larger(true)};
    CHECK(contents(log, 0).entries.size() > 80);
    CHECK(contents(log, 0).vote.lost != 0);
    CHECK_FALSE(disk.exists("d/log/reserve"));
    CHECK(log.is_full());
  }
  SUBCASE("without it nothing is touched, and a start with room goes on") {
    disk.remove("d/log/reserve");
    disk.limit_to(disk.used_bytes());
    for (int i = 0; i < 2; ++i)
      CHECK_THROWS_AS((log_storage{device, "d/log", larger(true)}), io_error);
    CHECK(device.has(segment(2)));
    disk.limit_to(~std::uint64_t{0});
    log_storage log{device, "d/log", larger(true)};
    CHECK(contents(log, 0).entries.size() > 80);
    CHECK(contents(log, 0).vote.lost != 0);
  }
}

TEST_CASE("P3 verify and dump name the offset that the device cannot read from") {
  simulated_disk disk{1};
  {
    data_directory directory{disk, "d", "troupe", peer_id{1}, {peer_id{1}}, uuid_of_name("u")};
    auto options = larger(false);
    options.identity = directory.identity();
    log_storage log{disk, directory.log_path(), options};
    directory.remember_log();
    log.submit({voting(g0, 7, 1)}, [] {});
    for (std::uint64_t index = 1; index <= 60; ++index)
      log.submit({appending(g0, {batch(7, index, {std::string(400, 'x')})})}, [] {});
  }
  disk.end_processes();
  bad_sectors device{disk};
  device.lose(segment(1), 20'000);
  const auto found = verify_log(device, "d");
  CHECK(found.verdict == log_verdict::corrupt);
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].file == segment(1));
  CHECK(found.problems[0].offset > 16'000u);
  CHECK(found.problems[0].lsn == found.records + 1);
  std::ostringstream out;
  CHECK_FALSE(dump_log(device, "d", out));
  CHECK(out.str().find("lsn=" + std::to_string(found.records) + " ") != std::string::npos);
  CHECK(out.str().find("offset=16384 damaged=\"the device cannot read") != std::string::npos);
}

} // namespace troupe::test
