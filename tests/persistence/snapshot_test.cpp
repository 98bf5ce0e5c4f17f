#include "snapshots.hpp"

#include "persistence/little_endian.hpp"

#include <doctest/doctest.h>

#include <cerrno>

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
        == std::vector<std::string>{"snapshots/" + to_file_name({group_id{0}, mark_at(4).at}) + ".tmp"});
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

} // namespace troupe::test
