// A log that is being cut for a loss, and one that was: a start that was cut short is made good, and what an operator
// can have done is refused before, meanwhile and after.
#include "losses.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <memory>
#include <vector>

namespace troupe::test {

namespace {

constexpr group_id g0{0};

std::uint64_t loss_of(simulated_disk& disk) {
  return vote_file{disk, "d/log", owner, false}.of(g0).lost;
}

/// A disk on which the cut for a loss came to the call that changes something for the nth time. All that was written
/// until then is there.
std::unique_ptr<simulated_disk> cut_short(const simulated_disk& damaged, std::uint64_t nth) {
  auto disk = damaged.clone();
  disk->on_call([&, before = disk->changes()](const simulated_disk::call& each) -> std::optional<int> {
    return each.is_change && each.change - before >= nth ? std::optional{EIO} : std::nullopt;
  });
  try {
    log_storage{*disk, "d/log", repairable()};
    return nullptr;
  } catch (const io_error&) {
  }
  disk->on_call(nullptr);
  disk->end_processes();
  return disk;
}

/// Refused, and as it was.
void require_refused(simulated_disk& disk, const std::string& words) {
  const auto before = disk.changes();
  try {
    log_storage{disk, "d/log", repairable()};
    FAIL("it was opened");
  } catch (const storage_error& refused) {
    const std::string what = refused.what();
    CAPTURE(what);
    CHECK(what.find(words) != std::string::npos);
  }
  CHECK(disk.changes() == before);
}

simulated_disk& damaged_log(simulated_disk& disk) {
  write_log(disk);
  REQUIRE(disk.exists(segment(5)));
  flip(disk, segment(2), 1000);
  disk.end_processes();
  return disk;
}

/// A header as another program, or another node, would have written it.
void change_header(simulated_disk& disk, std::uint32_t number, std::size_t at) {
  auto header = disk.contents(segment(number)).substr(0, 512);
  header[at] = static_cast<char>(header[at] + 1);
  const auto checksum = crc32c(std::string_view{header}.substr(0, 508));
  for (std::size_t i = 0; i < 4; ++i)
    header[508 + i] = static_cast<char>(checksum >> (8 * i));
  disk.corrupt(segment(number), 0, header);
}

} // namespace

TEST_CASE(
    "P3 a cut that is cut short goes on under the loss that was declared for it, and each file is set aside once") {
  simulated_disk before{1};
  damaged_log(before);
  std::size_t under_way = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    CAPTURE(nth);
    const auto disk = cut_short(before, nth);
    if (!disk)
      break;
    const auto declared = loss_of(*disk);
    log_storage log{*disk, "d/log", repairable()};
    const auto lost = contents(log, 0).vote.lost;
    CHECK(lost != 0);
    if (declared != 0) {
      ++under_way;
      CHECK(lost == declared);
    }
    CHECK(disk->contents("d/log/" + damaged_name(lost, 2)) == before.contents(segment(2)));
    for (std::uint32_t number = 3; before.exists(segment(number)); ++number)
      CHECK(disk->contents("d/log/" + damaged_name(lost, number)) == before.contents(segment(number)));
  }
  CHECK(under_way > 10);
}

TEST_CASE("P11 a segment that was taken away while a loss is not repaired is refused as ever") {
  simulated_disk disk{1};
  damaged_log(disk);
  {
    log_storage log{disk, "d/log", repairable()};
    const auto good = contents(log, 0).entries.size();
    for (std::uint64_t index = good + 1; index <= entries_of_log; ++index)
      log.submit({appending(g0, {batch(7, index, {std::string(400, 'y')})})}, [] {});
  }
  const auto lost = loss_of(disk);
  REQUIRE(disk.exists(segment(4)));
  // One of that number was set aside, which does not make this one any less missing.
  REQUIRE(disk.exists("d/log/" + damaged_name(lost, 3)));
  const auto whole = disk.contents(segment(3));
  disk.rename(segment(3), "aside");
  disk.end_processes();
  require_refused(disk, segment(3) + ": missing");
  disk.rename("aside", segment(3));
  log_storage log{disk, "d/log", repairable()};
  require_declared(log, entries_of_log);
  CHECK(contents(log, 0).vote.lost == lost);
  CHECK(disk.contents(segment(3)) == whole);
}

TEST_CASE("P3 damage of a log that was cut before is another loss, though the first is not repaired") {
  simulated_disk disk{1};
  damaged_log(disk);
  std::size_t good = 0;
  {
    log_storage log{disk, "d/log", repairable()};
    good = contents(log, 0).entries.size();
    log.submit({appending(g0, {batch(7, good + 1, {"told to a leader"})})}, [] {});
  }
  const auto first = loss_of(disk);
  const auto used = disk.contents(segment(2)).find_last_not_of('\0');
  flip(disk, segment(2), used - 20);
  disk.end_processes();
  log_storage log{disk, "d/log", repairable()};
  require_declared(log, good);
  CHECK(contents(log, 0).vote.lost > first);
}

TEST_CASE("P11 a cut that was cut short does not excuse what is missing beside it") {
  simulated_disk before{1};
  damaged_log(before);
  std::size_t refused = 0;
  std::size_t set_aside = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    CAPTURE(nth);
    const auto disk = cut_short(before, nth);
    if (!disk)
      break;
    if (loss_of(*disk) == 0)
      continue;
    if (find_hint(*disk, "d/log", owner)->says.last_segment >= 4) {
      ++refused;
      disk->rename(segment(4), "taken");
      disk->end_processes();
      require_refused(*disk, segment(4) + ": missing");
    } else {
      ++set_aside; // It is no part of the log any more.
      if (disk->exists(segment(4)))
        disk->remove(segment(4));
      disk->end_processes();
      log_storage log{*disk, "d/log", repairable()};
      CHECK(contents(log, 0).vote.lost != 0);
      CHECK(contents(log, 0).entries.size() >= 8);
    }
  }
  CHECK(refused > 3);
  CHECK(set_aside > 3);
}

TEST_CASE("what is no damage of bits is refused, though bits went bad before it") {
  simulated_disk disk{1};
  damaged_log(disk);
  SUBCASE("a segment of a newer program") {
    change_header(disk, 4, 12);
    require_refused(disk, "use the newer program");
  }
  SUBCASE("a segment of another node's") {
    change_header(disk, 4, 24 + 32);
    require_refused(disk, "belongs to node");
  }
  SUBCASE("a segment under another's name") {
    disk.corrupt(segment(4), 0, disk.contents(segment(5)));
    require_refused(disk, "renamed or copied");
  }
  SUBCASE("a segment that was cut") {
    disk.resize(segment(4), 2048);
    require_refused(disk, "cut or extended");
  }
}

TEST_CASE("P3 bits of a segment's header are bits like any other, but for the first segment's") {
  simulated_disk disk{1};
  write_log(disk);
  SUBCASE("the log ends before that segment") {
    flip(disk, segment(3), 90);
    disk.end_processes();
    CHECK_THROWS_AS((log_storage{disk, "d/log", small_segments()}), storage_error);
    const auto good = decode_segment_header("", disk.contents(segment(4)), owner).first_lsn;
    log_storage log{disk, "d/log", repairable()};
    CHECK(contents(log, 0).entries.size() < good);
    CHECK(contents(log, 0).entries.size() >= 8);
    CHECK(contents(log, 0).vote.lost != 0);
  }
  SUBCASE("of the first, nothing would be left") {
    flip(disk, segment(1), 90);
    disk.end_processes();
    require_refused(disk, segment(1) + " at offset 0");
  }
}

} // namespace troupe::test
