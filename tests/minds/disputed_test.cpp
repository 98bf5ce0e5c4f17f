// Where to begin reading: what a broken promise is about, and the lines of the run that speak of it.
#include "stage/disputed.hpp"
#include "stage/story.hpp"
#include "tests/minds/played.hpp"

#include <doctest/doctest.h>

using namespace troupe;

namespace {

using kind = trace_event::kind;

/// The section of a story that tells what is disputed.
std::string section_of(const std::string& story) {
  const auto begin = story.find("What the run says of ");
  if (begin == story.npos)
    return {};
  return story.substr(begin, story.find("\n\n", begin) - begin);
}

bool contains(const std::string& story, std::string_view words) {
  return story.find(words) != story.npos;
}

/// Leader 1 of term 3 replicates entries 5 and 6, and node 3 applies another entry 5 than it.
played a_disputed_entry() {
  played run;
  for (const std::uint64_t id : {1, 2, 3})
    run.add(kind::starts, id, "boot 1");
  run.at(10).add(kind::asks, 1, "client 1 asks 41: k1 set \"a\"", 0, 0, 41);
  run.add(kind::asks, 1, "client 1 asks 42: k1 set \"b\"", 0, 0, 42);
  run.at(11).says(1, 2, 3, "append #8 after 3@2 +1 commit=3");
  run.at(12).says(1, 2, 3, "append #9 after 4@3 +2 commit=4");
  run.loses(run.sends(1, 3, 3, "append #4 after 4@3 +2 commit=4"));
  run.at(13).says(2, 1, 3, "appended #9 match=6");
  run.at(14).add(kind::applies, 1, "index 5, operation 41: ok");
  run.add(kind::applies, 1, "index 6, operation 42: ok");
  run.at(15).add(kind::tells, 1, "answers 41: ok", 0, 0, 41);
  run.at(20).says(1, 2, 3, "append #10 after 6@3 +0 commit=6");
  run.at(30).says(1, 2, 3, "append #11 after 6@3 +1 commit=6");
  run.at(31).add(kind::crashes, 2, "");
  run.at(40).says(1, 3, 3, "append #5 after 2@2 +0 commit=6");
  run.at(41).add(kind::breaks, 3, "peer 3 delivers entry 5 of term 2, committed as one of term 3");
  return run;
}

} // namespace

TEST_CASE("What is named in the words of a broken promise, or in what is known beyond them, is disputed") {
  const auto of = [](const std::string& violation, const std::vector<std::string>& details = {}) {
    return find_disputed(violation, details).in_words();
  };
  CHECK(of("peer 3 delivers entry 5 of term 2, committed as one of term 3") == "entry 5");
  CHECK(of("query 7 is stale", {"query 7: asked at node 1", "command 3: asked at node 2"}) == "operations 3, 7");
  CHECK(of("peers 1 and 2 both lead term 4") == "term 4");
  CHECK(of("node 2 stops, having found a bug: terms only rise, but term 4 is to follow term 5") == "terms 4, 5");
  CHECK(of("a message that was encoded cannot be decoded").empty());
  CHECK(of("").empty());
}

SCENARIO("of an entry is told who sent, acknowledged and applied it, what its client was told, and what befell since") {
  const auto section = section_of(tell(a_disputed_entry().events()));
  THEN("its operation is found by who applied it, and told with it") {
    CHECK(contains(section, "entry 5, operation 41:"));
    CHECK(contains(section, "asks 41"));
    CHECK(contains(section, "answers 41"));
    CHECK_FALSE(contains(section, "asks 42"));
  }
  THEN("each says once what it says of it, heard or lost") {
    CHECK(contains(section, "append #9 after 4@3 +2"));
    CHECK(contains(section, "append #4 after 4@3 +2 commit=4  (lost)"));
    CHECK(contains(section, "appended #9 match=6"));
    CHECK(contains(section, "append #10 after 6@3 +0 commit=6"));
    CHECK(contains(section, "append #5 after 2@2 +0 commit=6"));
    CHECK(contains(section, "applies: index 5"));
  }
  THEN("what has nothing to do with it is left out, but not who crashed") {
    CHECK_FALSE(contains(section, "append #8"));
    CHECK_FALSE(contains(section, "append #11"));
    CHECK_FALSE(contains(section, "applies: index 6"));
    CHECK(contains(section, "CRASHES"));
    CHECK_FALSE(contains(section, "STARTS"));
  }
}

TEST_CASE("What was lost is told once, and once more when it is heard after all") {
  played run;
  for (int i = 1; i <= 5; ++i)
    run.at(i).loses(run.sends(1, 2, 3, "append #" + std::to_string(i) + " after 4@3 +1 commit=4"));
  run.at(6).says(1, 2, 3, "append #6 after 4@3 +1 commit=4");
  run.at(7).says(1, 2, 3, "append #7 after 4@3 +1 commit=4");
  run.at(8).add(kind::breaks, 2, "peer 2 delivers entry 5 twice");
  const auto section = section_of(tell(run.events()));
  CHECK(contains(section, "append #1 "));
  CHECK_FALSE(contains(section, "append #2 "));
  CHECK_FALSE(contains(section, "append #5 "));
  CHECK(contains(section, "append #6 "));
  CHECK_FALSE(contains(section, "append #7 "));
}

SCENARIO("of an election is told who asked, who voted, what became durable and who led") {
  played run;
  run.at(1).says(1, 2, 6, "vote for me round=1 last=4@2");
  run.at(2).add(kind::writes, 2, "term 6, vote for 1", 0, 6);
  run.says(2, 1, 6, "I do round=1");
  run.add(kind::rises, 1, "leads term 6", 0, 6);
  run.at(3).says(1, 2, 6, "append #1 after 4@2 +1 commit=4");
  run.at(4).says(3, 2, 7, "vote for me round=2 last=4@2");
  run.at(5).add(kind::breaks, 2, "peer 2 votes twice in term 6: for 1 and for 3", 0, 6);
  const auto section = section_of(tell(run.events()));
  CHECK(contains(section, "What the run says of term 6:"));
  CHECK(contains(section, "vote for me round=1"));
  CHECK(contains(section, "writes: term 6, vote for 1"));
  CHECK(contains(section, "I do round=1"));
  CHECK(contains(section, "LEADS term 6"));
  CHECK_FALSE(contains(section, "append"));
  CHECK_FALSE(contains(section, "round=2"));
}

TEST_CASE("Of an entry is told when it was cut off and when that was durable, and not what else was cut off") {
  played run;
  run.at(1).says(1, 2, 3, "append #1 after 4@3 +1 commit=4");
  run.at(2).says(1, 2, 3, "append #2 after 4@3 +0 commit=4");
  run.at(2).add(kind::logs, 2, "event=log_cut from=5 to=5 leader=1");
  run.at(2).add(kind::logs, 3, "event=log_cut from=6 to=9 leader=1");
  run.at(9).add(kind::writes, 2, "cut off from 5");
  run.at(10).add(kind::breaks, 2, "peer 2 cuts off entry 5, which is committed");
  const auto section = section_of(tell(run.events()));
  CHECK(contains(section, "logs: event=log_cut from=5 to=5"));
  CHECK(contains(section, "writes: cut off from 5"));
  CHECK_FALSE(contains(section, "from=6"));
}

TEST_CASE("Of very much the beginning and the end are told") {
  played run;
  for (std::uint64_t term = 1; term <= 200; ++term)
    run.at(static_cast<double>(term)).says(1, 2, term, "append #1 after 4@1 +1 commit=4");
  run.add(kind::breaks, 2, "peer 2 delivers entry 5 twice");
  const auto section = section_of(tell(run.events()));
  CHECK(contains(section, "t1   append"));
  CHECK(contains(section, "(152 lines left out)"));
  CHECK(contains(section, "t200 append"));
}

TEST_CASE("A run in which nothing broke disputes nothing") {
  CHECK(section_of(tell(played{}.events())).empty());
}

TEST_CASE("How nodes stood, and what is known of a broken promise, are told with it") {
  story_options options;
  options.standings = {"table of nodes"};
  options.details = {"entry 5 in the logs: node 1 of term 3"};
  const auto story = tell(a_disputed_entry().events(), options);
  CHECK(contains(story, "At the end:\n  table of nodes\n"));
  CHECK(contains(story,
                 "by node 3:\n!!   peer 3 delivers entry 5 of term 2, committed as one of term 3\n"
                 "!!   entry 5 in the logs: node 1 of term 3\n"
                 "!!   the last that node 3 had heard, 1 ms before, from node 1: append #5 after 2@2 +0"));
}
