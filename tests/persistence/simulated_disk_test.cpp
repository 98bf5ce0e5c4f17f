// The disk that the rest is tested on: what it calls durable, and what it does when it lies about that.
#include "stage/simulated_disk.hpp"

#include <doctest/doctest.h>

#include <cerrno>

namespace troupe::test {

namespace {

void write(simulated_disk& disk, const std::string& path, std::string_view bytes) {
  disk.open(path, disk.exists(path) ? open_mode::update : open_mode::create)->write_at(0, bytes);
}

void sync(simulated_disk& disk, const std::string& path) {
  disk.open(path, open_mode::update)->sync_data();
}

/// A disk with one file `d/f`, which says "old", durable with its name.
std::unique_ptr<simulated_disk> with_a_durable_file(std::uint64_t seed = 1) {
  auto disk = std::make_unique<simulated_disk>(seed);
  disk->make_directories("d");
  write(*disk, "d/f", "old");
  sync(*disk, "d/f");
  disk->sync_directory("d");
  return disk;
}

} // namespace

TEST_CASE("what a lying disk calls durable is there for readers, and may be gone when the power goes") {
  const auto disk = with_a_durable_file();
  disk->lie(true);
  write(*disk, "d/f", "new");
  sync(*disk, "d/f");
  CHECK(disk->contents("d/f") == "new");
  CHECK(disk->clone()->contents("d/f") == "new");
  disk->crash_losing_all();
  CHECK(disk->contents("d/f") == "old"); // What was synced before the lie is not touched by it.
}

TEST_CASE("what a lying disk was told falls to a crash as unsynced bytes do: each sector for itself") {
  std::size_t kept = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto disk = with_a_durable_file(seed);
    disk->lie(true);
    write(*disk, "d/f", "new");
    sync(*disk, "d/f");
    disk->crash();
    const auto found = disk->contents("d/f");
    CHECK((found == "old" || found == "new"));
    kept += found == "new" ? 1 : 0;
  }
  CHECK(kept > 20);
  CHECK(kept < 80);
}

TEST_CASE("names that a lying disk calls durable are not: made, removed or changed") {
  const auto disk = with_a_durable_file();
  write(*disk, "d/second", "2");
  sync(*disk, "d/second");
  disk->sync_directory("d");
  disk->lie(true);
  write(*disk, "d/third", "3");
  sync(*disk, "d/third");
  disk->remove("d/second");
  disk->rename("d/f", "d/g");
  disk->sync_directory("d");
  CHECK(disk->paths() == std::vector<std::string>{"d/g", "d/third"});
  disk->crash_losing_all();
  CHECK(disk->paths() == std::vector<std::string>{"d/f", "d/second"});
}

TEST_CASE("the first honest sync makes durable what was lied about, of its own file or directory only") {
  const auto disk = with_a_durable_file();
  write(*disk, "d/other", "old");
  sync(*disk, "d/other");
  disk->sync_directory("d");
  disk->lie(true);
  for (const auto* path : {"d/f", "d/other"}) {
    write(*disk, path, "new");
    sync(*disk, path);
  }
  write(*disk, "d/named", "new");
  sync(*disk, "d/named");
  disk->lie(false);
  const auto honest_about_names = disk->clone();
  sync(*disk, "d/f");
  disk->crash_losing_all();
  CHECK(disk->contents("d/f") == "new");
  CHECK(disk->contents("d/other") == "old");
  CHECK_FALSE(disk->exists("d/named"));
  honest_about_names->sync_directory("d");
  honest_about_names->crash_losing_all();
  CHECK(honest_about_names->exists("d/named"));
  CHECK(honest_about_names->contents("d/f") == "old");
}

TEST_CASE("a sync of a lying disk counts, is seen by a hook and can fail, as any other") {
  const auto disk = with_a_durable_file();
  const auto before = disk->count();
  const auto changes = disk->changes();
  disk->lie(true);
  sync(*disk, "d/f");
  disk->sync_directory("d");
  CHECK(disk->count().syncs == before.syncs + 1);
  CHECK(disk->count().directory_syncs == before.directory_syncs + 1);
  CHECK(disk->changes() == changes + 2);
  disk->fail(simulated_disk::operation::sync, 1, EIO);
  CHECK_THROWS_AS(sync(*disk, "d/f"), io_error);
  CHECK_THROWS_AS(disk->sync_directory("nowhere"), io_error);
}

} // namespace troupe::test
