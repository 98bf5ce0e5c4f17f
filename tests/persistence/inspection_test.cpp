// Looking at a data directory without touching it.
#include "persistence/log_inspection.hpp"

#include "effort.hpp"
#include "persistence/data_directory.hpp"
#include "persistence/log_dump.hpp"
#include "snapshots.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <memory>
#include <sstream>

namespace troupe::test {

namespace {

const std::string segment_1 = "d/log/" + segment_name(1);
constexpr group_id g0{0};

/// A node's directory, looked at and started.
struct node_directory {
  explicit node_directory(std::unique_ptr<simulated_disk> its = std::make_unique<simulated_disk>(1))
      : disk_{std::move(its)}, disk{*disk_} {}

  [[nodiscard]] node_directory clone() const { return node_directory{disk.clone()}; }

  /// Looks, and holds it to changing nothing.
  [[nodiscard]] log_inspection verify() const {
    const auto before = disk.changes();
    auto found = verify_log(disk, "d");
    CHECK(disk.changes() == before);
    return found;
  }

  [[nodiscard]] std::string dump(bool expected) const {
    const auto before = disk.changes();
    std::ostringstream out;
    CHECK(dump_log(disk, "d", out) == expected);
    CHECK(disk.changes() == before);
    return out.str();
  }

  /// Starts as a node does, and ends again.
  [[nodiscard]] bool can_start() const {
    try {
      data_directory directory{disk, "d", "troupe", peer_id{1}, {peer_id{1}}, uuid_of_name("u")};
      auto options = small_segments();
      options.identity = directory.identity();
      options.must_exist = directory.has_log();
      const log_storage log{disk, directory.log_path(), options};
      return true;
    } catch (const storage_error&) {
      return false;
    }
  }

private:
  std::unique_ptr<simulated_disk> disk_;

public:
  simulated_disk& disk;

protected:
  template <class Work>
  void at_work(Work work) {
    data_directory directory{disk, "d", "troupe", peer_id{1}, {peer_id{1}}, uuid_of_name("u")};
    auto options = small_segments();
    options.identity = directory.identity();
    log_storage log{disk, directory.log_path(), options};
    directory.remember_log();
    work(log);
  }
};

/// Three records that were synced, and one that was not.
struct directory_of_a_node : node_directory {
  explicit directory_of_a_node(bool with_unsynced = false) {
    at_work([&](log_storage& log) {
      log.submit({voting(g0, 1, 1), appending(g0, {batch(1, 1, {"a", "b"}), batch(1, 3, {"c"})})}, [] {});
      log.submit({{g0, std::nullopt, log_index{3}, {}}}, [] {});
      if (with_unsynced)
        log.write({appending(g0, {batch(1, 3, {std::string(600, 'x')})})});
    });
  }
};

/// Two segments, in which the log begins behind index 5, and snapshots at 5 and 8.
struct node_with_snapshots : node_directory {
  node_with_snapshots() {
    at_work([](log_storage& log) {
      log.submit({voting(g0, 1, 1)}, [] {});
      for (std::uint64_t index = 1; index <= 10; ++index)
        log.submit({appending(g0, {batch(1, index, {std::string(500, 'x')})})}, [] {});
      save(log, 0, mark_at(5), noise(5, 3000));
      save(log, 0, mark_at(8), noise(8, 3000));
      log.submit({beginning(g0, 1, 5, 5)}, [] {});
    });
  }

  /// By what the header of the next says is its first.
  [[nodiscard]] static std::uint64_t records_of_segment_1() {
    const auto header = node_with_snapshots{}.disk.contents("d/log/" + segment_name(2));
    return static_cast<unsigned char>(header[88]) - 1u;
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

TEST_CASE("one bad copy of a vote or of the hint is told, and torn: a start rewrites it from the other") {
  for (const auto& [file, offset] : {std::pair{"d/log/hint", 30}, std::pair{"d/log/votes", 4096 + 20}}) {
    CAPTURE(file);
    directory_of_a_node node;
    node.disk.corrupt(file, static_cast<std::uint64_t>(offset), "?");
    const auto found = node.verify();
    CHECK(found.verdict == log_verdict::torn);
    CHECK(found.records == 3);
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems[0].file == file);
    CHECK(node.can_start());
    CHECK(node.verify().verdict == log_verdict::intact);
  }
}

TEST_CASE("the records before the damage are counted, whatever is damaged") {
  SUBCASE("a record") {
    node_with_snapshots node;
    node.disk.corrupt("d/log/" + segment_name(2), 512 + 20, "?");
    CHECK(node.verify().records == node.records_of_segment_1());
  }
  SUBCASE("a segment is missing") {
    node_with_snapshots node;
    node.disk.remove("d/log/" + segment_name(2));
    CHECK(node.verify().records == node.records_of_segment_1());
  }
  SUBCASE("the hint: all of them") {
    node_with_snapshots node;
    const auto all = node.verify().records;
    node.disk.remove("d/log/hint");
    CHECK(all > node.records_of_segment_1());
    CHECK(node.verify().records == all);
  }
  SUBCASE("the first segment is missing") {
    node_with_snapshots node;
    node.disk.remove("d/log/" + segment_name(1));
    CHECK(node.verify().records == 0);
  }
  SUBCASE("the first of all") {
    node_with_snapshots node;
    node.disk.corrupt("d/log/" + segment_name(1), 512 + 20, "?");
    CHECK(node.verify().records == 0);
  }
}

TEST_CASE("all snapshots are listed, good and bad, by verify and dump") {
  node_with_snapshots node;
  const auto good = node.verify();
  CHECK(good.verdict == log_verdict::intact);
  REQUIRE(good.snapshots.size() == 2);
  CHECK(good.snapshots[0].file == snapshot_path(0, 5));
  CHECK(good.snapshots[0].group == g0);
  CHECK(good.snapshots[0].at == log_position{term_number{1}, log_index{5}});
  CHECK(good.snapshots[0].bytes == node.disk.contents(snapshot_path(0, 5)).size());
  CHECK_FALSE(good.snapshots[0].problem);
  CHECK(good.snapshots[1].at.index == log_index{8});
  const auto older = "file=snapshots/" + to_file_name({g0, good.snapshots[0].at})
      + " group=0 index=5 term=1 bytes=" + std::to_string(good.snapshots[0].bytes);
  CHECK(node.dump(true).find(older + " good=yes\n") != std::string::npos);

  node.disk.corrupt(snapshot_path(0, 5), 600, "?");
  const auto bad = node.verify();
  REQUIRE(bad.snapshots.size() == 2);
  REQUIRE(bad.snapshots[0].problem);
  CHECK(bad.snapshots[0].problem->offset == 512);
  CHECK_FALSE(bad.snapshots[1].problem);
  CHECK(node.dump(false).find(older + " good=no offset=512 damaged=\"") != std::string::npos);
}

TEST_CASE("a bad snapshot that a start does without is torn, and the problem says what is used instead") {
  node_with_snapshots node;
  node.disk.corrupt(snapshot_path(0, 8), 600, "?");
  const auto found = node.verify();
  CHECK(found.verdict == log_verdict::torn);
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].file == snapshot_path(0, 8));
  CHECK(found.problems[0].offset == 512);
  CHECK(found.problems[0].reason.ends_with("; a start passes it over: with the snapshot at index 5 the log has all"));
  CHECK(node.can_start());
}

TEST_CASE("a bad snapshot that a start cannot do without is corrupt") {
  node_with_snapshots node;
  node.disk.corrupt(snapshot_path(0, 5), 600, "?");
  node.disk.corrupt(snapshot_path(0, 8), 600, "?");
  const auto found = node.verify();
  CHECK(found.verdict == log_verdict::corrupt);
  CHECK(found.problems.size() == 3);
  for (const auto& each : found.problems)
    CHECK(each.reason.find("passes it over") == std::string::npos);
  CHECK_FALSE(node.can_start());
}

TEST_CASE("a snapshot under the name of another is corrupt, and the others are listed all the same") {
  node_with_snapshots node;
  node.disk.rename(snapshot_path(0, 5), snapshot_path(0, 4));
  const auto found = node.verify();
  CHECK(found.verdict == log_verdict::corrupt);
  REQUIRE(found.snapshots.size() == 2);
  CHECK(found.snapshots[0].problem);
  CHECK_FALSE(found.snapshots[1].problem);
  CHECK_FALSE(node.can_start());
}

TEST_CASE(
    "the verdict is intact or torn exactly where a start succeeds, whatever byte is damaged, whatever file is gone") {
  const node_with_snapshots node;
  const std::vector<std::string> names{
      "d/identity",        "d/log/votes",      "d/log/hint", "d/log/" + segment_name(1), "d/log/" + segment_name(2),
      snapshot_path(0, 5), snapshot_path(0, 8)};
  std::size_t starts = 0;
  std::size_t refusals = 0;
  const auto compare = [&](const node_directory& damaged) {
    const auto says = damaged.clone();
    const auto found = says.verify();
    CHECK((found.verdict == log_verdict::intact) == found.problems.empty());
    const auto starts_there = says.can_start();
    CHECK((found.verdict <= log_verdict::torn) == starts_there);
    ++(starts_there ? starts : refusals);
  };
  for (const auto& name : names) {
    CAPTURE(name);
    const auto gone = node.clone();
    gone.disk.remove(name);
    compare(gone);
    const auto size = node.disk.contents(name).size();
    for (std::uint64_t at = 0; at < size; at += stride(37)) {
      CAPTURE(at);
      const auto damaged = node.clone();
      damaged.disk.corrupt(name, at, std::string(1, static_cast<char>(~node.disk.contents(name)[at])));
      compare(damaged);
    }
  }
  MESSAGE(starts, " starts, ", refusals, " refusals");
  CHECK(starts > 0);
  CHECK(refusals > 0);
}

TEST_CASE("files that may not be read are no damage: the look itself fails") {
  directory_of_a_node node;
  node.disk.on_call([](const simulated_disk::call& call) {
    return call.what == simulated_disk::operation::open && call.path == "d/log/votes" ? std::optional{EACCES}
                                                                                      : std::nullopt;
  });
  CHECK_THROWS_AS(static_cast<void>(verify_log(node.disk, "d")), io_error);
  std::ostringstream out;
  CHECK_THROWS_AS(dump_log(node.disk, "d", out), io_error);
}

TEST_CASE("a loss that is declared and not repaired is told by verify and dump, though all that is there is intact") {
  simulated_disk disk{1};
  const std::vector<peer_id> members{peer_id{1}, peer_id{2}, peer_id{3}};
  const auto at_work = [&](auto work) {
    data_directory directory{disk, "d", "troupe", peer_id{1}, members, uuid_of_name("u")};
    auto options = small_segments();
    options.identity = directory.identity();
    options.must_exist = directory.has_log();
    options.may_lose = directory.can_be_repaired();
    log_storage log{disk, directory.log_path(), options};
    directory.remember_log();
    work(log);
  };
  at_work([](log_storage& log) {
    log.submit({voting(g0, 1, 1), voting(group_id{1}, 3)}, [] {});
    log.submit({appending(g0, {batch(1, 1, {"a", "b"})})}, [] {});
  });
  const auto dump = [&] {
    std::ostringstream out;
    CHECK(dump_log(disk, "d", out));
    return out.str();
  };
  CHECK(verify_log(disk, "d").losses.empty());
  CHECK(dump().find("file=votes group=0 term=1 voted_for=1 lost=0\n") != std::string::npos);
  disk.corrupt(segment_1, 512 + 20, "?");
  CHECK(verify_log(disk, "d").verdict == log_verdict::corrupt);
  std::uint64_t lost = 0;
  at_work([&](log_storage& log) { lost = contents(log, 0).vote.lost; });
  REQUIRE(lost != 0);
  const auto found = verify_log(disk, "d");
  CHECK(found.verdict == log_verdict::intact);
  CHECK(found.problems.empty());
  REQUIRE(found.losses.size() == 2);
  CHECK(found.losses[0].group == g0);
  CHECK(found.losses[0].number == lost);
  CHECK(found.losses[1].group == group_id{1});
  CHECK(dump().find("file=votes group=0 term=1 voted_for=1 lost=" + std::to_string(lost) + "\n") != std::string::npos);
  at_work([](log_storage& log) { log.submit({voting(g0, 1, 1)}, [] {}); }); // Group 0 is repaired.
  REQUIRE(verify_log(disk, "d").losses.size() == 1);
  CHECK(verify_log(disk, "d").losses[0].group == group_id{1});
}

TEST_CASE("a directory in which no node ever was is told so") {
  simulated_disk disk{1};
  disk.make_directories("d");
  CHECK(verify_log(disk, "d").verdict == log_verdict::corrupt);
  std::ostringstream out;
  CHECK_FALSE(dump_log(disk, "d", out));
}

} // namespace troupe::test
