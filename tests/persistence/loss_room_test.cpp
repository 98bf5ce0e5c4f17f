// A log that is cut on a disk without room: the copy of what is cut off is a courtesy, and leaves nothing half done.
#include "losses.hpp"

#include <doctest/doctest.h>

namespace troupe::test {

namespace {

std::vector<std::string> names_with(simulated_disk& disk, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& name : disk.list("d/log"))
    if (name.find(text) != std::string::npos)
      found.push_back(name);
  return found;
}

} // namespace

TEST_CASE("Z1 P3 without room for a copy a log is cut all the same, nothing is left of the copy, and it is said") {
  for (const std::uint64_t room : {0u, 100u, 2'000u, 4'095u}) {
    CAPTURE(room);
    simulated_disk disk{1};
    write_log(disk);
    flip(disk, segment(2), 1000);
    disk.end_processes();
    disk.limit_to(disk.used_bytes() + room);
    const auto used = disk.used_bytes();
    log_storage log{disk, "d/log", repairable()};
    REQUIRE(log.report().lost);
    CHECK(log.report().lost->lacks_copy);
    CHECK(names_with(disk, ".tmp").empty());
    CHECK(disk.used_bytes() <= used);
    const auto loss = log.report().lost->loss;
    CHECK(log.report().lost->set_aside == names_with(disk, "damaged-"));
    CHECK_FALSE(disk.exists("d/log/" + damaged_name(loss, 2)));
    CHECK(disk.exists("d/log/" + damaged_name(loss, 3)));
    CHECK(contents(log, 0).vote.lost == loss);
  }
}

TEST_CASE("Z1 P3 what an earlier start left unfinished makes room for the copy") {
  simulated_disk disk{1};
  write_log(disk);
  flip(disk, segment(2), 1000);
  disk.open("d/log/damaged-9-" + segment_name(7) + ".tmp", open_mode::create)->write_at(0, std::string(4096, 'x'));
  disk.end_processes();
  disk.limit_to(disk.used_bytes());
  log_storage log{disk, "d/log", repairable()};
  REQUIRE(log.report().lost);
  CHECK_FALSE(log.report().lost->lacks_copy);
  CHECK(disk.exists("d/log/" + damaged_name(log.report().lost->loss, 2)));
}

TEST_CASE("Z1 a file that is to be replaced, and finds no room, leaves no draft and is as it was") {
  simulated_disk disk{1};
  disk.make_directories("d");
  replace_durably(disk, "d/name", "before");
  disk.limit_to(disk.used_bytes() + 3);
  CHECK_THROWS_AS(replace_durably(disk, "d/name", "after"), io_error);
  CHECK(disk.paths() == std::vector<std::string>{"d/name"});
  CHECK(disk.contents("d/name") == "before");
}

} // namespace troupe::test
