#include "tests/process/program.hpp"

#include <iterator>
#include <regex>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

outcome sim(std::vector<std::string> flags) {
  flags.insert(flags.begin(), "sim");
  return run_to_end(flags, 120s);
}

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n') + 1;
  const auto begin = text.rfind('\n', end - 1);
  return text.substr(begin == text.npos ? 0 : begin + 1, end - (begin == text.npos ? 0 : begin + 1));
}

/// What comes behind `word` in its line.
std::string behind(const std::string& word, const std::string& text) {
  const auto at = text.find(word);
  REQUIRE_MESSAGE(at != text.npos, word << " is not in:\n" << text);
  const auto begin = at + word.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

bool says(const std::string& text, const std::string& words) {
  return text.find(words) != text.npos;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in{line};
  return {std::istream_iterator<std::string>{in}, {}};
}

} // namespace

TEST_CASE("Wrong command lines of troupe sim end with exit code 2, words on stderr, and nothing is played") {
  scratch_directory scratch;
  const auto good = scratch / "good.scenario";
  std::ofstream{good} << "nodes 3\n";
  std::ofstream{scratch / "bad.plan"} << "# two faults\nat 1s crash 1\n\nat 2s crash 0\n";
  struct row {
    std::vector<std::string> flags;
    std::string words;
  };
  for (const auto& [flags, words] :
       {row{{"--sedes", "3"}, "no such flag; did you mean --seeds?"}, row{{"--seeds"}, "--seeds"},
        row{{"--seeds", "many"}, "--seeds"}, row{{"--seeds", "0"}, "0 seeds show nothing"},
        row{{"--seed", "-1"}, "--seed: \"-1\" is not a whole number from 0"}, row{{"--seeds", "-1"}, "--seeds: "},
        row{{"7"}, "stands alone"}, row{{"--hours", "soon"}, "is no virtual time"},
        row{{"--hours", "-1"}, "is no virtual time"}, row{{"--hours", "5d"}, "is no virtual time"},
        row{{"--peers", "10"}, "at most 9 nodes"}, row{{"--rate", "-1"}, "faults per second, from 0 to 1000"},
        row{{"--knobs", "loose"}, "is neither drawn nor plain"},
        row{{"--faults", "crash,fire"}, "there are no faults called \"fire\""},
        row{{"--plan", "/nowhere/plan"}, "cannot read the plan /nowhere/plan"},
        row{{"--plan", scratch / "bad.plan"}, "bad.plan, line 4: nodes are counted from 1"},
        row{{"--out", "/dev/null/nowhere"}, "cannot make /dev/null/nowhere: Not a directory"},
        row{{"--scenario", good, "--out", "/dev/null/nowhere"}, "cannot make /dev/null/nowhere: Not a directory"},
        row{{"--tell", "--seeds", "2"}, "give one --seed"}}) {
    const auto result = sim(flags);
    INFO(flags.front());
    CHECK(result.end.words() == "exit code 2");
    CHECK_MESSAGE(says(result.err, words), result.err);
    CHECK(says(result.err, "See troupe sim --help"));
    CHECK(result.out.empty());
  }
}

TEST_CASE("Twenty seeds of troupe sim end with equal hashes in two processes, and other seeds with another") {
  const auto once = sim({"--seeds", "20", "--quiet"});
  const auto again = sim({"--seeds", "20", "--quiet"});
  CHECK(once.end.words() == "exit code 0");
  CHECK_MESSAGE(std::regex_match(once.out, std::regex{"seeds=20 violations=0 virtual_s=[0-9]+ trace=[0-9a-f]{16}\n"}),
                once.out);
  CHECK(once.out == again.out);
  CHECK(once.err.empty());
  const auto first = sim({"--seed", "1", "--quiet"}), second = sim({"--seed", "2", "--quiet"});
  CHECK(behind("trace=", first.out) != behind("trace=", second.out));
}

TEST_CASE("troupe sim --plan has its faults befall, and no others, each time the same way") {
  scratch_directory scratch;
  std::ofstream{scratch / "my.plan"} << "# mine\nat 3s crash 2 for 1.5s\nat 5s isolate 1 for 2s\n";
  const std::vector<std::string> flags{"--seed", "7", "--hours", "10s", "--plan", scratch / "my.plan"};
  auto with_story = flags;
  with_story.push_back("--tell");
  const auto told = sim(with_story);
  CHECK(told.end.words() == "exit code 0");
  CHECK(says(told.out, "what went wrong:\n  at 3s crash 2 for 1.5s\n  at 5s isolate 1 for 2s\n"));
  CHECK(says(told.out, "STARTS: boot 2"));
  CHECK_FALSE(says(told.out, "STARTS: boot 3"));
  const auto once = sim(flags);
  CHECK(last_line(once.out) == last_line(told.out));
  CHECK(last_line(once.out) == last_line(sim(flags).out));
  CHECK(last_line(once.out) != last_line(sim({"--seed", "7", "--hours", "10s"}).out));
  CHECK(last_line(once.out) != last_line(sim({"--seed", "7", "--hours", "10s", "--faults", "none"}).out));
}

TEST_CASE("troupe sim --tell tells the story of a run in which nothing broke") {
  const auto told = sim({"--seed", "4", "--hours", "5s", "--tell"});
  CHECK(told.end.words() == "exit code 0");
  CHECK(told.out.starts_with("seed 4\n"));
  for (const auto* words :
       {" nodes, heartbeat ", "Who led:", "STARTS: boot 1", "client asks: client ", "client is told: answers ",
        "a quorum is healed: ", "At the end:", "No promise was broken."})
    CHECK_MESSAGE(says(told.out, words), words);
  CHECK(last_line(told.out).starts_with("seeds=1 violations=0 "));
}

TEST_CASE("Some clients of troupe sim are Redis connections, whose words are in the story") {
  const auto told = sim({"--seed", "1", "--hours", "5s", "--tell"});
  CHECK(told.end.words() == "exit code 0");
  CHECK(says(told.out, " of them through gates"));
  CHECK(std::regex_search(told.out, std::regex{"client 1 says [0-9]+: SET [0-9]+:k[0-9]+ v"}));
  CHECK(std::regex_search(told.out, std::regex{"client 1 hears of [0-9]+: \\+OK"}));
}

TEST_CASE("A broken promise ends troupe sim with exit code 1, files beside, and a line that breaks it again") {
  scratch_directory scratch;
  // Two of three disks are lost: no quorum is left, and the run says that its plan went too far.
  std::ofstream{scratch / "too-far.plan"}
      << "at 1s crash 3 for 200ms\nat 2s wipe 1 for 100ms\nat 3s pause 3 for 1s\nat 4s wipe 2 for 100ms\n";
  const auto result = sim(
      {"--seed", "5", "--peers", "3", "--hours", "6.5s", "--plan", scratch / "too-far.plan", "--out", scratch.path()});
  CHECK(result.end.words() == "exit code 1");
  const auto violation = behind("violation: seed=5 at ", result.out);
  CHECK(says(violation, "the plan went too far"));
  CHECK(says(result.out, "BROKEN"));
  CHECK(last_line(result.out).starts_with("seeds=1 violations=1 "));
  CHECK(contents(scratch / "troupe-sim-5.plan") == "at 2s wipe 1 for 100ms\nat 4s wipe 2 for 100ms\n");
  CHECK(says(result.out, scratch / "troupe-sim-5.plan (2 faults of 4)"));
  CHECK(says(contents(scratch / "troupe-sim-5.txt"), "the plan went too far"));
  CHECK(contents(scratch / "troupe-sim-5.html").starts_with("<!"));
  auto again = words_of(behind("again     troupe sim ", result.out));
  again.insert(again.end(), {"--no-shrink", "--out", scratch.path()});
  const auto replayed = sim(again);
  CHECK(replayed.end.words() == "exit code 1");
  CHECK(says(replayed.out, "the plan went too far"));
  CHECK(says(replayed.out, "(2 faults of 2)"));
}

TEST_CASE("troupe sim makes the directory for its files, for seeds and for scenarios, unless it is refused") {
  scratch_directory scratch;
  std::ofstream{scratch / "too-far.plan"} << "at 2s wipe 1 for 100ms\nat 4s wipe 2 for 100ms\n";
  std::ofstream{scratch / "hasty.scenario"} << "nodes 3\nat 0s expect leader\n";
  std::ofstream{scratch / "bad.scenario"} << "nodse 3\n";
  const auto of_seeds = scratch / "of/seeds", of_scenarios = scratch / "of/scenarios", of_none = scratch / "of/none";
  CHECK(sim({"--seed", "5", "--peers", "3", "--hours", "6.5s", "--plan", scratch / "too-far.plan", "--no-shrink",
             "--out", of_seeds})
            .end.words()
        == "exit code 1");
  CHECK(std::filesystem::exists(of_seeds + "/troupe-sim-5.txt"));
  CHECK(sim({"--scenario", scratch / "hasty.scenario", "--out", of_scenarios}).end.words() == "exit code 1");
  CHECK(std::filesystem::exists(of_scenarios + "/hasty-1.txt"));
  for (const auto* flag : {"--scenario", "--plan"})
    CHECK(sim({flag, scratch / "bad.scenario", "--out", of_none}).end.words() == "exit code 2");
  CHECK_FALSE(std::filesystem::exists(of_none));
}

TEST_CASE("What several seeds break alike troupe sim tells once, and sums up at the end") {
  scratch_directory scratch;
  std::ofstream{scratch / "too-far.plan"} << "at 2s wipe 1 for 100ms\nat 4s wipe 2 for 100ms\n";
  const auto result = sim({"--seed", "5", "--seeds", "3", "--peers", "3", "--hours", "6.5s", "--plan",
                           scratch / "too-far.plan", "--out", scratch.path(), "--no-shrink"});
  CHECK(result.end.words() == "exit code 1");
  CHECK(says(result.out, "like seed 5; `--seed 6` alone tells it"));
  CHECK(std::filesystem::exists(scratch / "troupe-sim-5.txt"));
  CHECK_FALSE(std::filesystem::exists(scratch / "troupe-sim-6.txt"));
  CHECK(says(result.out, "1 promise broken:\n"));
  CHECK(says(result.out, "3 seeds: 5 6 7; soonest by seed "));
  CHECK(last_line(result.out).starts_with("seeds=3 violations=3 "));
}

TEST_CASE("troupe sim --coverage lists rare states, and ends with exit code 1 if one was never met") {
  const auto result = sim({"--seed", "1", "--hours", "2s", "--faults", "none", "--coverage", "--quiet"});
  CHECK(result.end.words() == "exit code 1");
  CHECK(says(result.out, "<- never"));
  CHECK(last_line(result.out).starts_with("seeds=1 violations=0 "));
}

TEST_CASE("troupe sim --bench prints how much faster than real time the stage is, idle and busy") {
  const auto result = sim({"--bench"});
  CHECK(result.end.words() == "exit code 0");
  for (const auto* word : {"speedup_idle=", "speedup_busy="}) {
    const auto speedup = std::stod(behind(word, result.out));
    CHECK_MESSAGE(speedup > 10, word << speedup); // Hundreds and thousands, on a machine that is not busy.
    CHECK(std::stod(behind("messages_per_s=", result.out.substr(result.out.find(word)))) > 1000);
  }
}
