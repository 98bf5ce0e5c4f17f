// The beginning of the log goes when no group needs it any more, and whatever is missing otherwise is missed.
#include "support.hpp"

#include <doctest/doctest.h>

namespace troupe::test {

namespace {

constexpr group_id g0{0};
constexpr group_id g1{1};

std::string path(std::uint32_t number) {
  return "d/log/" + segment_name(number);
}

std::vector<std::uint32_t> segments(simulated_disk& disk) {
  std::vector<std::uint32_t> all;
  for (const auto& name : disk.list("d/log"))
    if (const auto number = segment_number(name))
      all.push_back(*number);
  return all;
}

bool run_chore(log_storage& log) {
  const auto work = log.next_chore();
  if (!work)
    return false;
  (*work)();
  log.chore_done();
  return true;
}

void run_chores(log_storage& log) {
  while (run_chore(log))
    ;
}

/// Appends entries of 300 bytes to a group until the log goes on in segment `upto`. Returns the index of the last.
std::uint64_t fill(simulated_disk& disk, log_storage& log, group_id group, std::uint64_t from, std::uint32_t upto) {
  while (!disk.exists(path(upto)))
    submit(log, {appending(group, {batch(1, from++, {std::string(300, 'x')})})}, [] {});
  return from - 1;
}

} // namespace

TEST_CASE("segments that no group needs leave the log, and one of them becomes the spare") {
  simulated_disk disk{1};
  auto log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  submit(*log, {voting(g0, 1)}, [] {});
  run_chores(*log);
  const auto last = fill(disk, *log, g0, 1, 4);
  REQUIRE(segments(disk) == std::vector<std::uint32_t>{1, 2, 3, 4});
  CHECK_FALSE(disk.exists("d/log/spare"));
  submit(*log, {beginning(g0, 1, last - 1)}, [] {});
  REQUIRE(run_chore(*log));
  const auto left = segments(disk);
  CHECK(left.front() > 1);
  CHECK(left.back() == 4);
  CHECK(disk.exists("d/log/spare"));
  CHECK(disk.contents("d/log/spare") == std::string(4096, '\0'));
  for (const auto& name : disk.list("d/log"))
    CHECK_FALSE(name.starts_with("retired"));
  const auto wanted = contents(*log, 0);
  CHECK(wanted.entries.size() == 1);
  log.reset();
  disk.crash_losing_all();
  log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  CHECK(contents(*log, 0) == wanted);
  // And on, over more segments.
  for (std::uint64_t index = last + 1; index < last + 100; ++index) {
    submit(*log, {appending(g0, {batch(1, index, {"more"})}), beginning(g0, 1, index - 1)}, [] {});
    run_chores(*log);
    CHECK(segments(disk).size() <= 2);
  }
  const auto later = contents(*log, 0);
  log.reset();
  disk.crash_losing_all();
  log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  CHECK(contents(*log, 0) == later);
}

TEST_CASE("a start that lies in a segment that goes is written again before") {
  simulated_disk disk{1};
  auto log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  submit(*log, {voting(g0, 1), voting(g1, 1), beginning(g1, 1, 70, 60)}, [] {});
  const auto last = fill(disk, *log, g0, 1, 4);
  submit(*log, {beginning(g0, 1, last)}, [] {});
  run_chores(*log);
  CHECK(segments(disk) == std::vector<std::uint32_t>{4});
  log.reset();
  disk.crash_losing_all();
  log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  CHECK(contents(*log, 1).start == log_start{{term_number{1}, log_index{70}}, 70, log_index{60}});
  CHECK(log->recover(g1, 0).last == log_index{70});
}

TEST_CASE("a segment stays as long as the start in it is not written again, as when a crash came between") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    submit(log, {voting(g0, 1), voting(g1, 1), beginning(g1, 1, 70, 60)});
    const auto last = fill(disk, log, g0, 1, 4);
    const auto start = beginning(g0, 1, last);
    const auto sink = log.plan_snapshot(g0, {start.start->before, start.start->time})();
    sink->append("all of it");
    sink->finish();
    log.write({start}); // And behind it the other group's start, again. Not synced yet.
  }
  const auto end = disk.contents(path(4)).find_last_not_of('\0') + 1;
  const auto size = static_cast<std::size_t>(record_bytes(start_payload_bytes));
  disk.corrupt(path(4), end - size, std::string(size, '\0'));
  for (int life = 0; life < 2; ++life) {
    log_storage log{disk, "d/log", small_segments()};
    run_chores(log);
    CHECK(segments(disk).front() == 1);
    CHECK(log.recover(g1, 0).last == log_index{70});
    CHECK(contents(log, 0).entries.empty());
  }
}

TEST_CASE("a segment stays as long as any group has an entry in it, or somebody is going to read there") {
  simulated_disk disk{1};
  auto log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  submit(*log, {voting(g0, 1), voting(g1, 1), appending(g1, {batch(1, 1, {"still needed"})})}, [] {});
  const auto last = fill(disk, *log, g0, 1, 4);
  submit(*log, {beginning(g0, 1, last)}, [] {});
  run_chores(*log);
  CHECK(segments(disk).front() == 1);
  {
    const auto plan = log->plan_read({g1, log_index{1}, log_index{1}, 1000});
    submit(*log, {beginning(g1, 1, 1)}, [] {});
    run_chores(*log);
    CHECK(segments(disk).front() == 1);
    CHECK(plan().size() == 1);
  }
  run_chores(*log);
  CHECK(segments(disk) == std::vector<std::uint32_t>{4});
}

TEST_CASE("P11: a log whose beginning was dropped misses its first segment, a middle one and its last") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    submit(log, {voting(g0, 1)}, [] {});
    const auto last = fill(disk, log, g0, 1, 4);
    submit(log, {beginning(g0, 1, last)}, [] {});
    run_chores(log);
    fill(disk, log, g0, last + 1, 7);
  }
  disk.crash_losing_all(); // Nothing was noted since the log went on in segment 7, and even that is enough.
  REQUIRE(segments(disk) == std::vector<std::uint32_t>{4, 5, 6, 7});
  for (const auto number : segments(disk)) {
    CAPTURE(number);
    const auto copy = disk.clone();
    copy->remove(path(number));
    CHECK_THROWS_WITH_AS((log_storage{*copy, "d/log", small_segments()}),
                         doctest::Contains((path(number) + ": missing").c_str()), storage_error);
  }
}

TEST_CASE("power lost at any instant of a segment's leaving costs nothing, and what is left of it is removed") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    simulated_disk disk{seed};
    std::vector<std::unique_ptr<simulated_disk>> images;
    model_group wanted;
    {
      log_storage log{disk, "d/log", small_segments()};
      submit(log, {voting(g0, 1), voting(g1, 1), beginning(g1, 1, 3)}, [] {});
      const auto last = fill(disk, log, g0, 1, 5);
      submit(log, {beginning(g0, 1, last - 2)}, [] {});
      disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
        if (each.is_change)
          images.push_back(disk.clone());
        return std::nullopt;
      });
      run_chores(log);
      wanted = contents(log, 0);
    }
    REQUIRE(images.size() > 10);
    for (std::size_t i = 0; i < images.size(); ++i) {
      CAPTURE(seed);
      CAPTURE(i);
      images[i]->crash();
      log_storage log{*images[i], "d/log", small_segments()};
      REQUIRE(contents(log, 0) == wanted);
      REQUIRE(contents(log, 1).start.before.index == log_index{3});
      run_chores(log);
      for (const auto& name : images[i]->list("d/log"))
        REQUIRE_FALSE(is_leftover(name));
    }
  }
}

TEST_CASE("entries of a term that a start made void stay void when what came before it is dropped") {
  simulated_disk disk{1};
  auto log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  submit(*log, {voting(g0, 1)}, [] {});
  const auto last = fill(disk, *log, g0, 1, 4);
  // The log begins behind an entry that it has in another term: what is behind it is void, too.
  submit(*log, {voting(g0, 5), beginning(g0, 5, last - 1)}, [] {});
  run_chores(*log);
  CHECK(segments(disk) == std::vector<std::uint32_t>{4});
  log.reset();
  disk.crash_losing_all();
  log = std::make_unique<log_storage>(disk, "d/log", small_segments());
  CHECK(contents(*log, 0).entries.empty());
  CHECK(log->recover(g0, 0).last == log_index{last - 1});
}

} // namespace troupe::test
