// The stories of stage/scenarios/, the page that says how they are written, and what a bad one is told.
#include "stage/scenario.hpp"
#include "stage/story.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace troupe;

namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> all;
  for (const auto& each : std::filesystem::directory_iterator{TROUPE_SCENARIOS})
    if (each.path().extension() == ".scenario")
      all.push_back(each.path());
  std::sort(all.begin(), all.end());
  return all;
}

scenario need(std::string_view text, const std::string& name) {
  auto read = parse_scenario(text, name);
  if (const auto* error = std::get_if<scenario_error>(&read)) {
    const auto words = to_string(*error);
    FAIL(words);
  }
  return std::get<scenario>(std::move(read));
}

scenario load(const std::filesystem::path& file) {
  return need(content_of(file), file.filename().string());
}

void play_well(const scenario& story) {
  over_seeds(10, [&](std::uint64_t seed) {
    if (const auto result = play_scenario(story, seed); result.violation)
      throw story_failed{*result.violation};
  });
}

/// What a story that fails is told.
std::string complaint(const std::string& text) {
  const auto result = play_scenario(need(text, "tale"), 1);
  return result.violation.value_or("");
}

std::string refusal_of(const std::string& text) {
  const auto read = parse_scenario(text, "tale");
  const auto* error = std::get_if<scenario_error>(&read);
  return error == nullptr ? "" : to_string(*error);
}

void is_in(std::string_view part, const std::string& whole) {
  INFO(whole);
  CHECK(whole.find(part) != whole.npos);
}

} // namespace

TEST_CASE("Every scenario comes to the end that its author expects, with any seed") {
  REQUIRE(files().size() > 30);
  for (const auto& file : files())
    play_well(load(file));
}

TEST_CASE("Every scenario says first what it shows") {
  for (const auto& file : files()) {
    INFO(file);
    CHECK(load(file).about.size() > 60);
  }
}

TEST_CASE("A scenario and a seed are one run, told or not") {
  const auto story = load(std::filesystem::path{TROUPE_SCENARIOS} / "2c-1-persist.scenario");
  const auto first = play_scenario(story, 7);
  CHECK(play_scenario(story, 7).hash == first.hash);
  CHECK(play_scenario(story, 8).hash != first.hash);
  const auto told = play_scenario(story, 7, true);
  CHECK(told.hash == first.hash);
  CHECK(!told.events.empty());
}

TEST_CASE("What a scenario has on the disks when it begins is told as written before the run, and nothing else is") {
  const auto told = play_scenario(load(std::filesystem::path{TROUPE_SCENARIOS} / "figure-7.scenario"), 1, true).events;
  const auto starts = [](const trace_event& each) { return each.what == trace_event::kind::starts; };
  const auto run = std::find_if(told.begin(), told.end(), starts);
  REQUIRE(std::count_if(told.begin(), told.end(), starts) == 7);
  CHECK(std::count_if(told.begin(), run,
                      [](const trace_event& each) {
                        return each.what == trace_event::kind::writes
                            && each.words == "before the run, term 7, no vote";
                      })
        == 7);
  CHECK(std::none_of(run, told.end(),
                     [](const trace_event& each) { return each.words.find("before the run") != std::string::npos; }));
  is_in("before the run, term 7, no vote", tell(told));
}

TEST_CASE("The example of the page about scenarios is one") {
  const auto page = content_of(std::filesystem::path{TROUPE_SCENARIOS} / "../../docs/scenarios.md");
  const std::string fence = "```scenario\n";
  const auto begin = page.find(fence);
  REQUIRE(begin != page.npos);
  const auto text = page.substr(begin + fence.size(), page.find("\n```", begin) - begin - fence.size() + 1);
  play_well(need(text, "docs/scenarios.md"));
}

TEST_CASE("An expectation that fails says which line, when, and what was there instead") {
  const std::string begin = "nodes 3\nthen expect leader within 5s\nthen write 2 at leader\n"
                            "then expect all answered within 1s\nthen call leader L\n";
  const auto after = [&](const std::string& lines) { return complaint(begin + lines); };
  is_in("tale, line 1, at 100ms: \"expect leader within 100ms\", but nobody leads with a majority in touch. Node 1 f",
        complaint("then expect leader within 100ms"));
  is_in("line 6, at 6", after("at 600ms expect no leader"));
  is_in("believes to lead. Node 1 ", after("then expect no leader within 2s"));
  is_in("believes to lead", after("then crash L\nthen expect no leader for 10s"));
  is_in("leads. Node 1 ", after("then expect leader is not L"));
  is_in(", and not node ", after("then isolate L\nafter 3s expect same leader"));
  is_in("leads term 2, and not term 1 any more",
        complaint("nodes 1\nthen expect leader within 2s\nthen crash 1\nthen start 1\n"
                  "then expect same leader within 2s"));
  is_in("is down", after("then crash L\nthen write at L"));
  is_in("there is no leader", after("then crash all\nthen write at leader"));
  is_in("of 2 operations 2 are answered, 2 are committed", after("then expect none committed for 1s"));
  is_in("of 1 operations", after("then isolate followers\nthen write at L\nthen expect all answered within 6s"));
  is_in("but it is 1", after("then expect term >= 1000"));
  is_in("the log of node 2 is: 1", after("then expect log 2: 7"));
  is_in("but that was not seen", after("then expect seen \"a snapshot is installed\""));
  is_in("stands still", after("then pause follower\nthen expect agreement"));
  is_in("it was to be at 100ms: line 5 took until now", after("at 100ms heal"));
  is_in("the leader has only 1 in touch with it", after("then isolate follower\nthen crash follower 2"));
}

TEST_CASE("What is wrong with a line is said with its number, what was expected, and the nearest word") {
  struct row {
    std::string text;
    std::string told;
  };
  const std::vector<row> rows{
      {"nodse 3", "line 1: no line begins with \"nodse\"; did you mean \"nodes\"?"},
      {"nodes 3\n\n# a comment\nthan heal", "line 4: no line begins with \"than\"; did you mean \"then\"?"},
      {"nodes many", "expected how many nodes, found \"many\""},
      {"nodes 0", "expected how many nodes from 1 to 15, found 0"},
      {"nodes", "expected how many nodes, found the end of the line"},
      {"seed 1\nnodes 3", "line 2: \"nodes\" comes first"},
      {"nodes 3\nthen heal\nheartbeat 1s", "line 3: \"heartbeat\" belongs to the heading"},
      {"heartbeat soon", "expected a time such as 1.5s, 20ms or 300us, found \"soon\""},
      {"election-timeout 2s..1s", "expected times such as 500ms..1s, found \"2s..1s\""},
      {"clients some", "expected \"none\", or how many clients, found \"some\""},
      {"clients 3 at speed", "expected operations per second such as 50/s, found \"speed\""},
      {"no-op maybe", "expected \"on\" or \"off\", found \"maybe\""},
      {"log 4: 1", "there is no node 4: there are 1 to 3"},
      {"log leader: 1", "before the beginning nodes have numbers only"},
      {"log 1 1", "expected \":\", found \"1\""},
      {"log 1: 2 1", "terms of a log begin with 1 at least, and never fall: found 1"},
      {"at noon heal", "expected a time such as 1.5s, 20ms or 300us, found \"noon\""},
      {"at 2s heal\nat 1s heal", "line 2: it is 2s already: times do not go back"},
      {"then", "nothing is done by the end of the line"},
      {"then isolte 1", "nothing is done by \"isolte\"; did you mean \"isolate\"?"},
      {"then crash leadr", "expected a node, found \"leadr\"; a number, or did you mean \"leader\"?"},
      {"then crash", "expected a node, found the end of the line"},
      {"then crash 1 for ever", "expected a time such as 1.5s, 20ms or 300us, found \"ever\""},
      {"then crash 1 2", "nothing was expected behind it, found \"2\""},
      {"then cut 1 2", "expected \"->\", found \"2\""},
      {"then network loss 10", "expected a share such as 10%, found \"10\""},
      {"then crash follower 3", "expected which follower from 1 to 2, found 3"},
      {"then fill follower 3 0", "expected which follower from 1 to 2, found 3"},
      {"then fill follower", "expected bytes that are left, found \"\""},
      {"then heal L1", "expected a node, found \"L1\""},
      {"then call leader L1\nthen heal L2", "line 2: expected a node, found \"L2\"; a number, or did you mean \"L1\"?"},
      {"then call leader boss", "expected a name with a capital such as L1, found \"boss\""},
      {"then call all L1", "expected one node, found several"},
      {"then write leader", "expected how many, or \"at\", found \"leader\""},
      {"then expect leader in 5s", "expected \"within\" or \"for\" and a time, or nothing more, found \"in\""},
      {"then expect leader within", "expected a time such as 1.5s, 20ms or 300us, found the end of the line"},
      {"then expect leader within 5s soon", "nothing was expected here, found \"soon\""},
      {"then expect agrement", "nothing can be expected of \"agrement\"; did you mean \"agreement\"?"},
      {"then expect no leeder", "expected \"leader\", found \"leeder\""},
      {"then expect all answered", "no line before has asked for anything"},
      {"then write at 1\nthen expect all commited", "found \"commited\"; did you mean \"committed\"?"},
      {"then expect term is 3", "expected one of = != < <= > >=, found \"is\""},
      {"then expect seen \"a snapshot is instaled\"", "did you mean \"a snapshot is installed\"?"},
      {"then expect seen \"a snapshot", "a quotation has no end"},
      {"then heal\nrepeat 3\nthen heal", "line 2: this \"repeat\" has no \"end\""},
      {"end", "there is no \"repeat\" that would end here"},
      {"repeat 2\nat 1s heal\nend", "what is repeated has no time of its own"},
      {"repeat 2\nrepeat 2", "a \"repeat\" cannot hold another"},
  };
  for (const auto& [text, told] : rows) {
    INFO(text);
    is_in(told, refusal_of(text));
  }
}

TEST_CASE("What fills a follower's disk is told from the follower's number") {
  for (const auto* line :
       {"then fill follower 0", "then fill follower 2 0 for 1s", "then fill follower, follower 2, 1 0"})
    CHECK(refusal_of(line) == "");
}

TEST_CASE("A fault that somebody has to end is a line of a plan, too") {
  const auto read = parse_fault("at 1s crash 2 for good");
  REQUIRE(std::holds_alternative<fault>(read));
  CHECK(std::get<fault>(read).lasts == for_good);
  CHECK(to_string(std::get<fault>(read)) == "at 1s crash 2 for good");
}
