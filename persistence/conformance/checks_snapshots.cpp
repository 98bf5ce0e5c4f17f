#include "persistence/conformance/check.hpp"
#include "persistence/conformance/writes.hpp"

#include <array>
#include <future>
#include <utility>

namespace troupe::conformance {

namespace {

constexpr group_id g0{0};
constexpr group_id g1{1};
/// Sizes about those at which stores tend to cut.
constexpr std::array<std::size_t, 7> sizes{1, 4095, 65'535, 65'536, 65'537, 200'000, 1'500'000};

void begin(bench& place) {
  for (const auto group : {g0, g1})
    place.write({{group, vote(2), std::nullopt, {filler(1, 1, 4, 30), filler(2, 5, 20, 30)}}});
}

void compare_now_and_reopened(bench& place) {
  place.expect_all_same();
  place.reopen();
  place.expect_all_same();
}

void unknown_until_finished(bench& place) {
  begin(place);
  place.save_snapshot(g0, mark_at(1, 3), snapshot_text(3, 1000));
  const auto expect_nothing_new = [&] {
    place.expect_no_snapshot(g0, log_index{6});
    place.expect_all_same();
  };
  expect_nothing_new();
  auto sink = place.begin_snapshot(g0, mark_at(2, 6));
  expect_nothing_new();
  for (std::uint64_t part = 0; part < 4; ++part)
    calling("append", [&] { on_another_thread([&] { sink->append(snapshot_text(part, 70'000)); }); });
  expect_nothing_new();
  calling("finish", [&] { on_another_thread([&] { sink->finish(); }); });
  require(place.recover(g0, 0).snapshots.size() == 2, "a snapshot that was finished is not recovered");
  require(place.open_snapshot(g0, log_index{6})->mark().size_bytes == 280'000,
          "a snapshot that was finished is not what was written");
}

void nothing_left_without_finish(bench& place) {
  begin(place);
  place.save_snapshot(g0, mark_at(1, 3), snapshot_text(3, 1000));
  for (const std::size_t bytes : {0, 10, 300'000}) {
    {
      const auto sink = place.begin_snapshot(g0, mark_at(2, 6));
      calling("append", [&] { on_another_thread([&] { append_all(*sink, snapshot_text(6, bytes)); }); });
    }
    place.expect_no_snapshot(g0, log_index{6});
    compare_now_and_reopened(place);
    place.expect_no_snapshot(g0, log_index{6});
  }
  // Nor is one harmed that a replacement was begun of.
  {
    const auto sink = place.begin_snapshot(g0, mark_at(1, 3));
    calling("append", [&] { on_another_thread([&] { append_all(*sink, snapshot_text(9, 500)); }); });
  }
  compare_now_and_reopened(place);
}

void whole_content(bench& place) {
  begin(place);
  chance luck{place.options().seed};
  std::uint64_t index = 4;
  for (const auto bytes : sizes) {
    ++index;
    const auto content = snapshot_text(index, bytes);
    place.save_snapshot(g0, mark_at(2, index), content);
    for (const auto is_reopened : {false, true}) {
      if (is_reopened)
        place.reopen();
      const auto reader = place.open_snapshot(g0, log_index{index});
      const snapshot_mark wanted{{term_number{2}, log_index{index}}, mark_at(2, index).time, bytes};
      require(reader->mark() == wanted,
              "expected a snapshot at " + words_of(wanted) + ", got one at " + words_of(reader->mark()));
      const auto expect_part = [&](std::uint64_t offset, std::size_t most) {
        const auto part = calling("reading a snapshot", [&] { return reader->read(offset, most); });
        require(part == content.substr(offset, most),
                "a read of " + std::to_string(most) + " bytes at offset " + std::to_string(offset) + " of "
                    + std::to_string(bytes) + " gave " + std::to_string(part.size()) + " bytes, or others");
      };
      for (int i = 0; i < 30; ++i)
        expect_part(luck.below(bytes), 1 + luck.below(150'000));
      for (const std::uint64_t edge : {std::uint64_t{4096}, std::uint64_t{65'536}, std::uint64_t{131'072}})
        if (edge < bytes) {
          expect_part(edge, 1);
          expect_part(edge - 1, 2);
          expect_part(edge, 65'536);
        }
      expect_part(0, bytes);
      expect_part(bytes - 1, 10);
      expect_part(bytes, 10);
    }
  }
  place.expect_all_same();
}

void replaced(bench& place) {
  begin(place);
  place.save_snapshot(g0, mark_at(2, 6), snapshot_text(1, 90'000));
  place.save_snapshot(g0, mark_at(2, 6), snapshot_text(2, 70'000));
  compare_now_and_reopened(place);
  place.save_snapshot(g0, mark_at(2, 6), snapshot_text(3, 100'000));
  compare_now_and_reopened(place);
}

void oldest_first(bench& place) {
  begin(place);
  for (const std::uint64_t index : {5, 9, 16, 17, 24})
    place.save_snapshot(g0, mark_at(2, index), snapshot_text(index, 300));
  compare_now_and_reopened(place);
  place.write({starting(g0, behind(mark_at(2, 9), 9))});
  compare_now_and_reopened(place);
  place.write({starting(g0, behind(mark_at(2, 16), 17))});
  while (place.run_chore())
    place.expect_all_same();
  compare_now_and_reopened(place);
  place.write({starting(g0, behind(mark_at(2, 24), 24))});
  compare_now_and_reopened(place);
}

void read_while_removed(bench& place) {
  begin(place);
  const auto content = snapshot_text(6, 200'000);
  place.save_snapshot(g0, mark_at(2, 6), content);
  const auto reader = place.open_snapshot(g0, log_index{6});
  auto read = calling("reading a snapshot", [&] { return reader->read(0, 70'000); });
  place.save_snapshot(g0, mark_at(2, 12), snapshot_text(12, 100));
  place.write({starting(g0, behind(mark_at(2, 12), 12))});
  while (place.run_chore())
    ;
  place.expect_all_same();
  while (read.size() < content.size()) {
    const auto part =
        calling("reading a snapshot that is removed meanwhile", [&] { return reader->read(read.size(), 70'000); });
    require(!part.empty(), "a snapshot that is removed while it is read ends early");
    read += part;
  }
  require(read == content, "a snapshot that is removed while it is read changes");
}

void groups_apart(bench& place) {
  begin(place);
  place.save_snapshot(g0, mark_at(2, 6), snapshot_text(1, 300));
  place.save_snapshot(g1, mark_at(2, 6), snapshot_text(2, 400));
  place.save_snapshot(g1, mark_at(2, 8), snapshot_text(3, 400));
  compare_now_and_reopened(place);
  place.write({starting(g1, behind(mark_at(2, 8), 8))});
  while (place.run_chore())
    ;
  compare_now_and_reopened(place);
  // Two under way at a time.
  auto one = place.begin_snapshot(g0, mark_at(2, 10));
  {
    auto other = place.begin_snapshot(g1, mark_at(2, 10));
    calling("append", [&] {
      on_another_thread([&] {
        one->append("of group 0");
        other->append("of group 1");
        one->append(", too");
        other->finish();
      });
    });
  }
  calling("finish", [&] { on_another_thread([&] { std::exchange(one, nullptr)->finish(); }); });
  const auto text_of = [&](group_id group) { return place.open_snapshot(group, log_index{10})->read(0, 100); };
  require(text_of(g0) == "of group 0, too" && text_of(g1) == "of group 1",
          "snapshots of two groups that were written at a time are mixed");
}

/// What a leader sent may be ahead of the log; and power may go before it takes the log's place.
void ahead_of_the_log(bench& place) {
  begin(place);
  place.save_snapshot(g0, mark_at(2, 100), snapshot_text(100, 300));
  compare_now_and_reopened(place);
  place.write({appending(g0, {filler(2, 25, 1, 30)})});
  compare_now_and_reopened(place);
  place.write({starting(g0, behind(mark_at(2, 100), 100))});
  compare_now_and_reopened(place);
}

void beside_submits(bench& place) {
  begin(place);
  const auto content = snapshot_text(20, 400'000);
  auto sink = place.begin_snapshot(g0, mark_at(2, 20));
  // One submit comes between the snapshot's beginning and its end for certain, however the threads are scheduled; the
  // others as it happens.
  place.write({appending(g0, {filler(2, 25, 1, 1000)})});
  auto writing = std::async(std::launch::async, [&] {
    append_all(*sink, content);
    sink->finish();
  });
  for (std::uint64_t i = 1; i < 50; ++i) {
    place.write({appending(g0, {filler(2, 25 + i, 1, 1000)})});
    place.run_chore();
  }
  calling("writing a snapshot beside submits", [&] { writing.get(); });
  place.expect_read({g0, log_index{25}, log_index{74}, 100'000});
  place.reopen();
  const auto found = place.recover(g0, 0);
  require(found.last == log_index{74}, "entries submitted while a snapshot was written are gone");
  const auto reader = place.open_snapshot(g0, log_index{20});
  require(reader->read(0, content.size() + 1) == content, "a snapshot written beside submits is not what was written");
}

void finished_survives(bench& place) {
  begin(place);
  const auto survives = [&](const snapshot_mark& at, const std::string& content) {
    place.save_snapshot(g0, at, content);
    place.lose_power_and_reopen();
    place.expect_all_same();
  };
  survives(mark_at(2, 6), snapshot_text(1, 100));
  survives(mark_at(2, 9), snapshot_text(2, 300'000));
  survives(mark_at(2, 9), snapshot_text(3, 200'000));
  survives(mark_at(2, 90), snapshot_text(4, 10));
  // One that is under way when the power goes leaves nothing, and harms nothing.
  for (const std::uint64_t index : {95, 90}) {
    auto sink = place.begin_snapshot(g0, mark_at(2, index));
    calling("append", [&] { on_another_thread([&] { append_all(*sink, snapshot_text(5, 200'000)); }); });
    place.lose_power_and_reopen(std::move(sink));
    place.expect_all_same();
  }
  place.expect_no_snapshot(g0, log_index{95});
}

/// At every step: a new one, one that replaces, and the log that begins behind.
void cut_short(bench& place) {
  begin(place);
  place.save_snapshot(g0, mark_at(2, 6), snapshot_text(6, 60'000));
  for (std::size_t steps = 0; steps < 40; ++steps) {
    const auto how = steps % 2 == 0 ? ending::power_loss : ending::process_end;
    const auto index = 7 + steps / 2;
    const auto is_finished = place.save_cut_short(g0, mark_at(2, index), snapshot_text(steps, 70'000), steps, how);
    place.lose_power_and_reopen(); // What was found must be as durable as what was done.
    place.expect_all_same();
    if (is_finished && steps > 1)
      return; // No step of it is left to stop at.
  }
}

} // namespace

std::vector<check> snapshot_checks() {
  return {
      {"a snapshot is unknown until it is finished", unknown_until_finished, needs::nothing, true},
      {"a snapshot that is not finished leaves nothing", nothing_left_without_finish, needs::nothing, true},
      {"a snapshot comes back with its place, time and size, and with its bytes at every offset", whole_content,
       needs::nothing, true},
      {"a snapshot of the same place replaces the one before", replaced, needs::nothing, true},
      {"snapshots come oldest first, and none that a start has no use for", oldest_first, needs::nothing, true},
      {"a snapshot that is being read stays readable when it is removed", read_while_removed, needs::nothing, true},
      {"snapshots of two groups are not mixed", groups_apart, needs::nothing, true},
      {"a snapshot may be ahead of its log, and takes its place with a start", ahead_of_the_log, needs::nothing, true},
      {"a snapshot is written beside submits", beside_submits, needs::nothing, true},
      {"a finished snapshot survives a loss of power, and one under way harms nothing", finished_survives,
       needs::power_loss, true},
      {"a snapshot cut short is there whole or not at all", cut_short, needs::stopping_medium, true},
  };
}

} // namespace troupe::conformance
