// A data directory that was written in format version 1 and committed: it must stay readable. It is written anew, when
// the format is meant to change, by
//
//     TROUPE_WRITE_GOLDEN=1 build/dev/bin/persistence_tests -tc='a data directory of format version 1*'
#include "persistence/data_directory.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe::test {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t groups = 4;
const fs::path golden = TROUPE_GOLDEN;

/// Writes it all: three groups, a truncation, starts, a first segment that is not number 1, and votes.
model write_golden(simulated_disk& disk) {
  model content;
  data_directory directory{disk, "d", "golden", peer_id{2}, {peer_id{1}, peer_id{2}, peer_id{3}}, uuid_of_name("disk")};
  directory.remember_peer(peer_id{3}, {uuid_of_name("another disk")});
  auto options = small_segments();
  options.identity = directory.identity();
  log_storage log{disk, directory.log_path(), options};
  directory.remember_log();
  const auto put = [&](const std::vector<log_write>& writes) {
    submit(log, writes);
    perform(content, writes);
    for (int i = 0; i < 3; ++i)
      if (const auto work = log.next_chore()) {
        (*work)();
        log.chore_done();
      }
  };
  put({voting(group_id{0}, 3, 1), voting(group_id{1}, 7, 2), voting(group_id{2}, 1), voting(group_id{3}, 9, 3)});
  for (std::uint64_t index = 1; index <= 20; ++index)
    put({appending(group_id{0}, {batch(3, index, {"entry " + std::to_string(index), std::string(index * 20, 'g')})}),
         {group_id{0}, std::nullopt, log_index{index + 1}, {}}});
  put({beginning(group_id{0}, 3, 17, 12), beginning(group_id{1}, 6, 1000, 1000)});
  put({appending(group_id{1}, {batch(6, 1001, {"old"}), batch(7, 1002, {"kept", "cut off"})}),
       {group_id{1}, std::nullopt, log_index{1003}, {batch(7, 1003, {std::string(3000, '\0'), "last"})}}});
  put({voting(group_id{0}, 4, 3)});
  put({appending(group_id{0}, {batch(4, 21, {"of a later term"})})});
  return content;
}

bool is_kept(const std::string& name) {
  return !name.ends_with("LOCK") && !name.ends_with("spare") && !name.ends_with("reserve");
}

void save(simulated_disk& disk, const std::string& directory, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& name : disk.list(directory)) {
    const auto path = directory + "/" + name;
    if (name == "log" || name == "snapshots")
      save(disk, path, to / name);
    else if (is_kept(name))
      std::ofstream{to / name, std::ios::binary} << disk.contents(path);
  }
}

/// The committed files, on a disk of their own.
std::unique_ptr<simulated_disk> load() {
  simulated_disk disk{1};
  for (const auto& each : fs::recursive_directory_iterator{golden}) {
    if (!each.is_regular_file() || each.path().extension() == ".md")
      continue;
    std::ostringstream bytes;
    bytes << std::ifstream{each.path(), std::ios::binary}.rdbuf();
    const auto path = "d/" + fs::relative(each.path(), golden).string();
    disk.make_directories(directory_of(path));
    disk.open(path, open_mode::create)->write_at(0, bytes.str());
  }
  return disk.clone();
}

log_options options_of(const data_directory& directory) {
  auto options = small_segments();
  options.identity = directory.identity();
  options.must_exist = true;
  return options;
}

data_directory open_directory(simulated_disk& disk) {
  return {disk, "d", "golden", peer_id{2}, {peer_id{1}, peer_id{2}, peer_id{3}}, uuid_of_name("fresh")};
}

} // namespace

TEST_CASE("a data directory of format version 1 reads back as it was written") {
  simulated_disk now{1};
  const auto expected = write_golden(now);
  if (std::getenv("TROUPE_WRITE_GOLDEN")) {
    fs::remove_all(golden / "log");
    save(now, "d", golden);
  }
  const auto disk = load();
  REQUIRE(disk->exists("d/log/hint"));
  const auto directory = open_directory(*disk);
  CHECK(directory.uuid() == uuid_of_name("disk"));
  CHECK(directory.has_log());
  CHECK(directory.known_peers()
        == std::map<peer_id, data_directory::known_disk>{{peer_id{3}, {uuid_of_name("another disk"), 0, 0}}});
  const auto hint = find_hint(*disk, "d/log", directory.identity());
  REQUIRE(hint);
  CHECK(hint->says.first_segment > 1);
  CHECK(hint->says.last_segment > hint->says.first_segment);
  log_storage log{*disk, "d/log", options_of(directory)};
  CHECK_FALSE(log.report().cut);
  CHECK(log.report().damaged_snapshots.empty());
  for (std::uint32_t group = 0; group < groups; ++group) {
    CAPTURE(group);
    const auto at = expected.find(group);
    CHECK(contents(log, group) == (at == expected.end() ? model_group{} : at->second));
  }
  SUBCASE("and this program writes the same bytes") {
    for (const auto& name : disk->list("d/log"))
      if (segment_number(name) || name == "votes")
        CHECK(now.contents("d/log/" + name) == load()->contents("d/log/" + name));
  }
}

TEST_CASE("U1: a file of a newer format is refused with words, and nothing is changed") {
  const auto make_newer = [](simulated_disk& disk, const std::string& path, std::size_t at) {
    auto header = disk.contents(path).substr(at, 512);
    header[8] = header[12] = 2;
    const auto checksum = crc32c(std::string_view{header}.substr(0, 508));
    for (std::size_t i = 0; i < 4; ++i)
      header[508 + i] = static_cast<char>(checksum >> (8 * i));
    disk.corrupt(path, at, header);
  };
  const auto original = load();
  const auto identity = data_directory::read_identity(*original, "d");
  REQUIRE(identity);
  auto options = small_segments();
  options.identity = {uuid_of_name(identity->cluster), identity->disk, identity->node};
  options.must_exist = true;
  for (const auto& name : original->list("d/log")) {
    if (name == "snapshots")
      continue;
    CAPTURE(name);
    const auto disk = original->clone();
    make_newer(*disk, "d/log/" + name, 0);
    if (name == "hint")
      make_newer(*disk, "d/log/" + name, 4096);
    try {
      const log_storage log{*disk, "d/log", options};
      FAIL("it was opened");
    } catch (const storage_error& refused) {
      CHECK(refused.kind() == damage::none);
      CHECK(refused.why().find("format 2; this program reads format 1: use the newer program") != std::string::npos);
    }
    CHECK(disk->changes() == 0);
  }
}

} // namespace troupe::test
