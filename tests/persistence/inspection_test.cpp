// Looking at a data directory without touching it.
#include "persistence/log_inspection.hpp"

#include "persistence/data_directory.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <sstream>

namespace troupe::test {

namespace {

const std::string segment_1 = "d/log/" + segment_name(1);
constexpr group_id g0{0};

/// A node's directory with three records that were synced, and one that was not.
struct directory_of_a_node {
  simulated_disk disk{1};

  explicit directory_of_a_node(bool with_unsynced = false) {
    data_directory directory{disk, "d", "troupe", peer_id{1}, {peer_id{1}}, uuid_of_name("u")};
    auto options = small_segments();
    options.identity = directory.identity();
    log_storage log{disk, directory.log_path(), options};
    directory.remember_log();
    log.submit({voting(g0, 1, 1), appending(g0, {batch(1, 1, {"a", "b"}), batch(1, 3, {"c"})})}, [] {});
    log.submit({{g0, std::nullopt, log_index{3}, {}}}, [] {});
    if (with_unsynced)
      log.write({appending(g0, {batch(1, 3, {std::string(600, 'x')})})});
  }

  /// Looks twice as a whole, and holds it to changing nothing.
  log_inspection verify() {
    const auto before = disk.changes();
    auto found = verify_log(disk, "d");
    CHECK(disk.changes() == before);
    return found;
  }

  std::string dump(bool expected) {
    const auto before = disk.changes();
    std::ostringstream out;
    CHECK(dump_log(disk, "d", out) == expected);
    CHECK(disk.changes() == before);
    return out.str();
  }
};

} // namespace

TEST_CASE("an intact directory is told so, and dumped record by record") {
  directory_of_a_node node;
  const auto found = node.verify();
  CHECK(found.verdict == log_verdict::intact);
  CHECK(found.records == 3);
  CHECK(found.problems.empty());
  const auto text = node.dump(true);
  CHECK(text.find("offset=512 lsn=1 group=0 kind=entries term=1 first=1 last=2 bytes=") != std::string::npos);
  CHECK(text.find("lsn=3 group=0 kind=truncation first=3") != std::string::npos);
  CHECK(text.find("file=votes group=0 term=1 voted_for=1") != std::string::npos);
  CHECK(text.find("durable=3 first_segment=1 last_segment=1") != std::string::npos);
}

TEST_CASE("a torn write is told, and left for the start to undo") {
  directory_of_a_node node{true};
  const auto end = node.disk.contents(segment_1).find_last_not_of('\0') + 1;
  node.disk.corrupt(segment_1, end - 300, std::string(300, '\0'));
  const auto found = node.verify();
  CHECK(found.verdict == log_verdict::torn);
  CHECK(found.records == 3);
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].lsn == 4);
  CHECK(found.problems[0].file == segment_1);
}

TEST_CASE("damage is told with file, offset and number, and the dump goes on behind it") {
  directory_of_a_node node;
  node.disk.corrupt(segment_1, 512 + 20, "?");
  const auto found = node.verify();
  CHECK(found.verdict == log_verdict::corrupt);
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].offset == 512);
  CHECK(found.problems[0].lsn == 1);
  const auto text = node.dump(false);
  CHECK(text.find("offset=512 damaged=") != std::string::npos);
  CHECK(text.find("lsn=2 group=0") != std::string::npos);
}

TEST_CASE("what no crash leaves, behind all that was durable, is suspect") {
  directory_of_a_node node{true};
  const auto end = node.disk.contents(segment_1).find_last_not_of('\0') + 1;
  node.disk.corrupt(segment_1, end - 20, "?");
  CHECK(node.verify().verdict == log_verdict::suspect);
}

TEST_CASE("every file of a directory that is damaged or missing is named") {
  for (const std::string name : {"d/identity", "d/log/votes", "d/log/hint", "d/log/0000000000000001.log"}) {
    CAPTURE(name);
    directory_of_a_node missing;
    missing.disk.remove(name);
    const auto found = missing.verify();
    CHECK(found.verdict == log_verdict::corrupt);
    REQUIRE_FALSE(found.problems.empty());
    directory_of_a_node damaged;
    damaged.disk.corrupt(name, 30, "\x01\x02");
    damaged.disk.corrupt(name, 4096 + 30, "\x01\x02");
    CHECK(damaged.verify().verdict == log_verdict::corrupt);
    std::ostringstream out;
    dump_log(damaged.disk, "d", out);
  }
}

TEST_CASE("one bad copy of a vote or of the hint is told, and is no damage: the other is good") {
  directory_of_a_node node;
  node.disk.corrupt("d/log/hint", 30, "?");
  node.disk.corrupt("d/log/votes", 4096 + 20, "?");
  const auto found = node.verify();
  CHECK(found.verdict == log_verdict::intact);
  CHECK(found.problems.size() == 2);
}

TEST_CASE("a directory in which no node ever was is told so") {
  simulated_disk disk{1};
  disk.make_directories("d");
  CHECK(verify_log(disk, "d").verdict == log_verdict::corrupt);
  std::ostringstream out;
  CHECK_FALSE(dump_log(disk, "d", out));
}

} // namespace troupe::test
