// Plans are text: what is written is what is played again.
#include "stage/fault.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

std::set<fault_kind> all_kinds() {
  return std::get<std::set<fault_kind>>(parse_fault_kinds("all"));
}

/// What is wrong with a line; empty if nothing is.
std::string trouble_with(const std::string& line) {
  const auto parsed = parse_fault(line);
  const auto* words = std::get_if<std::string>(&parsed);
  return words == nullptr ? "" : *words;
}

bool is_same(const way_quality& a, const way_quality& b) {
  return a.least_delay == b.least_delay && a.most_delay == b.most_delay && a.loss_percent == b.loss_percent
      && a.duplicate_percent == b.duplicate_percent && a.in_order == b.in_order
      && a.bytes_per_second == b.bytes_per_second;
}

} // namespace

TEST_CASE("Every drawn plan is the same when it was written down and is read again") {
  std::set<fault_kind> met;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    dice chance{seed};
    const auto plan = draw_plan(chance, 1 + seed % 9, 60s, 3, all_kinds());
    for (const auto& f : plan) {
      const auto line = to_string(f);
      const auto parsed = parse_fault(line);
      REQUIRE_MESSAGE(std::holds_alternative<fault>(parsed), line << ": " << std::get<std::string>(parsed));
      const auto& again = std::get<fault>(parsed);
      CHECK(to_string(again) == line);
      CHECK(again.what == f.what);
      CHECK(again.at == f.at);
      CHECK(again.lasts == f.lasts);
      if (f.what != fault_kind::network && f.what != fault_kind::split)
        CHECK(again.node == f.node);
      CHECK(again.other == f.other);
      CHECK(again.amount == f.amount);
      CHECK(again.side == f.side);
      CHECK(is_same(again.quality, f.quality));
      met.insert(f.what);
    }
  }
  CHECK(met == all_kinds()); // Or the above says nothing about some.
}

TEST_CASE("A plan befalls nodes that exist, in the order of its times, and takes disks for good from a minority only") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    dice chance{seed};
    const auto nodes = 1 + seed % 9;
    std::set<peer_id> victims;
    auto before = duration::zero();
    for (const auto& f : draw_plan(chance, nodes, 60s, 3, all_kinds())) {
      CHECK(f.at >= before);
      CHECK(f.at < 60s);
      before = f.at;
      for (const auto id : {f.node, f.other})
        CHECK(id.value() <= nodes);
      if (f.what == fault_kind::rot || f.what == fault_kind::wipe || f.what == fault_kind::put_back
          || f.what == fault_kind::lie)
        victims.insert(f.node);
    }
    CHECK(2 * victims.size() < nodes);
  }
}

TEST_CASE("A plan has only the kinds that were asked for, and none is no fault at all") {
  dice chance{1};
  const auto crashes = std::get<std::set<fault_kind>>(parse_fault_kinds("crash"));
  for (const auto& f : draw_plan(chance, 3, 60s, 2, crashes))
    CHECK(f.what == fault_kind::crash);
  CHECK(draw_plan(chance, 3, 60s, 2, std::get<std::set<fault_kind>>(parse_fault_kinds("none"))).empty());
  CHECK(draw_plan(chance, 3, 60s, 0, all_kinds()).empty());
}

TEST_CASE("Lines of every kind are read as docs/simulating-your-state-machine.md has them") {
  std::set<fault_kind> met;
  for (const auto* line :
       {"at 1.25s crash 2 after 17 for 800ms", "at 2s pause 3 for 1s", "at 2s cut 1 -> 3 for 2s",
        "at 2s isolate 3 for 2s", "at 2s split 1,2 for 2s",
        "at 3s network loss 10% duplicate 5% delay 1ms..50ms unordered rate 100000 for 5s",
        "at 3s way 1 -> 2 loss 50% for 1s", "at 4s stall 1 for 2s", "at 4s slow-disk 1 20ms for 2s",
        "at 4s fill 1 4096 for 2s", "at 4s fail-sync 1 for 2s", "at 4s lie 2 for 2s", "at 5s rot 2 for 1s",
        "at 5s wipe 2 for 1s", "at 5s back-up 2", "at 5s put-back 2 for 1s", "at 6s slow-apply 3 for 1s"}) {
    REQUIRE_MESSAGE(trouble_with(line).empty(), line << ": " << trouble_with(line));
    met.insert(std::get<fault>(parse_fault(line)).what);
  }
  CHECK(met == all_kinds());
  const auto short_one = std::get<fault>(parse_fault("  at\t2 pause 3")); // Seconds, and no time at all.
  CHECK(short_one.at == 2s);
  CHECK(short_one.lasts == 0s);
  CHECK(std::get<fault>(parse_fault("at 1s pause 1 for good")).lasts == for_good);
  const auto quality = std::get<fault>(parse_fault("at 3s way 1 -> 2 loss 7% delay 2ms..3ms unordered rate 9")).quality;
  CHECK(quality.loss_percent == 7);
  CHECK(quality.least_delay == 2ms);
  CHECK(quality.most_delay == 3ms);
  CHECK_FALSE(quality.in_order);
  CHECK(quality.bytes_per_second == 9);
}

TEST_CASE("A bad line is refused with words on what is wrong with it") {
  struct row {
    const char* line;
    const char* words;
  };
  for (const auto& [line, words] :
       {row{"", "expected \"at\", found \"\""},
        row{"crash 1", "expected \"at\", found \"crash\""},
        row{"at soon crash 1", "expected a time such as 1.5s, 20ms or 300us, found \"soon\""},
        row{"at -1s crash 1", "found \"-1s\""},
        row{"at 1.5.2s crash 1", "found \"1.5.2s\""},
        row{"at 1y crash 1", "found \"1y\""},
        row{"at 1s", "there is no fault called \"\""},
        row{"at 1s explode 1", "there is no fault called \"explode\""},
        row{"at 1s crash", "expected the number of a node, found \"\""},
        row{"at 1s crash one", "expected the number of a node, found \"one\""},
        row{"at 1s crash 0", "nodes are counted from 1"},
        row{"at 1s crash 1 after", "expected a number of messages"},
        row{"at 1s crash 1 for", "expected a time such as"},
        row{"at 1s crash 1 for 2s more", "nothing was expected behind it, found \"more\""},
        row{"at 1s cut 1 2", "expected \"->\", found \"2\""},
        row{"at 1s cut 1 ->", "expected the number of a node"},
        row{"at 1s split", "expected the nodes of one side, such as 1,2"},
        row{"at 1s split 1,two", "expected nodes such as 1,2, found \"two\""},
        row{"at 1s split 0", "expected nodes such as 1,2"},
        row{"at 1s network loss 10", "expected a share such as 10%, found \"10\""},
        row{"at 1s network loss 101%", "expected a share such as 10%, found \"101%\""},
        row{"at 1s network delay 5ms..1ms", "expected a delay such as 0ms..50ms"},
        row{"at 1s network rate fast", "expected bytes per second, found \"fast\""},
        row{"at 1s slow-disk 1", "expected a time per sync such as"},
        row{"at 1s fill 1", "expected bytes that are left, found \"\""}})
    CHECK_MESSAGE(trouble_with(line).find(words) != std::string::npos, line << ": " << trouble_with(line));
}

TEST_CASE("A name that is no fault's is refused with all names that are") {
  const auto words = std::get<std::string>(parse_fault_kinds("crash,fire"));
  CHECK(words.find("there are no faults called \"fire\"") != std::string::npos);
  for (const auto kind : all_kinds())
    CHECK(words.find(name_of(kind)) != std::string::npos);
}

TEST_CASE("Spans are written as short as they can be, and mean the same when they are read") {
  for (const auto span : {0ns, 1ns, 999ns, 1000ns, 1500ns, 300'000ns, 1'000'000ns, 1'250'000ns, 59'999'999'999ns,
                          1'250'000'000ns, 3'600'000'000'000ns})
    CHECK(parse_span(to_text(span)) == span);
  CHECK(to_text(1250ms) == "1.25s");
  CHECK(to_text(20ms) == "20ms");
  CHECK(to_text(300us) == "300us");
  for (const auto* bad : {"", "s", "1.2.3s", "1 s", "1e3", "-1s", "2000000000s"})
    CHECK_FALSE(parse_span(bad).has_value());
}
