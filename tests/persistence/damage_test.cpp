#include "support.hpp"

#include <doctest/doctest.h>

#include <optional>

namespace troupe::test {

namespace {

const std::string segment_1 = "d/log/" + segment_name(1);

/// A log with two synced submits and, in `with_last`, one more that a crash may tear.
struct written_log {
  simulated_disk disk{1};
  model synced;
  model whole;
  std::size_t last_begins = 0;
  std::size_t last_ends = 0;

  explicit written_log(bool with_last, std::size_t segment_bytes = 8192) {
    log_storage log{disk, "d/log", small_segments(segment_bytes)};
    const auto submit = [&](const std::vector<log_write>& writes) {
      perform(whole, writes);
      log.submit(writes, [] {});
    };
    const auto write = [&](const std::vector<log_write>& writes) {
      perform(whole, writes);
      log.write(writes); // Not synced, and nobody is told: a crash may tear it.
    };
    submit({voting(group_id{0}, 3, 1), voting(group_id{1}, 4, 2),
            appending(group_id{0}, {batch(3, 1, {"alpha", "beta"})}),
            appending(group_id{1}, {batch(4, 1, {std::string(600, 'g')})})});
    submit({{group_id{0}, std::nullopt, log_index{2}, {batch(3, 2, {"delta"}), batch(3, 3, {"epsilon"})}}});
    synced = whole;
    last_begins = used();
    if (with_last) {
      write({appending(group_id{1}, {batch(4, 2, {std::string(700, 'z'), "eta"})}),
             {group_id{0}, std::nullopt, log_index{3}, {batch(3, 3, {std::string(900, '\0'), "theta"})}}});
      last_ends = used();
    }
  }

  [[nodiscard]] std::size_t used() const { return disk.contents(segment_1).find_last_not_of('\0') + 1; }
};

/// What is recovered; nothing if the log refuses.
std::optional<model> recovered(simulated_disk& disk, recovery_report* report = nullptr) {
  try {
    log_storage log{disk, "d/log", small_segments()};
    if (report)
      *report = log.report();
    return model{{0, contents(log, 0)}, {1, contents(log, 1)}};
  } catch (const storage_error& error) {
    CHECK(error.file().starts_with("d/log"));
    CHECK(std::string{error.what()}.size() > 20);
    return std::nullopt;
  }
}

std::string flipped(const std::string& bytes, std::size_t at, int bit) {
  return std::string(1, static_cast<char>(bytes[at] ^ (1 << bit)));
}

} // namespace

TEST_CASE("P2: the last unsynced batch torn at any byte is undone record by record, and the log goes on") {
  const written_log log{true};
  const auto bytes = log.disk.contents(segment_1);
  for (auto end = log.last_begins; end < log.last_ends; ++end) {
    CAPTURE(end);
    const auto disk = log.disk.clone();
    disk->corrupt(segment_1, end, std::string(log.last_ends - end, '\0'));
    const auto was_whole = disk->contents(segment_1) == bytes;
    recovery_report report;
    const auto found = recovered(*disk, &report);
    REQUIRE(found);
    REQUIRE((was_whole || *found != log.whole));
    // What is left is a beginning of what was written: group 1 first, then the truncation and the entries of group 0.
    const auto& g0 = log.synced.at(0).entries;
    REQUIRE(found->at(0).entries.size() >= g0.size() - 1);
    REQUIRE((found->at(1) == log.synced.at(1) || found->at(1) == log.whole.at(1)));
    REQUIRE((found->at(0) == log.synced.at(0) || found->at(1) == log.whole.at(1)));
    if (report.cut) {
      CHECK(report.cut->file == segment_1);
      CHECK(report.cut->offset >= log.last_begins);
      CHECK(report.cut->offset <= end);
    }
    // The torn bytes are gone for good.
    recovery_report second;
    REQUIRE(recovered(*disk, &second) == found);
    CHECK_FALSE(second.cut);
  }
}

TEST_CASE("P2: any subset of the sectors of the last unsynced batch is recovered from, without help") {
  const written_log log{true};
  const auto bytes = log.disk.contents(segment_1);
  const auto first_sector = log.last_begins / 512;
  const auto sectors = (log.last_ends - 1) / 512 - first_sector + 1;
  REQUIRE(sectors >= 4);
  REQUIRE(sectors <= 10);
  for (unsigned kept = 0; kept < (1u << sectors); ++kept) {
    CAPTURE(kept);
    const auto disk = log.disk.clone();
    for (std::size_t i = 0; i < sectors; ++i) {
      const auto from = std::max(log.last_begins, (first_sector + i) * 512);
      const auto to = std::min(log.last_ends, (first_sector + i + 1) * 512);
      if ((kept >> i & 1) == 0)
        disk->corrupt(segment_1, from, std::string(to - from, '\0'));
    }
    const auto found = recovered(*disk);
    REQUIRE(found);
    REQUIRE((found->at(1) == log.synced.at(1) || found->at(1) == log.whole.at(1)));
    if (kept + 1 == 1u << sectors)
      REQUIRE(*found == log.whole);
  }
}

TEST_CASE("P3 P4: a flipped bit in what was synced is refused or harmless, never a silent loss") {
  const written_log log{true};
  const auto bytes = log.disk.contents(segment_1);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < log.last_begins; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(at);
      CAPTURE(bit);
      const auto disk = log.disk.clone();
      disk->corrupt(segment_1, at, flipped(bytes, at, bit));
      const auto damaged = disk->contents(segment_1);
      const auto found = recovered(*disk);
      if (found) {
        REQUIRE(*found == log.whole);
      } else {
        ++refused;
        REQUIRE(disk->contents(segment_1) == damaged); // A refusal changes nothing.
      }
    }
  }
  CHECK(refused == log.last_begins * 8);
}

TEST_CASE("P3: a flipped bit in the very last synced batch is refused too") {
  const written_log log{false};
  const auto bytes = log.disk.contents(segment_1);
  for (std::size_t at = segment_header_bytes; at < log.last_begins; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(at);
      const auto disk = log.disk.clone();
      disk->corrupt(segment_1, at, flipped(bytes, at, bit));
      const auto found = recovered(*disk);
      REQUIRE((!found || *found == log.synced));
    }
}

TEST_CASE("P5: a block of zeros in what was synced before the last batch is refused") {
  const written_log log{true};
  for (std::size_t from = segment_header_bytes; from + 512 <= log.last_begins; from += 8) {
    CAPTURE(from);
    const auto disk = log.disk.clone();
    disk->corrupt(segment_1, from, std::string(512, '\0'));
    REQUIRE_FALSE(recovered(*disk));
  }
}

TEST_CASE("P3: intact records that changed places are refused") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(group_id{0}, 1), voting(group_id{1}, 1), appending(group_id{0}, {batch(1, 1, {"zero"})}),
                appending(group_id{1}, {batch(1, 1, {"one!"})})},
               [] {});
    log.submit({appending(group_id{0}, {batch(1, 2, {"more"})})}, [] {});
  }
  const auto size = static_cast<std::size_t>(record_bytes(4 + entry_overhead_bytes));
  const auto bytes = disk.contents(segment_1);
  const auto first = bytes.substr(segment_header_bytes, size);
  const auto second = bytes.substr(segment_header_bytes + size, size);
  SUBCASE("one for the other") {
    disk.corrupt(segment_1, segment_header_bytes, second + first);
  }
  SUBCASE("one twice") {
    disk.corrupt(segment_1, segment_header_bytes, first + first);
  }
  SUBCASE("one from the same place of another log") {
    simulated_disk other{1};
    log_storage log{other, "d/log", small_segments()};
    log.submit({voting(group_id{0}, 1), appending(group_id{0}, {batch(1, 1, {"nada"})})}, [] {});
    disk.corrupt(segment_1, segment_header_bytes, other.contents(segment_1).substr(segment_header_bytes, size));
  }
  CHECK_FALSE(recovered(disk));
}

TEST_CASE("P10: a flipped bit anywhere in the vote file is corrected or refused, and no vote is ever another") {
  const written_log log{false};
  const auto bytes = log.disk.contents("d/log/votes");
  for (std::size_t at = 0; at < bytes.size(); at += at < 512 || at >= 4096 ? 1 : 97) {
    CAPTURE(at);
    const auto disk = log.disk.clone();
    disk->corrupt("d/log/votes", at, flipped(bytes, at, static_cast<int>(at % 8)));
    recovery_report report;
    const auto found = recovered(*disk, &report);
    if (at < 512) {
      REQUIRE_FALSE(found);
      continue;
    }
    REQUIRE(found);
    REQUIRE(*found == log.synced);
    REQUIRE(report.healed_votes == (at < 4096 ? 0 : 1));
    if (at >= 4096)
      REQUIRE(disk->contents("d/log/votes") == bytes); // Healed.
  }
}

TEST_CASE("P10: a vote that a crash put in one copy only is in both before anybody hears of it") {
  bool differed = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    simulated_disk disk{seed};
    {
      log_storage log{disk, "d/log", small_segments()};
      log.submit({voting(group_id{0}, 1, 1)}, [] {});
      log.write({voting(group_id{0}, 2, 2)});
    }
    disk.crash();
    log_storage log{disk, "d/log", small_segments()};
    differed = differed || log.report().healed_votes == 1;
    disk.crash_losing_all();
    const auto bytes = disk.contents("d/log/votes");
    REQUIRE(bytes.substr(4096, 4096) == bytes.substr(8192, 4096));
  }
  CHECK(differed);
}

TEST_CASE("P10: when both copies of a vote are bad the log refuses, and never starts at term 0") {
  const written_log log{false};
  for (const std::size_t slot : {0u, 512u}) {
    const auto disk = log.disk.clone();
    disk->corrupt("d/log/votes", 4096 + slot, std::string(512, '\0'));
    disk->corrupt("d/log/votes", 8192 + slot, std::string(512, '\0'));
    CHECK_FALSE(recovered(*disk));
  }
  SUBCASE("nor without the file") {
    const auto disk = log.disk.clone();
    disk->remove("d/log/votes");
    CHECK_THROWS_WITH_AS((log_storage{*disk, "d/log", small_segments()}), doctest::Contains("vote twice"),
                         storage_error);
  }
}

TEST_CASE("P10: a vote file older than the log beside it is refused") {
  simulated_disk disk{1};
  std::string old_votes;
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(group_id{0}, 1)}, [] {});
    old_votes = disk.contents("d/log/votes");
    log.submit({voting(group_id{0}, 2), appending(group_id{0}, {batch(2, 1, {"x"})})}, [] {});
  }
  disk.corrupt("d/log/votes", 0, old_votes);
  CHECK_THROWS_WITH_AS((log_storage{disk, "d/log", small_segments()}), doctest::Contains("term 2"), storage_error);
}

TEST_CASE("P11: a segment that is missing, renamed, copied, cut or foreign is refused by name") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(group_id{0}, 1)}, [] {});
    for (std::uint64_t index = 1; index <= 40; ++index)
      log.submit({appending(group_id{0}, {batch(1, index, {std::string(300, 'x')})})}, [] {});
  }
  const auto path = [](std::uint32_t number) { return "d/log/" + segment_name(number); };
  REQUIRE(disk.exists(path(4)));
  const auto refused_with = [&](const std::string& words) {
    CHECK_THROWS_WITH_AS((log_storage{disk, "d/log", small_segments()}), doctest::Contains(words.c_str()),
                         storage_error);
  };
  SUBCASE("missing in the middle") {
    disk.remove(path(2));
    refused_with(path(2) + ": missing");
  }
  SUBCASE("missing at the beginning") {
    disk.remove(path(1));
    refused_with(path(1) + ": missing");
  }
  SUBCASE("all missing, while votes are there") {
    for (std::uint32_t number = 1; disk.exists(path(number)); ++number)
      disk.remove(path(number));
    refused_with(path(1) + ": missing");
  }
  SUBCASE("one in the place of another") {
    std::uint32_t last = 4;
    while (disk.exists(path(last + 1)))
      ++last;
    disk.rename(path(last), path(2));
    refused_with(path(last) + ": missing");
  }
  SUBCASE("a copy of one in the place of another") {
    disk.corrupt(path(2), 0, disk.contents(path(3)));
    refused_with(path(2) + " at offset 0: is segment 3 by its header");
  }
  SUBCASE("cut") {
    disk.resize(path(2), 2048);
    refused_with("2048 bytes");
  }
  SUBCASE("all of its records zero") {
    disk.corrupt(path(2), segment_header_bytes, std::string(4096 - segment_header_bytes, '\0'));
    refused_with(path(2) + " at offset 512: damaged: it ends before lsn 10");
  }
  SUBCASE("a bad last record before a used segment is not a torn write") {
    const auto end = disk.contents(path(2)).find_last_not_of('\0');
    disk.corrupt(path(2), end - 3, std::string(4, '\0'));
    refused_with("had been durable, or " + path(3));
  }
  SUBCASE("of another disk") {
    auto options = small_segments();
    options.identity.disk = uuid_of_name("another disk");
    CHECK_THROWS_WITH_AS((log_storage{disk, "d/log", options}), doctest::Contains("belongs to the disk"),
                         storage_error);
  }
  SUBCASE("U1: of a newer format") {
    auto bytes = disk.contents(path(1)).substr(0, segment_header_bytes);
    bytes[8] = bytes[12] = 9;
    const auto checksum = crc32c(std::string_view{bytes}.substr(0, 508));
    for (int i = 0; i < 4; ++i)
      bytes[508 + static_cast<std::size_t>(i)] = static_cast<char>(checksum >> (8 * i));
    disk.corrupt(path(1), 0, bytes);
    refused_with("log format 9; this program reads format 1");
  }
}

} // namespace troupe::test
