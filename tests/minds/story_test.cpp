#include "stage/reading.hpp"
#include "stage/story.hpp"
#include "tests/minds/played.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string_view>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using kind = trace_event::kind;

std::vector<std::string> lines_of(const std::string& story) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < story.size();) {
    const auto end = story.find('\n', begin);
    lines.push_back(story.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// The lines that contain some words.
std::vector<std::string> lines_with(const std::string& story, std::string_view words) {
  auto lines = lines_of(story);
  std::erase_if(lines, [&](const std::string& line) { return line.find(words) == line.npos; });
  return lines;
}

bool contains(const std::string& story, std::string_view words) {
  return story.find(words) != story.npos;
}

/// The lines between the names of the columns and the end.
std::vector<std::string> events_of(const std::string& story) {
  auto lines = lines_of(story);
  const auto begin = std::find_if(lines.begin(), lines.end(), [](const auto& line) { return line.starts_with("ms "); });
  const auto end = std::find(begin, lines.end(), "At the end:");
  REQUIRE(end != lines.end());
  return {begin + 1, end - 1};
}

} // namespace

TEST_CASE("A message and its hearing are one line, with the time between") {
  played run;
  const auto message = run.at(10).sends(1, 3, 2, "append #7 after 4@2 +3 commit=4");
  run.at(13.2).hears(message);
  const auto told = events_of(tell(run.events()));
  REQUIRE(told.size() == 1);
  CHECK(contains(told[0], "1 -> 3"));
  CHECK(contains(told[0], "t2   append #7 after 4@2 +3 commit=4  (heard +3.2 ms)"));
}

TEST_CASE("A message that is lost says so, and why") {
  played run;
  run.loses(run.sends(1, 3, 2, "append #7 after 4@2 +3 commit=4"), "the way is cut");
  const auto told = events_of(tell(run.events()));
  REQUIRE(told.size() == 1);
  CHECK(contains(told[0], "(lost: the way is cut)"));
}

TEST_CASE("The same words to several at once are one line, with the fate of each") {
  played run;
  const auto to_2 = run.at(5).sends(1, 2, 2, "vote for me round=1 last=4@2");
  const auto to_3 = run.sends(1, 3, 2, "vote for me round=1 last=4@2");
  run.loses(to_3);
  run.at(9).hears(to_2);
  const auto told = events_of(tell(run.events()));
  REQUIRE(told.size() == 1);
  CHECK(contains(told[0], "1 -> 2 3"));
  CHECK(contains(told[0], "(2 heard +4 ms; 3 lost)"));
}

TEST_CASE("A message that is overtaken at its receiver is told again where it is heard") {
  played run;
  const auto slow = run.at(10).sends(1, 2, 2, "append #7 after 4@2 +3 commit=4");
  run.at(20).add(kind::crashes, 2, "power lost");
  run.at(30).add(kind::starts, 2, "life 2");
  run.at(200).hears(slow);
  const auto told = events_of(tell(run.events()));
  REQUIRE(told.size() == 4);
  CHECK(contains(told[0], "(heard +190 ms, below)"));
  CHECK(contains(told[3], "2 <- 1"));
  CHECK(contains(told[3], "hears append #7 after 4@2 +3 commit=4  (sent 190 ms before)"));
}

TEST_CASE("A duplicate is told as heard twice, and a message without an end as on its way") {
  played run;
  const auto twice = run.at(10).sends(1, 2, 2, "append #7 after 4@2 +3 commit=4");
  run.at(11).hears(twice);
  run.at(12).hears(twice);
  run.at(13).sends(1, 2, 2, "append #8 after 7@2 +1 commit=4");
  const auto told = events_of(tell(run.events()));
  REQUIRE(told.size() == 2);
  CHECK(contains(told[0], "(heard +1 ms, heard +2 ms)"));
  CHECK(contains(told[1], "(on its way at the end)"));
}

SCENARIO("heartbeats with nothing new are one line") {
  GIVEN("a leader that beats seven times, and is answered") {
    const auto run = a_short_run();
    THEN("the first ones, which are news to its followers, are told, and the others together") {
      const auto story = tell(run.events());
      CHECK(lines_with(story, "append #").size() == 2);
      const auto folded = lines_with(story, "heartbeats");
      REQUIRE(folded.size() == 1);
      CHECK(contains(folded[0], "1 -> 2 3"));
      CHECK(contains(folded[0], "12 heartbeats until 410 ms, all answered"));
    }
    THEN("all are told to those who want to hear all") {
      story_options all;
      all.fold = false;
      const auto told = events_of(tell(run.events(), all));
      const auto heartbeats = std::count_if(told.begin(), told.end(), [](const auto& line) {
        return contains(line, "append #") || contains(line, "appended #");
      });
      CHECK(heartbeats == 7 * 2 * 2);
    }
  }
  GIVEN("a follower that does not hear them any more") {
    played run;
    run.beats(1, 2, 3);
    run.beats(1, 3, 3);
    for (int beat = 1; beat <= 4; ++beat) {
      run.at(50 * beat).beats(1, 2, 3);
      run.loses(run.sends(1, 3, 3, "append #" + std::to_string(100 + beat) + " after 4@2 +0 commit=4"));
    }
    THEN("the line says who") {
      const auto folded = lines_with(tell(run.events()), "heartbeats");
      REQUIRE(folded.size() == 1);
      CHECK(contains(folded[0], "8 heartbeats until 200 ms: 2 answered all 4; 3 did not hear any of 4"));
    }
  }
  GIVEN("a heartbeat that is refused") {
    played run;
    run.beats(1, 2, 3);
    run.beats(1, 2, 3);
    run.says(1, 2, 3, "append #9 after 4@2 +0 commit=4");
    run.says(2, 1, 4, "refused #9 last=4 conflict=0@0");
    THEN("it is told, and so is the refusal") {
      const auto story = tell(run.events());
      CHECK(lines_with(story, "1 heartbeat,").size() == 1);
      CHECK(contains(story, "append #9"));
      CHECK(contains(story, "refused #9"));
    }
  }
  GIVEN("a heartbeat that moves the commit index") {
    played run;
    run.beats(1, 2, 3);
    run.says(1, 2, 3, "append #9 after 4@2 +0 commit=5");
    THEN("it is told") {
      CHECK(contains(tell(run.events()), "append #9"));
    }
  }
  GIVEN("a heartbeat of an old leader that reaches a node in a new term") {
    played run;
    run.beats(1, 2, 3);
    const auto late = run.sends(1, 2, 3, "append #9 after 4@2 +0 commit=4");
    run.at(500).says(2, 3, 4, "vote for me round=2 last=4@2");
    run.at(700).hears(late);
    THEN("it is told") {
      CHECK(lines_with(tell(run.events()), "append #9 after 4@2 +0").size() >= 2);
    }
  }
}

TEST_CASE("Nothing that cannot be folded is lost, in whatever way a run is told") {
  const auto run = a_short_run();
  const auto story = tell(run.events());
  for (const auto& event : run.events()) {
    const auto words = event.words.substr(event.words.find(' ', event.words.find(' ') + 1) + 1);
    if (event.what == kind::sends && words.find("append") == words.npos)
      CHECK(contains(story, words));
  }
  CHECK(lines_with(story, "STARTS: life 1").size() == 3);
  CHECK(lines_with(story, "CRASHES: power lost").size() == 1);
  CHECK(lines_with(story, "LEADS term 3").size() == 1);
  CHECK(lines_with(story, "LEADS term 4").size() == 1);
}

TEST_CASE("Time goes forward from line to line") {
  const auto told = events_of(tell(a_short_run().events()));
  double before = 0;
  for (const auto& line : told) {
    CHECK(std::stod(line) >= before);
    before = std::stod(line);
  }
}

TEST_CASE("The broken promise comes last, whatever was to be told") {
  const auto run = a_short_run();
  const std::string words = "peer 2 leads term 4 without committed entry 5";
  story_options whole;
  story_options a_window;
  a_window.until = 200ms;
  story_options one_line;
  one_line.last = 1;
  story_options one_node;
  one_node.nodes = {peer_id{3}};
  for (const auto& options : {whole, a_window, one_line, one_node}) {
    const auto story = tell(run.events(), options);
    CHECK(lines_with(story, words).size() == 1);
    const auto lines = lines_of(story);
    CHECK(contains(lines[lines.size() - 4], "BROKEN at 701.25 ms, by node 2, in term 4"));
    CHECK(contains(lines[lines.size() - 3], words));
    CHECK(contains(lines[lines.size() - 2], "had heard, 0.25 ms before, from node 3: I do round=2"));
  }
}

TEST_CASE("A run without a broken promise says so") {
  played run;
  run.add(kind::starts, 1, "life 1");
  CHECK(lines_of(tell(run.events())).back() == "No promise was broken.");
  CHECK(tell({}) == "Nothing happened.\n");
}

SCENARIO("a part of a run is told") {
  const auto run = a_short_run();
  GIVEN("the wish for the last three lines") {
    story_options options;
    options.last = 3;
    const auto story = tell(run.events(), options);
    THEN("there are three, and the number of those left out") {
      CHECK(contains(story, "lines before this left out)"));
      const auto told = events_of(story);
      REQUIRE(told.size() == 3);
      CHECK(contains(told[2], "LEADS term 4"));
    }
  }
  GIVEN("a window of time") {
    story_options options;
    options.from = 101ms;
    options.until = 500ms;
    const auto told = events_of(tell(run.events(), options));
    THEN("nothing else is told") {
      CHECK(contains(told.front(), "I do round=1"));
      CHECK(contains(told.back(), "CRASHES"));
    }
  }
  GIVEN("one node") {
    story_options options;
    options.nodes = {peer_id{3}};
    played with_all = run;
    with_all.add(kind::strikes, 0, "all ways lose one message in ten");
    const auto story = tell(with_all.events(), options);
    THEN("only what it has a part in is told, and what befalls all") {
      CHECK_FALSE(contains(story, "I do round=1"));
      CHECK_FALSE(contains(story, "CRASHES"));
      CHECK(contains(story, "I do round=2"));
      CHECK(contains(story, "FAULT: all ways lose one message in ten"));
    }
  }
}

TEST_CASE("A story begins with its heading and with who led") {
  story_options options;
  options.heading = {"three nodes, seed 7", "plan: one crash"};
  const auto lines = lines_of(tell(a_short_run().events(), options));
  CHECK(lines[0] == "three nodes, seed 7");
  CHECK(lines[1] == "plan: one crash");
  CHECK(contains(lines[4], "node 1, term 3, last spoke as leader at 410 ms"));
}

TEST_CASE("A client's answer says how long it took") {
  played run;
  run.at(10).add(kind::asks, 1, "put x = 1", 0, 0, 900);
  run.at(24.5).add(kind::tells, 1, "done", 0, 0, 900);
  const auto told = events_of(tell(run.events()));
  REQUIRE(told.size() == 2);
  CHECK(contains(told[0], "client asks: put x = 1"));
  CHECK(contains(told[1], "client is told: done  (asked 14.5 ms before)"));
}

TEST_CASE("No words reach into the terminal or into another line") {
  played run;
  run.add(kind::asks, 1, "put \x1b[31m = two\nlines \xff and \xe2\x80\xae backwards");
  const auto story = tell(run.events());
  CHECK(contains(story, R"(put \x1b[31m = two\x0alines \xff and \u{202e} backwards)"));
  CHECK(story.find('\x1b') == story.npos);
  CHECK(printable("caf\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x8e\xad") == "caf\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x8e\xad");
  CHECK(printable("\xc0\xaf \xed\xa0\x80 \xc2\x85") == R"(\xc0\xaf \xed\xa0\x80 \u{0085})");
}

TEST_CASE("A leader is known as one until its last word as leader, not longer") {
  const auto read_of = read(a_short_run().events());
  REQUIRE(read_of.leaderships.size() == 2);
  const auto& first = read_of.leaderships[0];
  const auto events = a_short_run().events();
  CHECK(events[first.last_sign].at == 410ms);
  CHECK(events[first.ends].what == kind::crashes);
}

TEST_CASE("A pre-vote does not put its sender into the term it names") {
  played run;
  run.says(1, 2, 3, "I do round=1");
  run.says(1, 2, 9, "would you vote round=2 last=4@2");
  const auto known = read(run.events()).terms;
  REQUIRE(known.size() == 1);
  CHECK(known[0].term == term_number{3});
}

TEST_CASE("A trace that begins late, or whose ends have no beginnings, is told all the same") {
  std::vector<trace_event> late;
  late.push_back(
      {5ms, kind::hears, peer_id{2}, peer_id{1}, term_number{3}, 77, "1>2 term=3 append #1 after 0@0 +0 commit=0"});
  late.push_back({6ms, kind::loses, peer_id{2}, peer_id{1}, term_number{3}, 78, "2>1 term=3 appended #1 match=0"});
  const auto told = events_of(tell(late));
  REQUIRE(told.size() == 2);
  CHECK(contains(told[0], "2 <- 1    t3   hears append #1 after 0@0 +0 commit=0"));
  CHECK(contains(told[1], "2 -> 1    t3   lost: appended #1 match=0"));
}

TEST_CASE("Equal runs have equal stories") {
  CHECK(tell(a_short_run().events()) == tell(a_short_run().events()));
}
