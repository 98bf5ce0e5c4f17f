// A full disk is a state: met where the log goes on in another segment, never within a record, and left without a
// restart.
#include "persistence/data_directory.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <cerrno>

namespace troupe::test {

namespace {

constexpr group_id g0{0};
constexpr std::uint64_t segment_bytes = 4096;

std::string path(std::uint32_t number) {
  return "d/log/" + segment_name(number);
}

bool run_chore(log_storage& log) {
  const auto work = log.next_chore();
  if (!work)
    return false;
  (*work)();
  log.chore_done();
  return true;
}

/// Chores until there is none, or none that helps.
void run_chores(log_storage& log) {
  for (int i = 0; i < 5 && run_chore(log); ++i)
    ;
}

/// A log on a disk that has room for so many segments more than it has when the log is made, reserve included.
struct small_disk {
  simulated_disk disk{1};
  std::unique_ptr<log_storage> log;
  std::uint64_t index = 0;     ///< Of the last entry submitted.
  std::uint64_t done_upto = 0; ///< Of the last one that is told to be durable.

  explicit small_disk(std::uint64_t more_segments) {
    open();
    log->submit({voting(g0, 1)}, [] {});
    run_chores(*log);
    REQUIRE(disk.exists("d/log/reserve"));
    REQUIRE_FALSE(log->is_full());
    disk.limit_to(disk.used_bytes() + more_segments * segment_bytes);
  }

  void open() { log = std::make_unique<log_storage>(disk, "d/log", small_segments()); }

  void add(std::size_t size = 500) {
    ++index;
    log->submit({appending(g0, {batch(1, index, {std::string(size, 'x')})})}, [this, at = index] { done_upto = at; });
  }

  void give_room(std::uint64_t segments) { disk.limit_to(disk.used_bytes() + segments * segment_bytes); }

  /// Power goes: what was told is there.
  void expect_all_told() {
    const auto copy = disk.clone();
    copy->crash_losing_all();
    log_storage again{*copy, "d/log", small_segments()};
    REQUIRE(contents(again, 0).last() >= done_upto);
    REQUIRE(contents(again, 0).last() <= index);
  }
};

} // namespace

TEST_CASE("Z1 Z2: a store is full when half a segment is left without a spare, and stays so until spare and reserve "
          "are there") {
  small_disk place{0};
  while (!place.log->is_full()) {
    place.add();
    run_chores(*place.log);
    REQUIRE(place.index < 100);
  }
  CHECK_FALSE(place.disk.exists(path(2)));
  CHECK(place.disk.contents(path(1)).find_last_not_of('\0') >= segment_bytes / 2 - 600);
  CHECK(place.done_upto == place.index);
  for (const auto& name : place.disk.list("d/log"))
    CHECK_FALSE(is_leftover(name)); // Nothing is left of what found no room.

  SUBCASE("what still comes goes to the reserve, and is as durable as ever") {
    while (!place.disk.exists(path(2)))
      place.add();
    CHECK_FALSE(place.disk.exists("d/log/reserve"));
    CHECK(place.log->is_full());
    CHECK(place.done_upto == place.index);
    place.expect_all_told();
    place.give_room(1);
    run_chores(*place.log);
    CHECK(place.disk.exists("d/log/spare"));
    CHECK(place.log->is_full()); // The reserve is first to be whole again.
    place.give_room(1);
    run_chores(*place.log);
    CHECK(place.disk.exists("d/log/reserve"));
    CHECK_FALSE(place.log->is_full());
  }
  SUBCASE("space that returns ends it at the next chore") {
    place.give_room(1);
    run_chores(*place.log);
    CHECK_FALSE(place.log->is_full());
  }
}

TEST_CASE("Z3: when the reserve is used up, too, writes are held in order, votes are not, and nothing is lost") {
  small_disk place{0};
  while (!place.log->is_holding()) {
    place.add();
    REQUIRE(place.index < 100);
  }
  CHECK(place.disk.exists(path(2)));
  CHECK_FALSE(place.disk.exists(path(3)));
  CHECK(place.done_upto == place.index - 1);
  const auto lengths = place.disk.used_bytes();
  run_chores(*place.log);
  CHECK(place.done_upto == place.index - 1);
  CHECK(place.disk.used_bytes() == lengths);
  place.expect_all_told();

  SUBCASE("room for one segment is enough to go on") {
    place.give_room(1);
    run_chores(*place.log);
    CHECK_FALSE(place.log->is_holding());
    CHECK(place.done_upto == place.index);
    CHECK(place.log->is_full());
    place.give_room(2);
    run_chores(*place.log);
    CHECK_FALSE(place.log->is_full());
    place.add();
    CHECK(place.done_upto == place.index);
    place.expect_all_told();
    CHECK(contents(*place.log, 0).last() == place.index);
  }
  SUBCASE("or a restart that finds room") {
    place.disk.crash();
    place.give_room(3);
    place.open();
    CHECK(contents(*place.log, 0).last() == place.done_upto);
    run_chores(*place.log);
    CHECK_FALSE(place.log->is_full());
  }
  SUBCASE("a restart that finds none is full from the beginning") {
    place.log.reset();
    place.disk.crash();
    place.open();
    CHECK(place.log->is_full());
    CHECK(contents(*place.log, 0).last() == place.done_upto);
  }
}

TEST_CASE("a vote beside entries that are held is durable all the same") {
  small_disk place{0};
  while (!place.disk.exists(path(2)))
    place.add();
  bool told = false;
  place.log->submit({voting(g0, 2, 3), appending(g0, {batch(2, place.index + 1, {std::string(3200, 'y')})})},
                    [&] { told = true; });
  CHECK(place.log->is_holding());
  CHECK_FALSE(told);
  auto copy = place.disk.clone();
  copy->crash_losing_all();
  log_storage again{*copy, "d/log", small_segments()};
  CHECK(contents(again, 0).vote == hard_state{term_number{2}, peer_id{3}});
  CHECK(contents(again, 0).last() == place.index);
  place.give_room(2);
  run_chores(*place.log);
  CHECK(told);
  CHECK(contents(*place.log, 0).last_term() == 2);
}

TEST_CASE("several writes of several batches are held where the room ends, and go on there, each once") {
  for (std::size_t size = 100; size <= 900; size += 50) {
    CAPTURE(size);
    small_disk place{0};
    std::vector<log_write> writes;
    model expected;
    perform(expected, {voting(g0, 1)});
    for (std::uint64_t i = 1; i <= 12; ++i) {
      writes.push_back(
          appending(g0, {batch(1, 2 * i - 1, {std::string(size, 'a')}), batch(1, 2 * i, {std::string(size, 'b')})}));
      if (i % 3 == 0)
        writes.push_back({g0, std::nullopt, log_index{2 * i}, {batch(1, 2 * i, {std::string(size, 'c')})}});
    }
    perform(expected, writes);
    int told = 0;
    place.log->submit(writes, [&] { ++told; });
    CHECK(place.log->is_holding() == (told == 0));
    for (int i = 0; i < 10 && told == 0; ++i) {
      place.give_room(1);
      run_chores(*place.log);
    }
    CHECK(told == 1);
    CHECK(contents(*place.log, 0) == expected[0]);
    place.log.reset();
    place.disk.crash_losing_all();
    place.open();
    CHECK(contents(*place.log, 0) == expected[0]);
  }
}

TEST_CASE("a batch larger than a segment is held, too, until there is room for it") {
  small_disk place{3};
  place.add(20000);
  CHECK(place.log->is_holding());
  CHECK(place.log->is_full());
  run_chores(*place.log);
  CHECK(place.log->is_holding());
  place.give_room(8);
  run_chores(*place.log);
  CHECK_FALSE(place.log->is_holding());
  CHECK(place.done_upto == 1);
  run_chores(*place.log);
  CHECK_FALSE(place.log->is_full());
  place.expect_all_told();
}

TEST_CASE("segments that leave a log on a full disk become its spare and reserve: forgetting makes room") {
  small_disk place{1};
  while (!place.log->is_holding())
    place.add();
  auto start = beginning(g0, 1, place.index - 2);
  CHECK(place.log->is_full());
  place.give_room(1);
  run_chores(*place.log);
  REQUIRE_FALSE(place.log->is_holding());
  CHECK(place.log->is_full());
  place.disk.limit_to(place.disk.used_bytes() + 2000); // For a snapshot, and nothing else.
  submit(*place.log, {start});
  place.disk.limit_to(place.disk.used_bytes());
  run_chores(*place.log);
  CHECK_FALSE(place.log->is_full());
  CHECK_FALSE(place.disk.exists(path(1)));
  place.expect_all_told();
}

TEST_CASE("P6: an error that is not lack of room for a new file ends the store: it is not tried again") {
  small_disk place{5};
  SUBCASE("EIO where a segment is made") {
    place.disk.on_call([](const simulated_disk::call& each) -> std::optional<int> {
      return each.is_change && each.path.ends_with(".log.tmp") ? std::optional{EIO} : std::nullopt;
    });
    CHECK_THROWS_AS(
        [&] {
          while (place.index < 100)
            place.add();
        }(),
        io_error);
  }
  SUBCASE("ENOSPC where the log is synced") {
    place.disk.fail(simulated_disk::operation::sync, 1, ENOSPC);
    CHECK_THROWS_AS(place.add(), io_error);
  }
  SUBCASE("ENOSPC where a record is written") {
    place.disk.fail(simulated_disk::operation::write, 1, ENOSPC);
    CHECK_THROWS_AS(place.add(), io_error);
  }
  SUBCASE("EIO in a chore leaves it") {
    while (place.done_upto * 500 < segment_bytes / 4)
      place.add();
    const auto work = place.log->next_chore();
    REQUIRE(work);
    place.disk.fail(simulated_disk::operation::write, 2, EIO);
    CHECK_THROWS_AS((*work)(), io_error);
    return;
  }
  CHECK_THROWS_AS(place.add(), storage_error);
  CHECK(place.done_upto < place.index);
}

TEST_CASE(
    "Z3: a node starts on a full disk, without a block set aside too: its identity takes the room of the reserve") {
  simulated_disk disk{1};
  const std::vector members{peer_id{1}};
  log_options options = small_segments();
  {
    data_directory directory{disk, "d", "troupe", peer_id{1}, members, uuid_of_name("u")};
    options.identity = directory.identity();
    log_storage log{disk, "d/log", options};
    directory.remember_log();
    log.submit({voting(g0, 1), appending(g0, {batch(1, 1, {"kept"})})}, [] {});
    run_chores(log);
  }
  bool is_set_aside = true;
  SUBCASE("the block set aside for the identity is there") {}
  SUBCASE("somebody has removed it") {
    disk.remove("d/identity.room");
    disk.sync_directory("d");
    is_set_aside = false;
  }
  disk.crash();
  disk.limit_to(disk.used_bytes() - 300); // Others have taken what they could.
  data_directory directory{disk, "d", "troupe", peer_id{1}, members, uuid_of_name("u")};
  CHECK(directory.boot() == 2);
  options.must_exist = true;
  log_storage log{disk, "d/log", options};
  CHECK(log.is_full() == !is_set_aside);
  CHECK(contents(log, 0).entries.size() == 1);
  log.submit({appending(g0, {batch(1, 2, {"and on"})})}, [] {});
  CHECK(contents(log, 0).entries.size() == 2);
  disk.limit_to(disk.used_bytes() + 2 * segment_bytes);
  run_chores(log);
  CHECK_FALSE(log.is_full());
}

TEST_CASE("more groups than the vote file holds, on a full disk: a larger one takes the room of the reserve") {
  small_disk place{0};
  place.disk.limit_to(place.disk.used_bytes() + 17000); // Enough for it only with the reserve's.
  for (std::uint32_t group = 1; group < 12; ++group)
    place.log->submit({voting(group_id{group}, 3, 2)}, [] {});
  CHECK_FALSE(place.disk.exists("d/log/reserve"));
  CHECK(place.log->is_full());
  place.disk.crash_losing_all();
  place.open();
  CHECK(contents(*place.log, 11).vote == hard_state{term_number{3}, peer_id{2}});
}

TEST_CASE("power lost at any instant of a full disk's life leaves all that was told") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    small_disk place{1};
    place.disk.reseed(seed);
    struct image {
      std::unique_ptr<simulated_disk> disk;
      std::uint64_t done_upto;
    };
    std::vector<image> images;
    place.disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
      if (each.is_change)
        images.push_back({place.disk.clone(), place.done_upto});
      return std::nullopt;
    });
    for (int round = 0; round < 2; ++round) {
      while (!place.log->is_holding()) {
        place.add(700);
        run_chore(*place.log);
      }
      place.give_room(1);
      run_chores(*place.log);
      place.give_room(2);
      run_chores(*place.log);
    }
    place.disk.on_call(nullptr); // The images go before the log does, and it has a last word.
    for (std::size_t i = 0; i < images.size(); ++i) {
      CAPTURE(seed);
      CAPTURE(i);
      images[i].disk->crash();
      images[i].disk->limit_to(images[i].disk->used_bytes());
      log_storage log{*images[i].disk, "d/log", small_segments()};
      REQUIRE(contents(log, 0).last() >= images[i].done_upto);
    }
  }
}

} // namespace troupe::test
