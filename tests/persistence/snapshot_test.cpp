#include "snapshots.hpp"

#include "persistence/little_endian.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace troupe::test {

namespace {

using operation = simulated_disk::operation;

constexpr std::size_t chunk = snapshot_chunk_bytes;

} // namespace

TEST_CASE("a snapshot reads back as it was written, whole and from any place, after a crash too") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 77}) {
    CAPTURE(size);
    simulated_disk disk{1};
    const auto content = noise(size, size);
    {
      log_storage log{disk, "d/log", small_segments()};
      save(log, 3, mark_at(7, 2), content);
      CHECK(content_of(log, 3, 7) == content);
    }
    disk.crash_losing_all();
    log_storage log{disk, "d/log", small_segments()};
    CHECK(log.recover(group_id{3}, 0).snapshots == std::vector{mark_at(7, 2, size)});
    const auto reader = log.plan_snapshot_read(group_id{3}, log_index{7})();
    CHECK(reader->mark() == mark_at(7, 2, size));
    for (const std::uint64_t from : {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, 2 * chunk + 5, size, size + 1})
      for (const std::size_t most : {std::size_t{1}, chunk, 2 * chunk + 1, ~std::size_t{0}})
        CHECK((reader->read(from, most) == (from < size ? content.substr(from, most) : std::string{})));
  }
}

TEST_CASE("snapshots are known per group, oldest first, and one at the same place is replaced") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  save(log, 1, mark_at(300, 2), "c");
  save(log, 1, mark_at(20), "a");
  save(log, 2, mark_at(5), "other");
  save(log, 1, mark_at(100), "b");
  save(log, 1, mark_at(100), "again");
  CHECK(log.recover(group_id{1}, 0).snapshots
        == std::vector{mark_at(20, 1, 1), mark_at(100, 1, 5), mark_at(300, 2, 1)});
  CHECK(content_of(log, 1, 100) == "again");
  CHECK(content_of(log, 2, 5) == "other");
  CHECK(log.recover(group_id{0}, 0).snapshots.empty());
}

TEST_CASE("of two terms at one index the later one is read") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  save(log, 1, mark_at(7, 3), "later");
  save(log, 1, mark_at(7, 2), "earlier");
  CHECK(log.recover(group_id{1}, 0).snapshots == std::vector{mark_at(7, 2, 7), mark_at(7, 3, 5)});
  CHECK(content_of(log, 1, 7) == "later");
}

TEST_CASE("what a start has read of a snapshot does not stand for the one that replaces it") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    save(log, 1, mark_at(7), "old");
  }
  log_storage log{disk, "d/log", small_segments()};
  save(log, 1, mark_at(7), "replaced");
  CHECK(log.recover(group_id{1}, 0).snapshots == std::vector{mark_at(7, 1, 8)});
}

TEST_CASE("what is not finished is not there, and nothing is left of it") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  save(log, 0, mark_at(4), "old");
  {
    const auto sink = log.plan_snapshot(group_id{0}, mark_at(4))();
    write_all(*sink, noise(1, 200'000));
    CHECK(content_of(log, 0, 4) == "old");
    CHECK(log.recover(group_id{0}, 0).snapshots.size() == 1);
  }
  CHECK(disk.list("d/log/snapshots").size() == 1);
  CHECK_THROWS_WITH_AS(static_cast<void>(log.plan_snapshot_read(group_id{0}, log_index{5})()),
                       doctest::Contains("no such snapshot"), storage_error);
}

TEST_CASE("P8: what a crash left unfinished is removed at the next start, and named") {
  simulated_disk disk{1};
  std::unique_ptr<snapshot_sink> sink;
  {
    log_storage log{disk, "d/log", small_segments()};
    sink = log.plan_snapshot(group_id{0}, mark_at(4))();
    write_all(*sink, noise(1, 200'000));
    disk.end_processes();
  }
  sink.reset();
  CHECK(disk.list("d/log/snapshots").size() == 1);
  const log_storage log{disk, "d/log", small_segments()};
  CHECK(log.report().removed
        == std::vector<std::string>{"snapshots/" + to_file_name({group_id{0}, mark_at(4).at}) + ".1.tmp"});
  CHECK(disk.list("d/log/snapshots").empty());
}

TEST_CASE("a snapshot that is being read stays readable when it is removed") {
  simulated_disk disk{1};
  snapshot_store store{disk, "d", owner};
  store.open();
  const auto content = noise(1, 200'000);
  save(store.plan_write(group_id{0}, mark_at(4)), content);
  const auto reader = store.plan_read(group_id{0}, log_index{4})();
  store.remove_below(group_id{0}, log_index{5});
  CHECK(disk.list("d").empty());
  CHECK(content_of(*reader) == content);
}

TEST_CASE("a snapshot is synced as it grows, so that no device queue holds much of it") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  const auto sink = log.plan_snapshot(group_id{0}, mark_at(4))();
  std::uint64_t written = 0;
  std::uint64_t most = 0;
  disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
    if (each.what == operation::sync)
      written = disk.count().written_bytes;
    most = std::max(most, disk.count().written_bytes - written);
    return std::nullopt;
  });
  written = disk.count().written_bytes;
  const std::string megabyte(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 40; ++i)
    sink->append(megabyte);
  sink->finish();
  CHECK(most <= std::uint64_t{9} << 20);
}

TEST_CASE("Z1: no room for a snapshot is a state, and another error is not: either way the store is unharmed") {
  const auto content = noise(2, 200'000);
  std::size_t cases = 0;
  for (const int error : {ENOSPC, EDQUOT, EIO})
    for (std::uint64_t failing = 1;; ++failing) {
      CAPTURE(error);
      CAPTURE(failing);
      simulated_disk disk{1};
      log_storage log{disk, "d/log", small_segments()};
      save(log, 0, mark_at(4), "old");
      bool failed = false;
      bool was_last = false;
      disk.on_call([&, left = failing](const simulated_disk::call& each) mutable -> std::optional<int> {
        const auto can_fail = each.what == operation::open || (each.is_change && each.what != operation::remove);
        if (failed || !can_fail || --left > 0)
          return std::nullopt;
        failed = true;
        was_last = each.what == operation::sync_directory;
        return error;
      });
      try {
        save(log, 0, mark_at(9), content);
        CHECK_FALSE(failed);
      } catch (const out_of_space&) {
        CHECK(error != EIO);
        CHECK_FALSE(was_last);
      } catch (const io_error& thrown) {
        CHECK(thrown.number() == error);
        CHECK((error == EIO || was_last));
      }
      disk.on_call({});
      ++cases;
      if (!failed)
        break;
      CHECK(disk.list("d/log/snapshots").size() == (was_last ? 2 : 1));
      CHECK(content_of(log, 0, 4) == "old");
      // Tried again when there is room, it is as if nothing had been.
      save(log, 0, mark_at(9), content);
      disk.crash_losing_all();
      log_storage again{disk, "d/log", small_segments()};
      CHECK(content_of(again, 0, 4) == "old");
      CHECK(content_of(again, 0, 9) == content);
    }
  MESSAGE(cases << " cases");
}

TEST_CASE("the name of a snapshot says group, index and term, and nothing else is taken for one") {
  const snapshot_name name{group_id{0xabc}, {term_number{0x12}, log_index{0xffff'ffff'ffff'ffff}}};
  CHECK(to_file_name(name) == "00000abc-ffffffffffffffff-0000000000000012.snap");
  const auto back = to_snapshot_name(to_file_name(name));
  REQUIRE(back);
  CHECK(back->group == name.group);
  CHECK(back->at == name.at);
  for (const auto* other :
       {"", "x.snap", "00000abc-ffffffffffffffff-0000000000000012.snap.tmp",
        "00000ABC-ffffffffffffffff-0000000000000012.snap", "00000abc_ffffffffffffffff-0000000000000012.snap",
        "00000abc-fffffffffffffff -0000000000000012.snap", "00000abc-ffffffffffffffff-00000000000000+2.snap"})
    CHECK_FALSE(to_snapshot_name(other));
}

TEST_CASE("U1: a snapshot that is not ours, not for this program, or not what its name says is refused in words") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    save(log, 0, mark_at(4), noise(1, 100'000));
  }
  const auto path = snapshot_path(0, 4);
  auto options = small_segments();
  const auto refused_with = [&](const char* words) {
    const auto before = disk.contents(path);
    CHECK_THROWS_WITH_AS((log_storage{disk, "d/log", options}), doctest::Contains(words), storage_error);
    CHECK(disk.contents(path) == before);
  };
  const auto patch_headers = [&](std::size_t at, std::uint32_t value) {
    auto bytes = disk.contents(path).substr(0, snapshot_header_bytes);
    put_le(bytes.data() + at, value);
    put_le(bytes.data() + 508, crc32c(std::string_view{bytes}.substr(0, 508)));
    disk.corrupt(path, 0, bytes);
    disk.corrupt(path, disk.contents(path).size() - bytes.size(), bytes);
  };
  SUBCASE("of a newer format") {
    patch_headers(8, 9);
    patch_headers(12, 9);
    refused_with("written in snapshot format 9; this program reads format 1");
  }
  SUBCASE("in chunks too large for this program") {
    patch_headers(20, 0x7fff'ffff);
    refused_with("chunks of 2147483647 bytes");
  }
  SUBCASE("under the name of another") {
    const auto other = snapshot_path(0, 5);
    disk.rename(path, other);
    CHECK_THROWS_WITH_AS((log_storage{disk, "d/log", options}), doctest::Contains("renamed or copied"), storage_error);
    CHECK(disk.exists(other));
  }
  SUBCASE("of another disk") {
    simulated_disk elsewhere{2};
    {
      auto other_options = options;
      other_options.identity.disk = uuid_of_name("another disk");
      log_storage log{elsewhere, "d/log", other_options};
      save(log, 0, mark_at(4), "other");
    }
    const auto bytes = elsewhere.contents(path);
    disk.resize(path, bytes.size());
    disk.corrupt(path, 0, bytes);
    refused_with("belongs to the disk");
  }
}

namespace {

constexpr group_id g0{0};

/// Ten entries of term 1, and snapshots at 3, 6 and 9.
std::unique_ptr<log_storage> ten_entries(simulated_disk& disk) {
  auto log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  log->submit({voting(g0, 1), appending(g0, {batch(1, 1, std::vector<std::string>(10, "x"))})}, [] {});
  for (const auto index : {3, 6, 9})
    save(*log, 0, mark_at(static_cast<std::uint64_t>(index)), noise(1, 1000));
  return log;
}

/// Carries out all chores that are due.
void tidy_up(log_storage& log) {
  while (const auto work = log.next_chore()) {
    (*work)();
    log.chore_done();
  }
}

std::vector<std::uint64_t> indices_of(const recovered_group& found) {
  std::vector<std::uint64_t> all;
  for (const auto& each : found.snapshots)
    all.push_back(each.at.index.value());
  return all;
}

using indices = std::vector<std::uint64_t>;

void flip_content(simulated_disk& disk, const std::string& path) {
  const auto at = snapshot_header_bytes + snapshot_chunk_header_bytes + 77;
  disk.corrupt(path, at, std::string(1, static_cast<char>(~disk.contents(path)[at])));
}

} // namespace

TEST_CASE("outdated snapshots are removed when the start that says so is durable, and not before") {
  simulated_disk disk{1};
  auto log = ten_entries(disk);
  tidy_up(*log);
  log->write({beginning(g0, 1, 6, 6)});
  tidy_up(*log);
  CHECK(disk.list("d/log/snapshots").size() == 3);
  CHECK(indices_of(log->recover(g0, 0)) == indices{6, 9}); // No longer spoken of.
  SUBCASE("lost with the power, the start takes none with it") {
    log.reset();
    disk.crash_losing_all();
    log = std::make_unique<log_storage>(disk, "d/log", small_segments());
    CHECK(indices_of(log->recover(g0, 0)) == indices{3, 6, 9});
  }
  SUBCASE("synced, it has the next chore remove them") {
    log->sync();
    CHECK(disk.list("d/log/snapshots").size() == 3);
    tidy_up(*log);
    CHECK(disk.list("d/log/snapshots").size() == 2);
    CHECK(indices_of(log->recover(g0, 0)) == indices{6, 9});
  }
  SUBCASE("synced, and power lost before the chore: the next start removes them") {
    log->sync();
    log.reset();
    disk.crash();
    log = std::make_unique<log_storage>(disk, "d/log", small_segments());
    CHECK(disk.list("d/log/snapshots").size() == 2);
    CHECK(indices_of(log->recover(g0, 0)) == indices{6, 9});
  }
}

TEST_CASE(
    "S10: a damaged newest snapshot is passed over for an older one that the log reaches back to, with a warning") {
  simulated_disk disk{1};
  auto log = ten_entries(disk);
  log->submit({beginning(g0, 1, 6, 3)}, [] {});
  log.reset();
  flip_content(disk, snapshot_path(0, 9));
  const auto damaged = disk.contents(snapshot_path(0, 9));
  log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  CHECK(indices_of(log->recover(g0, 0)) == indices{3, 6});
  REQUIRE(log->report().damaged_snapshots.size() == 1);
  CHECK(log->report().damaged_snapshots.front().file == snapshot_path(0, 9));
  CHECK(log->report().damaged_snapshots.front().offset == snapshot_header_bytes);
  CHECK(log->report().damaged_snapshots.front().why == "damaged: chunk 0 does not match its checksum");
  CHECK(disk.contents(snapshot_path(0, 9)) == damaged); // Left as it is.
  // And replaced by the next one at the same place.
  save(*log, 0, mark_at(9), "anew");
  CHECK(indices_of(log->recover(g0, 0)) == indices{3, 6, 9});
}

TEST_CASE("P11: a gap between the newest whole snapshot and the log is refused, and nothing is changed") {
  simulated_disk disk{1};
  auto log = ten_entries(disk);
  log->submit({beginning(g0, 1, 8, 6)}, [] {});
  log.reset();
  const auto refused_with = [&](const char* words) {
    const auto names = disk.list("d/log/snapshots");
    CHECK_THROWS_WITH_AS((log_storage{disk, "d/log", small_segments()}), doctest::Contains(words), storage_error);
    CHECK(disk.list("d/log/snapshots") == names);
  };
  SUBCASE("the newest is damaged") {
    flip_content(disk, snapshot_path(0, 9));
    refused_with(
        "the log of group 0 begins behind index 8, and the newest whole snapshot is at index 6: what is between "
        "is gone; d/log/snapshots/00000000-0000000000000009-0000000000000001.snap at offset 512: damaged: chunk 0 "
        "does not match its checksum. Nothing of the log");
  }
  SUBCASE("the newest is gone") {
    disk.remove(snapshot_path(0, 9));
    refused_with("the newest whole snapshot is at index 6: what is between is gone. Nothing of the log");
  }
  SUBCASE("all are gone") {
    for (const auto index : {3, 6, 9})
      disk.remove(snapshot_path(0, static_cast<std::uint64_t>(index)));
    refused_with("begins behind index 8, and there is no whole snapshot");
  }
}

TEST_CASE("outdated snapshots are kept while they are the only whole ones") {
  simulated_disk disk{1};
  auto log = ten_entries(disk);
  log->submit({beginning(g0, 1, 3, 6)}, [] {});
  log.reset();
  flip_content(disk, snapshot_path(0, 6));
  flip_content(disk, snapshot_path(0, 9));
  log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  CHECK(indices_of(log->recover(g0, 0)) == indices{3});
  CHECK((content_of(*log, 0, 3) == noise(1, 1000)));
  CHECK(log->report().damaged_snapshots.size() == 2);
}

TEST_CASE("a snapshot beyond the log, whose start was not written before the power went, is told of") {
  simulated_disk disk{1};
  auto log = ten_entries(disk);
  save(*log, 0, mark_at(50, 2), "installed");
  save(*log, 7, mark_at(5, 2), "of a group without a log");
  log.reset();
  disk.crash_losing_all();
  log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  CHECK(indices_of(log->recover(g0, 0)) == indices{3, 6, 9, 50});
  CHECK(log->recover(g0, 0).last == log_index{10});
  CHECK(indices_of(log->recover(group_id{7}, 0)) == indices{5});
}

TEST_CASE("snapshots are written and read on another thread while the store goes on") {
  auto place = (std::filesystem::temp_directory_path() / "troupe-snapshots-XXXXXX").string();
  REQUIRE(::mkdtemp(place.data()) != nullptr);
  {
    const auto files = real_file_system();
    log_storage log{*files, place + "/log", small_segments()};
    log.submit({voting(g0, 1)}, [] {});
    std::uint64_t last = 0;
    for (std::uint64_t round = 0; round < 8; ++round) {
      const auto content = noise(round, 300'000);
      const auto write = log.plan_snapshot(g0, mark_at(last + 1));
      const auto read = log.plan_snapshot_read(g0, log_index{last + 1});
      std::string back;
      std::thread archivist{[&] {
        save(write, content);
        back = content_of(*read());
      }};
      const auto at = last + 1;
      for (int i = 0; i < 10; ++i)
        log.submit({appending(g0, {batch(1, ++last, {std::string(100, 'x')})})}, [] {});
      archivist.join();
      CHECK((back == content));
      log.submit({beginning(g0, 1, at, at)}, [] {});
      std::thread tidier{[&] { tidy_up(log); }}; // As the archivist does: not while the store is asked.
      tidier.join();
      CHECK(files->list(place + "/log/snapshots").size() == 1);
    }
  }
  std::filesystem::remove_all(place);
}

} // namespace troupe::test
