// What was durable, as a second file knows it: an end of the log that is gone is missed.
#include "support.hpp"

#include <doctest/doctest.h>

namespace troupe::test {

namespace {

constexpr group_id g0{0};
const std::string hint = "d/log/hint";
const std::string segment_1 = "d/log/" + segment_name(1);

log_hint read(simulated_disk& disk) {
  const auto found = find_hint(disk, "d/log", owner);
  REQUIRE(found);
  return found->says;
}

void add(log_storage& log, std::uint64_t index) {
  log.submit({appending(g0, {batch(1, index, {"entry"})})}, [] {});
}

void run_chores(log_storage& log) {
  while (const auto work = log.next_chore()) {
    (*work)();
    log.chore_done();
  }
}

damage kind_of_refusal(simulated_disk& disk, const std::string& words) {
  try {
    const log_storage log{disk, "d/log", small_segments()};
  } catch (const storage_error& refused) {
    CHECK(std::string{refused.what()}.find(words) != std::string::npos);
    return refused.kind();
  }
  FAIL("the log was opened");
  return damage::none;
}

} // namespace

TEST_CASE("every sync of the log is noted at once, and the note is durable after a pause") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments()};
  log.submit({voting(g0, 1)}, [] {});
  for (std::uint64_t index = 1; index <= 5; ++index) {
    const auto before = disk.count();
    add(log, index);
    CHECK(disk.count().syncs == before.syncs + 1); // The log's: nobody waits for the hint.
    CHECK(read(disk) == log_hint{index, 1, 1});
  }
  const auto lost = disk.clone();
  lost->crash_losing_all();
  CHECK(read(*lost).durable == 0);
  const auto work = log.when_idle();
  REQUIRE(work);
  (*work)();
  CHECK_FALSE(log.when_idle()); // Once per pause with news.
  disk.crash_losing_all();
  CHECK(read(disk).durable == 5);
}

TEST_CASE("without a pause the note is durable after 64 syncs, by a chore") {
  simulated_disk disk{1};
  log_storage log{disk, "d/log", small_segments(1 << 20)};
  log.submit({voting(g0, 1)}, [] {});
  run_chores(log);
  std::uint64_t index = 0;
  for (int i = 0; i < 63; ++i) {
    add(log, ++index);
    CHECK_FALSE(log.next_chore());
  }
  add(log, ++index);
  run_chores(log);
  disk.crash_losing_all();
  CHECK(read(disk).durable == 64);
}

TEST_CASE("at the end, and where the log goes on in another segment, both copies are durable") {
  simulated_disk disk{1};
  std::uint64_t index = 0;
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(g0, 1)}, [] {});
    while (!disk.exists("d/log/" + segment_name(2)))
      add(log, ++index);
    const auto copy = disk.clone();
    copy->crash_losing_all();
    CHECK(read(*copy) == log_hint{index - 1, 1, 2});
    copy->corrupt(hint, 0, std::string(512, '\0'));
    CHECK(read(*copy) == log_hint{index - 1, 1, 2});
    add(log, ++index);
  }
  disk.crash_losing_all();
  CHECK(read(disk).durable == index);
}

TEST_CASE("P5: a log that ends cleanly below the hint has lost its end: refused, with the range") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(g0, 1)}, [] {});
    for (std::uint64_t index = 1; index <= 4; ++index)
      add(log, index);
  }
  const auto size = record_bytes(5 + entry_overhead_bytes);
  disk.corrupt(segment_1, segment_header_bytes + 2 * size, std::string(2 * size, '\0'));
  const auto before = disk.contents(segment_1);
  CHECK(kind_of_refusal(disk, segment_1 + " at offset " + std::to_string(segment_header_bytes + 2 * size))
        == damage::corrupt);
  CHECK(kind_of_refusal(disk, "the records with lsn 3 to 4 had been durable") == damage::corrupt);
  CHECK(disk.contents(segment_1) == before);
}

TEST_CASE("a bad record behind all that was durable, and not torn either, is suspect: refused") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(g0, 1)}, [] {});
    add(log, 1);
    log.write({appending(g0, {batch(1, 2, {"entry"})})});
  }
  const auto second = segment_header_bytes + record_bytes(5 + entry_overhead_bytes);
  disk.corrupt(segment_1, second + 20, "\x55");
  CHECK(kind_of_refusal(disk, "suspect: ") == damage::suspect);
}

TEST_CASE("P3 P5: where the hint is behind, a later record still proves that a torn-looking one had been durable") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(g0, 1), appending(g0, {batch(1, 1, {std::string(1500, 'x')})})}, [] {});
    add(log, 2);
    disk.crash_losing_all(); // And with it every note.
  }
  REQUIRE(read(disk).durable == 0);
  disk.corrupt(segment_1, 1024, std::string(512, '\0'));
  CHECK(kind_of_refusal(disk, "the record with lsn 1 had been durable") == damage::corrupt);
}

TEST_CASE("one bad copy of the hint is healed from the other, two are refused, and so is a missing one") {
  simulated_disk disk{1};
  {
    log_storage log{disk, "d/log", small_segments()};
    log.submit({voting(g0, 1)}, [] {});
    add(log, 1);
  }
  for (const std::uint64_t copy : {0u, 4096u}) {
    const auto one = disk.clone();
    one->corrupt(hint, copy + 70, "?");
    {
      const log_storage log{*one, "d/log", small_segments()};
      CHECK(log.report().healed_hints == 1);
    }
    one->corrupt(hint, 4096 - copy + 70, "?");
    CHECK(read(*one).durable == 1);
  }
  SUBCASE("both bad") {
    disk.corrupt(hint, 70, "?");
    disk.corrupt(hint, 4096 + 70, "?");
    CHECK(kind_of_refusal(disk, hint + " at offset 0: damaged: both copies") == damage::corrupt);
  }
  SUBCASE("missing") {
    disk.remove(hint);
    CHECK(kind_of_refusal(disk, hint + ": missing") == damage::corrupt);
    CHECK_FALSE(disk.exists(hint));
  }
  SUBCASE("another disk's") {
    simulated_disk other{1};
    auto options = small_segments();
    options.identity.disk = uuid_of_name("another disk");
    { const log_storage log{other, "d/log", options}; }
    disk.corrupt(hint, 0, other.contents(hint));
    CHECK(kind_of_refusal(disk, "belongs to the disk") == damage::none);
  }
  SUBCASE("older than the log") {
    const auto old = disk.contents(hint);
    {
      log_storage log{disk, "d/log", small_segments()};
      for (std::uint64_t index = 2; !disk.exists("d/log/" + segment_name(2)); ++index)
        log.submit({appending(g0, {batch(1, index, {std::string(300, 'x')})})}, [] {});
    }
    disk.corrupt(hint, 0, old);
    CHECK(kind_of_refusal(disk, hint + ": is older than the log") == damage::corrupt);
  }
}

TEST_CASE("power lost at any instant of a log's first start leaves one that starts") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    simulated_disk disk{seed};
    std::vector<std::unique_ptr<simulated_disk>> images;
    disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
      if (each.is_change)
        images.push_back(disk.clone());
      return std::nullopt;
    });
    { const log_storage log{disk, "d/log", small_segments()}; }
    for (std::size_t i = 0; i < images.size(); ++i) {
      CAPTURE(seed);
      CAPTURE(i);
      images[i]->crash();
      log_storage log{*images[i], "d/log", small_segments()};
      log.submit({voting(g0, 1), appending(g0, {batch(1, 1, {"first"})})}, [] {});
      images[i]->crash_losing_all();
      log_storage again{*images[i], "d/log", small_segments()};
      REQUIRE(contents(again, 0).entries.size() == 1);
    }
  }
}

} // namespace troupe::test
