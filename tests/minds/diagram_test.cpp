#include "stage/diagram.hpp"
#include "tests/minds/played.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string_view>

using namespace troupe;

namespace {

using kind = trace_event::kind;

std::size_t count(std::string_view page, std::string_view words) {
  std::size_t found = 0;
  for (auto at = page.find(words); at != page.npos; at = page.find(words, at + 1))
    ++found;
  return found;
}

/// What the page's script reads, as it stands in the page.
std::string embedded(const std::string& page) {
  const std::string_view begins = "<script type=\"application/json\" id=\"events\">";
  const auto begin = page.find(begins);
  REQUIRE(begin != page.npos);
  const auto from = begin + begins.size();
  return page.substr(from, page.find("</script>", from) - from);
}

nlohmann::json run_in(const std::string& page) {
  return nlohmann::json::parse(embedded(page));
}

} // namespace

TEST_CASE("A page holds each event, message, life and leadership of its run") {
  const auto run = a_short_run();
  const auto drawn = run_in(draw(run.events()));
  CHECK(drawn["nodes"] == nlohmann::json{1, 2, 3});
  CHECK(drawn["events"].size() == run.events().size());
  CHECK(drawn["messages"].size() == 4 + 7 * 2 * 2);
  CHECK(drawn["lives"].size() == 3);
  CHECK(drawn["leaderships"].size() == 2);
  CHECK(drawn["violation"] == run.events().size() - 1);
  CHECK(drawn["leftOut"] == 0);
}

TEST_CASE("A message of a page leads from its sending to its ends") {
  played run;
  const auto heard = run.at(1).sends(1, 2, 3, "append #1 after 0@0 +1 commit=0");
  const auto lost = run.sends(1, 3, 3, "append #1 after 0@0 +1 commit=0");
  run.at(2.5).hears(heard);
  run.at(3).loses(lost, "cut");
  const auto drawn = run_in(draw(run.events()));
  CHECK(drawn["messages"][0]
        == nlohmann::json::parse(R"([1, 1, 2, 3, "append #1 after 0@0 +1 commit=0", 0, [2], []])"));
  CHECK(drawn["messages"][1]
        == nlohmann::json::parse(R"([1, 1, 3, 3, "append #1 after 0@0 +1 commit=0", 1, [], [3]])"));
  CHECK(drawn["events"][2] == nlohmann::json::parse(R"([2500, 1, 2, 1, 3, "", 0])"));
  CHECK(drawn["events"][3][5] == "cut");
}

TEST_CASE("The kinds and topics of a page are named in the order of their numbers") {
  const auto drawn = run_in(draw(a_short_run().events()));
  CHECK(drawn["kinds"][static_cast<std::size_t>(kind::sends) - 1] == "sends");
  CHECK(drawn["kinds"][static_cast<std::size_t>(kind::breaks) - 1] == "breaks");
  CHECK(drawn["kinds"].size() == static_cast<std::size_t>(kind::breaks));
  CHECK(drawn["topics"][drawn["messages"][0][0].get<std::size_t>()] == "votes");
}

TEST_CASE("No words of a run end its script, open another one or break its text") {
  const std::string words =
      "</script><script>alert(\"1\")</script> <!-- ' \\ \t \x01 \n \xff \xe2\x80\xa8 &lt; \xc3\xa9";
  played run;
  run.add(kind::asks, 1, words);
  run.sends(1, 2, 3, words);
  diagram_options options;
  options.title = words;
  options.heading = {words};
  const auto page = draw(run.events(), options);
  const auto harmless = draw({});
  CHECK(count(page, "<script") == count(harmless, "<script"));
  CHECK(count(page, "</script") == count(harmless, "</script"));
  CHECK(count(page, "<!--") == 0);
  const auto text = embedded(page);
  for (const auto c : text)
    CHECK(static_cast<unsigned char>(c) >= 0x20);
  CHECK(text.find_first_of("<>&") == text.npos);
  const auto shown = R"(</script><script>alert("1")</script> <!-- ' \ \x09 \x01 \x0a \xff \u{2028} &lt; )"
                     "\xc3\xa9";
  const auto drawn = run_in(page);
  CHECK(drawn["title"] == shown);
  CHECK(drawn["heading"][0] == shown);
  CHECK(drawn["events"][0][5] == shown);
  CHECK(drawn["messages"][0][4] == shown);
}

TEST_CASE("A page of the last events says how many it leaves out, and keeps who leads and lives") {
  const auto run = a_short_run();
  diagram_options options;
  options.most = 5;
  const auto drawn = run_in(draw(run.events(), options));
  CHECK(drawn["events"].size() == 5);
  CHECK(drawn["leftOut"] == run.events().size() - 5);
  CHECK(drawn["violation"] == 4);
  CHECK(drawn["messages"].size() == 2);
  CHECK(drawn["lives"] == nlohmann::json::parse("[[2, -1, -1], [3, -1, -1]]")); // Node 1 is dead by then.
  CHECK(drawn["leaderships"].size() == 2);
  for (const auto& event : drawn["events"])
    CHECK(event[6] < 2);
}

TEST_CASE("A page asks nothing of the network") {
  const auto page = draw(a_short_run().events());
  CHECK(count(page, "http://") + count(page, "https://") + count(page, "url(") + count(page, "@import") == 0);
  CHECK(count(page, "<link") + count(page, "<img") + count(page, "<iframe") + count(page, "src=") == 0);
  CHECK(count(page, "default-src 'none'") == 1);
  CHECK(count(page, "innerHTML") == 0);
}

TEST_CASE("An empty run is a page too") {
  const auto drawn = run_in(draw({}));
  CHECK(drawn["events"].empty());
  CHECK(drawn["violation"] == -1);
}

TEST_CASE("Equal runs have equal pages") {
  CHECK(draw(a_short_run().events()) == draw(a_short_run().events()));
}
