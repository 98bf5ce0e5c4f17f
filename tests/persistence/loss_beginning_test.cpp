// Damage of a log whose prefix has left: what is good of it may have no beginning. Then a snapshot stands for all of
// it, or nothing does, and the node is one that has its term and its vote, and no say.
#include "losses.hpp"
#include "snapshots.hpp"

#include <doctest/doctest.h>

#include <cerrno>

namespace troupe::test {

namespace {

constexpr group_id g0{0};
constexpr group_id g1{1};
/// Of the two snapshots that are kept.
constexpr std::uint64_t older = 38;
constexpr std::uint64_t newer = 55;

void do_chores(log_storage& log) {
  while (const auto work = log.next_chore()) {
    (*work)();
    log.chore_done();
  }
}

/// A log of entries up to 60 in term 7 that begins with some entry before 38. Its newest start, behind 38, is at its
/// end; between entries 40 and 41 there is an older one, behind 8. Group 1 has entries 1 to 3 in front, and no
/// snapshot.
void write_compacted_log(simulated_disk& disk) {
  log_storage log{disk, "d/log", repairable()};
  log.submit({voting(g0, 7, 2), voting(g1, 7, 2)}, [] {});
  const auto append = [&](std::uint64_t first, std::uint64_t last) {
    for (auto index = first; index <= last; ++index)
      log.submit({appending(g0, {batch(7, index, {std::string(400, 'x')})})}, [] {});
  };
  append(1, 39);
  log.submit({appending(g1, {batch(7, 1, {"one", "two", "three"})})}, [] {});
  append(40, 40);
  submit(log, {beginning(g0, 7, 8, 8)});
  append(41, 60);
  save(log, 0, mark_at(older, 7), noise(1, 3000));
  save(log, 0, mark_at(newer, 7), noise(2, 3000));
  log.submit({beginning(g0, 7, older, older)}, [] {});
  do_chores(log);
}

/// Of a log: the first segment, and the place of the record with these entries of group 0 in it.
struct record_found {
  std::string file;
  std::size_t offset;
};

record_found entry_record(simulated_disk& disk, std::uint64_t index) {
  for (const auto& name : disk.list("d/log")) {
    if (!segment_number(name))
      continue;
    const auto bytes = disk.contents("d/log/" + name);
    const auto header = decode_segment_header(name, bytes, owner);
    for (std::size_t at = segment_header_bytes; at < bytes.size();) {
      const auto found = decode_header(std::string_view{bytes}.substr(at), header.salt);
      if (!found)
        break;
      if (found->header.type == record_type::entries && found->header.group == g0
          && found->header.first == log_index{index})
        return {"d/log/" + name, at};
      at += record_bytes(found->header.payload_bytes);
    }
  }
  FAIL("no such record");
  return {};
}

void damage_entry(simulated_disk& disk, std::uint64_t index) {
  const auto [file, offset] = entry_record(disk, index);
  flip(disk, file, offset + 100);
  disk.end_processes();
}

/// Group 0 begins behind `before`, without entries and without a say; and goes on like any other.
void require_new_beginning(simulated_disk& disk, std::uint64_t before) {
  std::uint64_t lost = 0;
  {
    log_storage log{disk, "d/log", repairable()};
    require_declared(log, 0);
    lost = contents(log, 0).vote.lost;
    CHECK(contents(log, 0).start.before == log_position{term_number{before == 0 ? 0u : 7u}, log_index{before}});
    CHECK(log.recover(g0, 0).last == log_index{before});
    REQUIRE(log.report().lost);
    CHECK(log.report().begun_anew == std::map<group_id, log_index>{{g0, log_index{before}}});
    const auto snapshots = log.recover(g0, 0).snapshots;
    if (before != 0) {
      REQUIRE_FALSE(snapshots.empty());
      CHECK(snapshots.back().at.index == log_index{before});
    }
  }
  disk.crash_losing_all();
  {
    log_storage log{disk, "d/log", small_segments()};
    CHECK_FALSE(log.report().lost);
    require_declared(log, 0);
    for (auto index = before + 1; index <= before + 20; ++index)
      log.submit({appending(g0, {batch(7, index, {std::string(400, 'z')})})}, [] {});
    do_chores(log);
  }
  disk.crash_losing_all();
  log_storage log{disk, "d/log", small_segments()};
  require_declared(log, 20);
  CHECK(contents(log, 0).vote.lost == lost);
  CHECK(contents(log, 0).start.before.index == log_index{before});
}

} // namespace

TEST_CASE("P3 what damage leaves of a compacted log is no log, and the newest whole snapshot takes its place") {
  simulated_disk disk{1};
  write_compacted_log(disk);
  REQUIRE_FALSE(disk.exists(segment(1)));
  SUBCASE("an older start is left, with a gap behind it") {
    damage_entry(disk, 50);
    require_new_beginning(disk, newer);
  }
  SUBCASE("no start is left") {
    damage_entry(disk, 40);
    require_new_beginning(disk, newer);
  }
  SUBCASE("the newest snapshot is damaged: the one before") {
    damage_entry(disk, 50);
    disk.corrupt(snapshot_path(0, newer, 7), 600, "?");
    require_new_beginning(disk, older);
  }
  SUBCASE("all snapshots are damaged: none, and the log is as new") {
    damage_entry(disk, 50);
    disk.corrupt(snapshot_path(0, newer, 7), 600, "?");
    disk.corrupt(snapshot_path(0, older, 7), 600, "?");
    require_new_beginning(disk, 0);
  }
}

TEST_CASE("P3 only the groups without a beginning begin anew, and the others keep what is good") {
  simulated_disk disk{1};
  write_compacted_log(disk);
  damage_entry(disk, 50);
  log_storage log{disk, "d/log", repairable()};
  CHECK(contents(log, 1).entries.size() == 3);
  CHECK(contents(log, 1).vote.lost != 0); // Nobody knows whether there had been more.
  CHECK(contents(log, 0).entries.empty());
}

TEST_CASE("P3 damage behind the newest start is cut off, and nothing begins anew") {
  simulated_disk disk{1};
  write_compacted_log(disk);
  {
    log_storage log{disk, "d/log", repairable()};
    for (std::uint64_t index = 61; index <= 70; ++index)
      log.submit({appending(g0, {batch(7, index, {std::string(400, 'x')})})}, [] {});
  }
  damage_entry(disk, 65);
  SUBCASE("as long as there is a whole snapshot") {
    log_storage log{disk, "d/log", repairable()};
    require_declared(log, 64 - older);
    CHECK(log.report().begun_anew.empty());
  }
  SUBCASE("but if all are damaged, what the log needs is gone, too") {
    disk.corrupt(snapshot_path(0, newer, 7), 600, "?");
    disk.corrupt(snapshot_path(0, older, 7), 600, "?");
    require_new_beginning(disk, 0);
  }
}

TEST_CASE("P3 a snapshot of a term that the node was never in takes no log's place") {
  simulated_disk disk{1};
  write_compacted_log(disk);
  {
    log_storage log{disk, "d/log", repairable()};
    save(log, 0, mark_at(57, 9), noise(3, 3000));
  }
  damage_entry(disk, 50);
  log_storage log{disk, "d/log", repairable()};
  CHECK(contents(log, 0).start.before == log_position{term_number{7}, log_index{newer}});
}

TEST_CASE("P11 without any snapshot, which somebody took away, the damaged log is refused, and the words say both") {
  simulated_disk disk{1};
  write_compacted_log(disk);
  damage_entry(disk, 50);
  const auto damaged = entry_record(disk, 49);
  disk.remove(snapshot_path(0, newer, 7));
  disk.remove(snapshot_path(0, older, 7));
  disk.end_processes();
  const auto before = disk.changes();
  try {
    log_storage{disk, "d/log", repairable()};
    FAIL("it was opened");
  } catch (const storage_error& refused) {
    const std::string what = refused.what();
    CAPTURE(what);
    CHECK(refused.file() == damaged.file);
    CHECK(what.find("the entries do not match their checksum") != std::string::npos);
    CHECK(what.find("there is no snapshot of what they follow") != std::string::npos);
  }
  CHECK(disk.changes() == before);
}

TEST_CASE("P3 a new beginning that is cut short at any instant is begun again, behind the same snapshot") {
  for (const bool with_snapshots : {true, false}) {
    simulated_disk before{1};
    write_compacted_log(before);
    damage_entry(before, 50);
    if (!with_snapshots)
      for (const auto index : {older, newer})
        before.corrupt(snapshot_path(0, index, 7), 600, "?");
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
    CHECK(images.size() > 20);
    for (const auto& image : images)
      for (int survives = 0; survives < 4; ++survives) {
        const auto disk = image->clone();
        disk->reseed(static_cast<std::uint64_t>(survives));
        if (survives == 0)
          disk->crash_losing_all();
        else if (survives == 1)
          disk->end_processes();
        else
          disk->crash();
        log_storage log{*disk, "d/log", repairable()};
        require_declared(log, 0);
        CHECK(contents(log, 1).vote.lost == contents(log, 0).vote.lost);
        CHECK(contents(log, 0).start.before.index == log_index{with_snapshots ? newer : 0});
        CHECK(contents(log, 1).entries.size() == 3);
      }
  }
}

TEST_CASE("P3 a new beginning finds no room in the segment where the log ends, and makes the next one") {
  simulated_disk disk{1};
  write_compacted_log(disk);
  // The segment before the one that is lost is full.
  auto number = *segment_number(entry_record(disk, 50).file.substr(6));
  flip(disk, segment(number), 90); // Its header.
  disk.end_processes();
  std::vector<std::unique_ptr<simulated_disk>> images;
  {
    const auto copy = disk.clone();
    copy->on_call([&](const simulated_disk::call& each) -> std::optional<int> {
      if (each.is_change)
        images.push_back(copy->clone());
      return std::nullopt;
    });
    log_storage log{*copy, "d/log", repairable()};
    require_declared(log, 0);
  }
  for (const auto& image : images)
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const auto copy = image->clone();
      copy->reseed(seed);
      copy->crash();
      log_storage log{*copy, "d/log", repairable()};
      require_declared(log, 0);
      CHECK(contents(log, 0).start.before.index == log_index{newer});
    }
}

TEST_CASE("P11 a hole that no declared loss explains is refused as ever") {
  simulated_disk disk{1};
  write_compacted_log(disk);
  damage_entry(disk, 50);
  CHECK_THROWS_AS((log_storage{disk, "d/log", small_segments()}), storage_error);
  CHECK(disk.exists(entry_record(disk, 49).file));
}

} // namespace troupe::test
