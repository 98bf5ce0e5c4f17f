#include "persistence/conformance/check.hpp"
#include "persistence/conformance/writes.hpp"

#include <future>
#include <limits>

namespace troupe::conformance {

namespace {

constexpr group_id g0{0};
constexpr group_id g1{1};
constexpr std::size_t plenty = std::numeric_limits<std::size_t>::max();

/// About 200 KiB in 60 batches of terms 1 to 4, with another group's entries between them.
void begin(bench& place) {
  place.write({voting(g0, vote(4)), voting(g1, vote(1))});
  std::uint64_t next = 1;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const auto count = 1 + i % 7;
    place.write(
        {appending(g0, {filler(1 + i / 15, next, count, 20 + i * 30)}), appending(g1, {filler(1, i + 1, 1, 10)})});
    next += count;
    place.run_chore();
  }
}

void any_range(bench& place) {
  begin(place);
  chance luck{place.options().seed};
  for (const auto is_reopened : {false, true}) {
    if (is_reopened)
      place.reopen();
    const auto last = place.expected(g0).last().value();
    place.expect_read({g0, log_index{1}, log_index{last}, plenty});
    for (const auto each : {std::uint64_t{1}, last / 2, last})
      place.expect_read({g0, log_index{each}, log_index{each}, plenty});
    for (int i = 0; i < 60; ++i) {
      const auto first = 1 + luck.below(last);
      place.expect_read({g0, log_index{first}, log_index{first + luck.below(last - first + 1)}, 1 + luck.below(9000)});
    }
    place.expect_read({g1, log_index{1}, place.expected(g1).last(), 100});
  }
}

void bounded_reads(bench& place) {
  begin(place);
  const auto last = place.expected(g0).last();
  // A store may read whole batches only, as they were written.
  constexpr std::size_t largest_batch = 7 * (20 + 60 * 30 + entry_overhead_bytes);
  for (const std::size_t asked : {std::size_t{0}, std::size_t{1}, std::size_t{4000}, std::size_t{40000}}) {
    for (std::uint64_t first = 1; first <= last.value(); first += 31) {
      const auto where = "a read of " + std::to_string(asked) + " bytes from " + std::to_string(first);
      const auto found = calling("a read", place.plan_read({g0, log_index{first}, last, asked}));
      require(!found.empty(), where + ": returned nothing");
      static_cast<void>(images_of(found, log_index{first}, where));
      std::size_t bytes = 0;
      for (const auto& each : found)
        bytes += each.size_bytes();
      require(bytes <= asked + largest_batch, where + ": got " + std::to_string(bytes) + " bytes");
    }
  }
}

/// What was planned before a truncation may still come, or be refused. What must not come is anything else.
void read_before_truncation(bench& place) {
  place.write({{g0, vote(1), std::nullopt, {filler(1, 1, 3, 50), filler(1, 4, 3, 50)}}});
  const auto before = place.expected(g0).entries;
  const auto plan = place.plan_read({g0, log_index{2}, log_index{5}, plenty});
  place.write({{g0, vote(2), log_index{3}, {filler(2, 3, 3, 50)}}});
  try {
    const auto found = images_of(plan(), log_index{2}, "a read planned before a truncation");
    require(!found.empty() && found.size() <= 4, "a read planned before a truncation: other entries than asked for");
    for (std::size_t i = 0; i < found.size(); ++i)
      require(found[i] == before[i + 1],
              "a read planned before a truncation gave at index " + std::to_string(i + 2) + " an " + words_of(found[i])
                  + " instead of the " + words_of(before[i + 1]) + " of then");
  } catch (const nonconformance&) {
    throw;
  } catch (const std::exception&) {
    // Refused: the caller asks again.
  }
  place.expect_read({g0, log_index{1}, log_index{5}, plenty});
}

void read_elsewhere(bench& place) {
  begin(place);
  const auto last = place.expected(g0).last();
  const auto before = place.expected(g0).entries;
  std::vector<std::future<std::vector<entry_image>>> readers;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const log_index first{1 + i * 10};
    readers.push_back(std::async(std::launch::async, [first, plan = place.plan_read({g0, first, last, 20000})] {
      return images_of(plan(), first, "a read on another thread");
    }));
    place.write({appending(g0, {filler(4, place.expected(g0).last().value() + 1, 2, 500)})});
  }
  for (std::uint64_t i = 0; i < readers.size(); ++i) {
    const auto found = calling("a read on another thread", [&] { return readers[i].get(); });
    require(!found.empty(), "a read on another thread returned nothing");
    for (std::size_t at = 0; at < found.size(); ++at)
      require(found[at] == before[i * 10 + at],
              "a read on another thread, beside writes, gave another entry at index "
                  + std::to_string(i * 10 + at + 1));
  }
}

/// A batch shares its bytes with whoever made it: they must never change, whatever the store does next.
void read_stays(bench& place) {
  begin(place);
  const auto keep = calling("a read", place.plan_read({g0, log_index{1}, log_index{40}, plenty}));
  const auto tail = place.recover(g0, 20000).tail;
  const auto images = images_of(keep, log_index{1}, "a read");
  const auto tail_first = tail.empty() ? log_index{1} : tail.front().first();
  const auto tail_images = images_of(tail, tail_first, "a tail");
  place.expect_read({g0, log_index{41}, place.expected(g0).last(), 5000});
  place.write({{g0, vote(5), log_index{2}, {filler(5, 2, 200, 100)}}});
  place.reopen();
  place.expect_same(g0);
  require(images_of(keep, log_index{1}, "batches read before") == images, "batches that were read have changed since");
  require(images_of(tail, tail_first, "a tail of before") == tail_images,
          "a tail that was recovered has changed since");
}

void chores(bench& place) {
  place.write({voting(g0, vote(1))});
  std::size_t carried_out = 0;
  std::optional<std::future<void>> running;
  const auto finish = [&] {
    calling("a chore", [&] { running->get(); });
    running.reset();
    calling("chore_done", [&] { place.store().chore_done(); });
    ++carried_out;
  };
  for (std::uint64_t i = 0; i < 300; ++i) {
    place.write({appending(g0, {filler(1, i + 1, 1, 4000)})});
    if (running && i % 3 == 0)
      finish();
    if (running)
      continue; // One at a time; meanwhile the store is written to.
    if (auto work = calling("next_chore", [&] { return place.store().next_chore(); }))
      running = std::async(std::launch::async, std::move(*work));
  }
  if (running)
    finish();
  place.expect_read({g0, log_index{1}, log_index{300}, 100000});
  place.reopen();
  place.expect_same(g0);
  if (carried_out == 0)
    throw not_applicable{"no chore was due within 300 submits of 4 KB"};
}

} // namespace

std::vector<check> reading_checks() {
  return {
      {"any range is read back, over batches and terms", any_range},
      {"a read gives about as many bytes as asked for, and at least one entry", bounded_reads},
      {"a read planned before a truncation gives what was there, or is refused", read_before_truncation},
      {"reads run on other threads while the store writes", read_elsewhere},
      {"what was read stays as it was, whatever the store does next", read_stays},
      {"chores run beside submits and lose nothing", chores},
  };
}

} // namespace troupe::conformance
