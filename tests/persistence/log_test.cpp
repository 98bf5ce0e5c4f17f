#include "support.hpp"

#include <doctest/doctest.h>

#include <cerrno>

namespace troupe::test {

namespace {

constexpr group_id g0{0};

void run_chore(log_storage& log) {
  if (const auto work = log.next_chore()) {
    (*work)();
    log.chore_done();
  }
}

} // namespace

TEST_CASE("a new log is empty and remembers no vote") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  CHECK(log.report().created);
  const auto found = log.recover(g0, 1000);
  CHECK(found.vote == hard_state{});
  CHECK(found.last == log_index{0});
  CHECK(found.terms.empty());
  CHECK(found.tail.empty());
}

TEST_CASE("N26a N26b N26c: vote, term and entries are there after a power loss once submitted") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({{g0, hard_state{term_number{7}, peer_id{2}}, std::nullopt, {batch(7, 1, {"a", "b"})}}}, [] {});
  }
  disk.crash_losing_all();
  log_storage log{disk, "d/log", small_segments()};
  const auto found = contents(log, 0);
  CHECK(found.vote == hard_state{term_number{7}, peer_id{2}});
  CHECK(found.entries == std::vector<model_entry>{{7, "a"}, {7, "b"}});
  CHECK_FALSE(log.report().cut);
}

TEST_CASE("a submit costs one sync of the log, however many writes, groups and batches there are") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments(1 << 20)};
  std::vector<log_write> votes;
  for (std::uint32_t group = 0; group < 100; ++group)
    votes.push_back(voting(group_id{group}, 1, 1));
  log.submit(votes, [] {});

  auto before = disk.count();
  std::vector<log_write> writes;
  for (std::uint32_t group = 0; group < 100; ++group)
    writes.push_back(appending(group_id{group}, {batch(1, 1, {"x"}), batch(1, 2, {"y", "z"})}));
  int done = 0;
  log.submit(writes, [&] { ++done; });
  CHECK(done == 1);
  CHECK(disk.count().syncs - before.syncs == 1);
  CHECK(disk.count().writes - before.writes == 2); // All records, and the note of how far they are durable.
  CHECK(disk.count().directory_syncs == before.directory_syncs);

  SUBCASE("changed votes cost one sync more, again for all groups") {
    before = disk.count();
    for (std::uint32_t group = 0; group < 100; ++group)
      writes[group] = {group_id{group}, hard_state{term_number{2}, nobody}, std::nullopt, {batch(2, 4, {"w"})}};
    log.submit(writes, [] {});
    CHECK(disk.count().syncs - before.syncs == 2);
  }
  SUBCASE("a vote alone costs the vote file's sync only") {
    before = disk.count();
    log.submit({voting(g0, 2, 1)}, [] {});
    CHECK(disk.count().syncs - before.syncs == 1);
  }
  SUBCASE("a vote that is remembered already costs nothing") {
    before = disk.count();
    log.submit({voting(g0, 1, 1)}, [] {});
    CHECK(disk.count().syncs == before.syncs);
    CHECK(disk.count().writes == before.writes);
  }
}

TEST_CASE("what is written and not synced is not durable") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  log.submit({voting(g0, 1, 1)}, [] {});
  log.write({appending(g0, {batch(1, 1, {"lost"})})});
  disk.crash_losing_all();
  log_storage again{disk, "d/log", small_segments()};
  CHECK(contents(again, 0).entries.empty());
}

TEST_CASE("what a killed process left in the machine's memory is synced before anybody relies on it") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    log.write({{g0, hard_state{term_number{1}, peer_id{3}}, std::nullopt, {batch(1, 1, {"kept"})}}});
  }
  disk.end_processes();
  { log_storage log{disk, "d/log", small_segments()}; }
  disk.crash_losing_all();
  log_storage log{disk, "d/log", small_segments()};
  CHECK(contents(log, 0).entries.size() == 1);
  CHECK(contents(log, 0).vote.voted_for == peer_id{3});
}

TEST_CASE("a batch larger than a segment gets a segment of its own") {
  simulated_disk disk{1};
  const std::string large(20000, 'L');
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(g0, 1), appending(g0, {batch(1, 1, {"a"}), batch(1, 2, {large, "b"}), batch(1, 4, {"c"})})},
               [] {});
  }
  disk.crash_losing_all();
  log_storage log{disk, "d/log", small_segments()};
  CHECK(contents(log, 0).entries == std::vector<model_entry>{{1, "a"}, {1, large}, {1, "b"}, {1, "c"}});
}

TEST_CASE("random histories of several groups come back as they were written") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    simulated_disk disk{seed};
    history writes{seed, 1 + static_cast<std::uint32_t>(seed % 5), seed % 3 == 0 ? 9000u : 300u};
    auto log = std::make_unique<log_storage>(disk, "d/log", small_segments(seed % 2 == 0 ? 4096 : 16384));
    for (int step = 0; step < 60; ++step) {
      submit(*log, writes.next());
      if (seed % 4 != 0)
        run_chore(*log);
      if (step % 20 == 19) {
        log.reset();
        disk.crash();
        log = std::make_unique<log_storage>(disk, "d/log", small_segments());
      }
      for (const auto& [group, expected] : writes.planned())
        REQUIRE(contents(*log, group) == expected);
    }
  }
}

TEST_CASE("the terms of the whole log come back run by run, the tail about as long as asked for") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  log.submit({voting(g0, 1), appending(g0, {batch(1, 1, {"a", "b"}), batch(1, 3, {"c"})})}, [] {});
  log.submit({voting(g0, 4), appending(g0, {batch(4, 4, {"d"})})}, [] {});
  log.submit({{g0,
               hard_state{term_number{5}, nobody},
               log_index{3},
               {batch(5, 3, {"e"}), batch(5, 4, {std::string(100, 'f')})}}},
             [] {});
  const auto all = log.recover(g0, 10000);
  CHECK(all.terms == std::vector<term_run>{{log_index{1}, term_number{1}}, {log_index{3}, term_number{5}}});
  CHECK(all.last == log_index{4});
  CHECK(all.tail.size() == 3);
  const auto newest = log.recover(g0, 10);
  REQUIRE(newest.tail.size() == 1);
  CHECK(newest.tail[0].first() == log_index{4});
  CHECK(log.recover(g0, 0).tail.empty());
}

TEST_CASE("a thousand groups share one log") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments(64 << 10)};
    for (std::uint64_t round = 1; round <= 3; ++round) {
      std::vector<log_write> writes;
      for (std::uint32_t group = 0; group < 1000; ++group)
        writes.push_back({group_id{group},
                          hard_state{term_number{round}, peer_id{group}},
                          std::nullopt,
                          {batch(round, round, {std::to_string(group)})}});
      log.submit(std::move(writes), [] {});
    }
  }
  disk.crash();
  log_storage log{disk, "d/log", small_segments(64 << 10)};
  CHECK(log.groups().size() == 1000);
  for (std::uint32_t group = 0; group < 1000; ++group) {
    const auto found = contents(log, group);
    REQUIRE(found.vote == hard_state{term_number{3}, peer_id{group}});
    REQUIRE(found.entries.size() == 3);
    REQUIRE(found.entries[2] == model_entry{3, std::to_string(group)});
  }
}

TEST_CASE("a read planned before a truncation returns what was there, never a mixture") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  log.submit({voting(g0, 1), appending(g0, {batch(1, 1, {"a", "b", "c"}), batch(1, 4, {"d"})})}, [] {});
  const auto plan = log.plan_read({g0, log_index{2}, log_index{4}, 10000});
  log.submit({{g0, hard_state{term_number{2}, nobody}, log_index{2}, {batch(2, 2, {"B", "C"})}}}, [] {});

  const auto old = plan();
  REQUIRE(old.size() == 2);
  CHECK(old[0].first() == log_index{2});
  CHECK(old[0].term() == term_number{1});
  CHECK((*old[0].begin()).content == "b");
  CHECK(old[1].last() == log_index{4});

  const auto now = log.plan_read({g0, log_index{1}, log_index{3}, 10000})();
  REQUIRE(now.size() == 2);
  CHECK(now[0].last() == log_index{1});
  CHECK(now[1].term() == term_number{2});
}

TEST_CASE("a read goes over segments and stops at about as many bytes as asked for") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  log.submit({voting(g0, 1)}, [] {});
  for (std::uint64_t index = 1; index <= 100; ++index)
    log.submit({appending(g0, {batch(1, index, {std::string(200, 'x')})})}, [] {});

  std::uint64_t next = 1;
  while (next <= 100) {
    const auto read = log.plan_read({g0, log_index{next}, log_index{100}, 3000})();
    REQUIRE_FALSE(read.empty());
    std::size_t bytes = 0;
    for (const auto& each : read) {
      REQUIRE(each.first() == log_index{next});
      next = each.last().value() + 1;
      bytes += each.size_bytes();
    }
    CHECK(bytes <= 3000);
  }
  CHECK(log.plan_read({g0, log_index{50}, log_index{60}, 1})().size() == 1);
}

TEST_CASE("a damaged record is refused by a read, which names file and offset") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  log.submit({voting(g0, 1), appending(g0, {batch(1, 1, {"hello"})})}, [] {});
  const auto path = "d/log/" + segment_name(1);
  disk.corrupt(path, segment_header_bytes + record_header_bytes + 6, "J");
  const auto plan = log.plan_read({g0, log_index{1}, log_index{1}, 100});
  CHECK_THROWS_WITH_AS(plan(), doctest::Contains((path + " at offset 512").c_str()), storage_error);
}

TEST_CASE("a spare that is ready becomes the next segment, and one that is late costs nothing but speed") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  log.submit({voting(g0, 1)}, [] {});
  run_chore(log);
  CHECK(disk.exists("d/log/reserve"));
  CHECK_FALSE(log.next_chore());
  std::uint64_t index = 1;
  const auto add = [&] { log.submit({appending(g0, {batch(1, index++, {std::string(500, 'x')})})}, [] {}); };
  while (!disk.exists("d/log/spare")) {
    add();
    run_chore(log);
  }
  while (!disk.exists("d/log/" + segment_name(2)))
    add();
  CHECK_FALSE(disk.exists("d/log/spare"));
  const auto late = log.next_chore();
  REQUIRE(late);
  CHECK_FALSE(log.next_chore()); // One at a time.
  while (!disk.exists("d/log/" + segment_name(3)))
    add();
  (*late)();
  log.chore_done();
  CHECK(disk.exists("d/log/spare"));
  while (!disk.exists("d/log/" + segment_name(4)))
    add();
  CHECK_FALSE(disk.exists("d/log/spare"));
  disk.crash();
  log_storage again{disk, "d/log", small_segments()};
  CHECK(contents(again, 0).entries.size() == index - 1);
}

TEST_CASE("a bit that flipped in the spare or the reserve of an earlier life never comes to lie in the log") {
  for (const auto* name : {"d/log/spare", "d/log/reserve"}) {
    simulated_disk disk{1};
    std::uint64_t index = 1;
    const auto add = [&](log_storage& log) {
      log.submit({appending(g0, {batch(1, index++, {std::string(500, 'x')})})}, [] {});
    };
    {
      log_storage log{disk, "d/log", small_segments()};
      log.submit({voting(g0, 1)}, [] {});
      for (run_chore(log); !disk.exists(name) || !disk.exists("d/log/spare"); run_chore(log))
        add(log);
    }
    disk.end_processes();
    disk.corrupt(name, 3109, "\x80");
    log_storage log{disk, "d/log", small_segments()};
    REQUIRE(disk.contents("d/log/spare").size() == 4096);
    for (auto work = log.next_chore(); work; work = log.next_chore()) {
      (*work)();
      log.chore_done();
    }
    CHECK(disk.contents("d/log/spare") == std::string(4096, '\0'));
    CHECK(disk.contents("d/log/reserve") == std::string(4096, '\0'));
    add(log);
    disk.crash();
    log_storage again{disk, "d/log", small_segments()};
    CHECK(contents(again, 0).entries.size() == index - 1);
  }
}

TEST_CASE(
    "P8: a rename that a crash has left half done, with both names, does not make a spare or a reserve of a segment") {
  for (const bool is_reserve : {false, true}) {
    CAPTURE(is_reserve);
    const auto name = std::string{is_reserve ? "d/log/reserve" : "d/log/spare"};
    auto options = small_segments();
    options.prewrite = !is_reserve; // The reserve becomes a segment where there is neither a spare nor room.
    simulated_disk disk{1};
    std::uint64_t index = 1;
    const auto add = [&](log_storage& log) {
      log.submit({appending(g0, {batch(1, index++, {std::string(500, 'x')})})}, [] {});
    };
    std::unique_ptr<simulated_disk> halfway; // A name is there, its directory not synced.
    std::uint64_t told = 0;
    {
      log_storage log{disk, "d/log", options};
      log.submit({voting(g0, 1)}, [] {});
      for (run_chore(log); !disk.exists(name); run_chore(log))
        add(log);
      run_chore(log);
      if (is_reserve)
        disk.limit_to(disk.used_bytes());
      disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
        if (each.what == simulated_disk::operation::sync_directory && disk.exists("d/log/" + segment_name(2))
            && !halfway) {
          halfway = disk.clone();
          told = index - 2; // The entry that the new segment is for is not there yet.
        }
        return std::nullopt;
      });
      while (!halfway)
        add(log);
    }
    std::unique_ptr<simulated_disk> crashed;
    for (std::uint64_t seed = 1; !crashed || !crashed->exists(name) || !crashed->exists("d/log/" + segment_name(2));
         ++seed) {
      REQUIRE(seed < 100);
      crashed = halfway->clone();
      crashed->reseed(seed);
      crashed->crash();
    }
    crashed->limit_to(~std::uint64_t{0});
    index = told + 1;
    {
      log_storage log{*crashed, "d/log", small_segments()};
      REQUIRE(contents(log, 0).entries.size() == told);
      add(log);
      for (int chore = 0; chore < 5; ++chore)
        run_chore(log);
      for (int i = 0; i < 12; ++i) { // Through the next segments, too.
        add(log);
        run_chore(log);
      }
    }
    crashed->crash();
    log_storage again{*crashed, "d/log", small_segments()};
    CHECK(contents(again, 0).entries.size() == index - 1);
  }
}

TEST_CASE("a bit that flips behind the last record of a full segment is no damage: the next segment proves its end") {
  simulated_disk disk{1};
  std::uint64_t index = 1;
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(g0, 1)}, [] {});
    while (!disk.exists("d/log/" + segment_name(2)))
      log.submit({appending(g0, {batch(1, index++, {std::string(700, 'x')})})}, [] {});
  }
  disk.end_processes();
  const auto path = "d/log/" + segment_name(1);
  const auto used = disk.contents(path).find_last_not_of('\0') + 1;
  REQUIRE(used < 4000);
  for (const auto at : {used, used + 17, std::size_t{4095}}) {
    disk.corrupt(path, at, "\x04");
    log_storage again{disk, "d/log", small_segments()};
    CHECK(contents(again, 0).entries.size() == index - 1);
    disk.end_processes();
  }
}

TEST_CASE("after a failed write or sync the log does nothing more, and tells nobody that it is done") {
  for (const auto kind : {simulated_disk::operation::write, simulated_disk::operation::sync}) {
    simulated_disk disk{1};
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(g0, 1)}, [] {});
    disk.fail(kind, 1, EIO);
    bool told = false;
    CHECK_THROWS_AS(log.submit({appending(g0, {batch(1, 1, {"a"})})}, [&] { told = true; }), io_error);
    CHECK_THROWS_AS(log.submit({}, [&] { told = true; }), storage_error);
    CHECK_THROWS_AS(log.sync(), storage_error);
    CHECK_FALSE(told);
  }
}

} // namespace troupe::test
