// File surgery: the files of a log, its votes and its hint damaged in every way that is small enough to try all of.
// Each case is recovered with all that was durable, or refused with file and offset and nothing changed; true tears are
// always recovered. How many cases there were is printed.
#include "effort.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

namespace troupe::test {

namespace {

constexpr std::uint32_t groups = 3;

std::string path(std::uint32_t number) {
  return "d/log/" + segment_name(number);
}

model read_all(log_storage& log) {
  model all;
  for (std::uint32_t group = 0; group < groups; ++group)
    all[group] = contents(log, group);
  return all;
}

/// A log of 40 records of all types and three groups, in segments of 4 KiB, closed cleanly. If `with_dropped`, its
/// beginning has left. If `with_batch`, three more records were written and not synced.
struct patient {
  simulated_disk disk{1};
  model durable;
  model whole;
  std::uint64_t records = 0;
  std::uint32_t last_segment = 0;
  std::size_t batch_begins = 0;
  std::size_t batch_ends = 0;

  explicit patient(bool with_dropped = false, bool with_batch = false) {
    log_storage log{disk, "d/log", small_segments()};
    const auto put = [&](const std::vector<log_write>& writes) {
      submit(log, writes);
      perform(durable, writes);
    };
    put({voting(group_id{0}, 3, 1), voting(group_id{1}, 4, 2), voting(group_id{2}, 1)});
    std::uint64_t index = 0;
    const auto fill = [&](int rounds) {
      for (int i = 0; i < rounds; ++i) {
        ++index;
        put({appending(group_id{0}, {batch(3, index, {"alpha" + std::to_string(index)})}),
             appending(group_id{1}, {batch(4, index, {std::string(60 + index % 7 * 20, 'b'), std::string(80, '\0')})}),
             {group_id{1}, std::nullopt, log_index{index + 1}, {}}});
      }
    };
    fill(with_dropped ? 25 : 9);
    put({beginning(group_id{0}, 3, index - 4, index - 4), beginning(group_id{2}, 1, 7, 7)});
    if (with_dropped) {
      put({beginning(group_id{1}, 4, index, index)});
      while (const auto work = log.next_chore()) {
        (*work)();
        log.chore_done();
      }
    }
    fill(3);
    put({appending(group_id{2}, {batch(1, 8, {"gamma"})})});
    put({voting(group_id{0}, 5, 2)});
    put({appending(group_id{0}, {batch(5, index + 1, {"end"})})});
    whole = durable;
    last_segment = 1;
    for (const auto& name : disk.list("d/log"))
      last_segment = std::max(last_segment, segment_number(name).value_or(0));
    batch_begins = disk.contents(path(last_segment)).find_last_not_of('\0') + 1;
    if (with_batch) {
      const std::vector<log_write> more{
          appending(group_id{1}, {batch(4, index + 1, {std::string(150, 'z'), "eta"})}),
          {group_id{0}, std::nullopt, log_index{index + 1}, {batch(5, index + 1, {std::string(300, '\0'), "theta"})}}};
      log.write(more);
      perform(whole, more);
    }
    records = read_log(disk, "d/log", owner).report.records;
    batch_ends = disk.contents(path(last_segment)).find_last_not_of('\0') + 1;
  }

  [[nodiscard]] std::vector<std::string> segments() {
    std::vector<std::string> all;
    for (const auto& name : disk.list("d/log"))
      if (segment_number(name))
        all.push_back("d/log/" + name);
    return all;
  }
};

/// What became of all cases of a test.
struct tally {
  std::size_t recovered = 0;
  std::size_t corrupt = 0;
  std::size_t suspect = 0;

  /// Opens a damaged log: all that was durable, or a refusal.
  void look(simulated_disk& disk, const model& durable) {
    try {
      log_storage log{disk, "d/log", small_segments()};
      REQUIRE(read_all(log) == durable);
      ++recovered;
    } catch (const storage_error& refused) {
      REQUIRE(refused.file().starts_with("d/log"));
      REQUIRE((refused.offset() || refused.why().find("missing") != std::string::npos
               || refused.why().find("is older than the log") != std::string::npos
               || refused.why().find("bytes, and should have") != std::string::npos));
      REQUIRE(disk.changes() == 0); // Nothing was changed.
      REQUIRE(refused.kind() != damage::none);
      ++(refused.kind() == damage::corrupt ? corrupt : suspect);
    }
  }

  void report() const {
    const auto cases = recovered + corrupt + suspect;
    MESSAGE(cases, " cases: ", recovered, " recovered, ", corrupt, " corrupt, ", suspect, " suspect, 0 silent losses");
  }
};

void flip(simulated_disk& disk, const std::string& file, std::size_t at, int bit) {
  disk.corrupt(file, at, std::string(1, static_cast<char>(disk.contents(file)[at] ^ (1 << bit))));
}

/// Flips each bit of a part of a file, by itself.
void flip_all(patient& one, tally& all, const std::string& file, std::size_t from, std::size_t to, std::size_t step) {
  const auto bytes = one.disk.contents(file);
  for (std::size_t bit = from * 8; bit < to * 8; bit += step) {
    CAPTURE(file);
    CAPTURE(bit);
    const auto disk = one.disk.clone();
    disk->corrupt(file, bit / 8, std::string(1, static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8))));
    all.look(*disk, one.durable);
  }
}

} // namespace

TEST_SUITE("surgery") {
  TEST_CASE("P3 P4: any flipped bit of a log of 40 records") {
    for (const bool with_dropped : {false, true}) {
      patient one{with_dropped};
      if (!with_dropped)
        CHECK(one.records >= 40);
      tally all;
      for (const auto& file : one.segments()) {
        const auto used = one.disk.contents(file).find_last_not_of('\0') + 1;
        flip_all(one, all, file, 0, used, stride(with_dropped ? 7 : 1));
        CHECK(all.recovered == 0);
        tally behind; // Nothing was written there. Harmless in a full segment: the next one proves its end. In the last
                      // one, where it looks like the beginning of a torn write.
        flip_all(one, behind, file, used, 4096, stride(31));
        if (file != path(one.last_segment))
          CHECK(behind.corrupt + behind.suspect == 0);
        all.corrupt += behind.corrupt;
        all.suspect += behind.suspect;
      }
      all.report();
    }
  }

  TEST_CASE("P10: any flipped bit of both copies of the votes, and of the hint") {
    patient one;
    tally votes;
    flip_all(one, votes, "d/log/votes", 0, 512, stride(1));
    CHECK(votes.recovered == 0);
    for (const std::size_t copy : {4096u, 8192u})
      flip_all(one, votes, "d/log/votes", copy, copy + groups * 512, stride(1));
    CHECK(votes.recovered >= groups * 512 * 8 * 2 / stride(1) - 1);
    votes.report();
    tally hint;
    for (const std::size_t copy : {0u, 4096u})
      flip_all(one, hint, "d/log/hint", copy, copy + 512, stride(1));
    CHECK(hint.corrupt + hint.suspect == 0);
    hint.report();
  }

  TEST_CASE("P10: a flipped bit in one copy of the hint and another in the other is refused") {
    patient one;
    tally all;
    for (std::size_t byte = 0; byte < 512; byte += stride(1)) {
      const auto disk = one.disk.clone();
      flip(*disk, "d/log/hint", byte, static_cast<int>(byte % 8));
      flip(*disk, "d/log/hint", 4096 + (byte * 7 + 3) % 512, static_cast<int>(byte / 8 % 8));
      all.look(*disk, one.durable);
    }
    CHECK(all.recovered == 0);
    all.report();
  }

  TEST_CASE(
      "P2: the last batch, not synced, ending at every byte: filled with zeros it is recovered, cut it is refused") {
    patient one{false, true};
    REQUIRE(one.batch_ends > one.batch_begins + 600);
    tally torn;
    tally cut;
    for (auto end = one.batch_begins; end < one.batch_ends; end += stride(1)) {
      CAPTURE(end);
      const auto disk = one.disk.clone();
      disk->corrupt(path(one.last_segment), end, std::string(one.batch_ends - end, '\0'));
      log_storage log{*disk, "d/log", small_segments()};
      const auto found = read_all(log);
      REQUIRE(found.at(2) == one.durable.at(2));
      REQUIRE((found.at(1) == one.durable.at(1) || found.at(1) == one.whole.at(1)));
      REQUIRE(found.at(0).entries.size() + 1 >= one.durable.at(0).entries.size());
      ++torn.recovered;
      const auto shorter = one.disk.clone();
      shorter->resize(path(one.last_segment), end);
      cut.look(*shorter, one.durable);
    }
    CHECK(cut.recovered == 0);
    torn.report();
    cut.report();
  }

  TEST_CASE("any flipped bit of a batch that was not synced: what was durable is there, or it is refused") {
    patient one{false, true};
    tally all;
    const auto bytes = one.disk.contents(path(one.last_segment));
    for (auto bit = one.batch_begins * 8; bit < one.batch_ends * 8; bit += stride(1)) {
      CAPTURE(bit);
      const auto disk = one.disk.clone();
      disk->corrupt(path(one.last_segment), bit / 8,
                    std::string(1, static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8))));
      try {
        log_storage log{*disk, "d/log", small_segments()};
        REQUIRE(contents(log, 2) == one.durable.at(2));
        REQUIRE(contents(log, 1).entries.size() >= one.durable.at(1).entries.size());
        REQUIRE(contents(log, 0).entries.size() + 1 >= one.durable.at(0).entries.size());
        ++all.recovered;
      } catch (const storage_error& refused) {
        REQUIRE(refused.offset());
        REQUIRE(disk->changes() == 0);
        ++(refused.kind() == damage::corrupt ? all.corrupt : all.suspect);
      }
    }
    CHECK(all.suspect > 0);
    all.report();
  }

  TEST_CASE(
      "P2: 2,000 choices of the sectors of a batch that was not synced, of 512 bytes and of 4 KiB, are recovered") {
    tally all;
    for (const std::size_t sector : {512u, 4096u}) {
      simulated_disk disk{1};
      model durable;
      std::vector<log_write> more;
      {
        log_storage log{disk, "d/log", small_segments(64 << 10)};
        const std::vector<log_write> first{voting(group_id{0}, 1), voting(group_id{1}, 1), voting(group_id{2}, 1),
                                           appending(group_id{0}, {batch(1, 1, {"first"})})};
        log.submit(first, [] {});
        perform(durable, first);
        for (std::uint64_t i = 1; i <= 20; ++i)
          more.push_back(appending(group_id{1}, {batch(1, i, {std::string(i * 211 % 3000, i % 3 == 0 ? '\0' : 'x')})}));
        log.write(more);
      }
      const auto written = disk.contents(path(1)).find_last_not_of('\0') + 1;
      std::mt19937_64 dice{sector};
      for (std::size_t i = 0; i < rounds(1000); ++i) {
        CAPTURE(sector);
        CAPTURE(i);
        const auto copy = disk.clone();
        const auto odds = 2 + dice() % 20;
        std::vector<bool> keeps(written / sector + 1);
        for (std::size_t each = 0; each < keeps.size(); ++each)
          keeps[each] = dice() % odds != 0;
        copy->crash_keeping([&](const std::string& name, std::uint64_t number, std::size_t versions) {
          return name != path(1) || keeps[number * 512 / sector] ? versions : 0;
        });
        log_storage log{*copy, "d/log", small_segments(64 << 10)};
        const auto found = read_all(log);
        REQUIRE(found.at(0) == durable.at(0));
        REQUIRE(found.at(1).entries.size() <= more.size());
        for (std::size_t at = 0; at < found.at(1).entries.size(); ++at)
          REQUIRE(found.at(1).entries[at].content == (*more[at].append[0].begin()).content);
        ++all.recovered;
      }
    }
    all.report();
  }

  TEST_CASE("P5: every block of 512 bytes and of 4 KiB zero, over its neighbour, or in its neighbour's place") {
    tally all;
    for (const bool with_dropped : {false, true}) {
      patient one{with_dropped};
      auto files = one.segments();
      files.insert(files.end(), {"d/log/votes", "d/log/hint"});
      for (const auto& file : files) {
        const auto bytes = one.disk.contents(file);
        for (const std::size_t block : {512u, 4096u})
          for (std::size_t at = 0; at < bytes.size(); at += block) {
            CAPTURE(file);
            CAPTURE(at);
            CAPTURE(block);
            const auto mine = bytes.substr(at, block);
            const auto try_with = [&](std::size_t where, const std::string& what) {
              const auto disk = one.disk.clone();
              disk->corrupt(file, where, what);
              all.look(*disk, one.durable);
            };
            try_with(at, std::string(block, '\0'));
            if (at + 2 * block <= bytes.size()) {
              const auto next = bytes.substr(at + block, block);
              try_with(at + block, mine);
              try_with(at, next);
              try_with(at, next + mine);
            }
          }
      }
      // From one segment to the same place of another.
      const auto segments = one.segments();
      for (const auto& from : segments)
        for (const auto& to : segments)
          for (std::size_t at = 0; from != to && at < 4096; at += 512) {
            CAPTURE(from);
            CAPTURE(to);
            CAPTURE(at);
            const auto disk = one.disk.clone();
            disk->corrupt(to, at, one.disk.contents(from).substr(at, 512));
            all.look(*disk, one.durable);
          }
    }
    all.report();
  }

  TEST_CASE("P5: what was synced last, zero or cut from every 8th byte to the end, is missed") {
    for (const bool with_dropped : {false, true}) {
      patient one{with_dropped};
      tally all;
      for (const auto& file : one.segments()) {
        const auto bytes = one.disk.contents(file);
        const auto used = bytes.find_last_not_of('\0') + 1;
        for (std::size_t at = 0; at < bytes.size(); at += 8 * stride(1)) {
          CAPTURE(file);
          CAPTURE(at);
          const auto zeroed = one.disk.clone();
          zeroed->corrupt(file, at, std::string(bytes.size() - at, '\0'));
          const auto recovered = all.recovered;
          all.look(*zeroed, one.durable);
          REQUIRE((all.recovered == recovered || at >= used));
          const auto cut = one.disk.clone();
          cut->resize(file, at);
          all.look(*cut, one.durable);
          REQUIRE(all.recovered <= recovered + 1);
        }
      }
      all.report();
    }
  }

  TEST_CASE("P11: every segment missing, under another name, doubled, or in another's place") {
    tally all;
    for (const bool with_dropped : {false, true}) {
      patient one{with_dropped};
      const auto segments = one.segments();
      const auto first = *segment_number(segments.front().substr(6));
      for (const auto& each : segments) {
        // The copy is made by another hand than the log's.
        const auto copied = [&](const std::string& name, bool is_harmless) {
          CAPTURE(each);
          CAPTURE(name);
          const auto made = one.disk.clone();
          made->open(name, open_mode::create)->write_at(0, one.disk.contents(each));
          const auto disk = made->clone();
          const auto recovered = all.recovered;
          all.look(*disk, one.durable);
          REQUIRE((all.recovered > recovered) == is_harmless);
        };
        copied("d/log/copy of a segment", true);
        copied(path(one.last_segment + 1), false);
        copied(path(one.last_segment + 2), false);
        if (first > 1)
          copied(path(first - 1), true); // Out of the log: nobody needs it.
        for (const auto& other : segments) {
          if (other == each)
            continue;
          copied(other, false);
          const auto swapped = one.disk.clone();
          swapped->rename(each, "aside");
          swapped->rename(other, each);
          swapped->rename("aside", other);
          const auto disk = swapped->clone();
          const auto refusals = all.corrupt;
          all.look(*disk, one.durable);
          REQUIRE(all.corrupt == refusals + 1);
        }
        const auto refused = [&](simulated_disk& changed) {
          CAPTURE(each);
          const auto disk = changed.clone();
          const auto refusals = all.corrupt;
          all.look(*disk, one.durable);
          REQUIRE(all.corrupt == refusals + 1);
        };
        const auto renamed = one.disk.clone();
        renamed->rename(each, path(one.last_segment + 1));
        refused(*renamed);
        const auto missing = one.disk.clone();
        missing->remove(each);
        refused(*missing);
        const auto empty = one.disk.clone();
        empty->resize(each, 0);
        refused(*empty);
      }
    }
    all.report();
  }
}

} // namespace troupe::test
