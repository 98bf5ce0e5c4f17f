// Whole runs: a seed is a run, a run that breaks a promise is made small and shown, and the front door for state
// machines of anybody's.
#include "actors/logging.hpp"
#include "stage/finding.hpp"
#include "stage/register_workload.hpp"
#include "tests/support/seeds.hpp"
#include "troupe/assert.hpp"
#include "troupe/stage.hpp"

#include <doctest/doctest.h>

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<workload> registers(const stage_knobs& knobs) {
  return make_register_workload(5, knobs.read_percent, knobs.value_bytes);
}

simulation_options short_runs() {
  simulation_options options;
  options.lasts = 20s;
  options.faults = std::get<std::set<fault_kind>>(parse_fault_kinds("all"));
  return options;
}

/// Counts; what else it does is somebody's mistake.
class counter : public state_machine {
public:
  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    for (std::size_t i = 0; i < commands.size(); ++i)
      answers.add(count());
    return commands.size();
  }
  void query(std::string_view, answer_list& answers) override { answers.add(std::to_string(value_)); }
  std::unique_ptr<state_view> save() override { return view_of(std::to_string(value_)); }
  void load(chunk_source& chunks) override { value_ = std::stoll(read_all(chunks)); }

protected:
  virtual std::string count() { return std::to_string(++value_); }
  long long value_ = 0;
};

/// Forgets what it counted when it loads.
class forgetful final : public counter {
  void load(chunk_source& chunks) override {
    counter::load(chunks);
    value_ /= 2;
  }
};

/// Cannot count beyond fifty.
class fragile final : public counter {
  std::string count() override {
    if (value_ >= 50)
      throw std::runtime_error{"fifty is the most"};
    return counter::count();
  }
};

/// Believes that there is one of it in a process.
class shared final : public counter {
  std::string count() override { return std::to_string(++of_all_); }
  static inline long long of_all_ = 0;
};

/// Finds a bug in itself, when it is asked for more than ten.
class doubting final : public counter {
  std::string count() override {
    TROUPE_ASSERT(value_ < 10, "it does not go on");
    return counter::count();
  }
};

/// Finds a bug in itself as soon as it is made.
class despairing final : public counter {
public:
  despairing() { TROUPE_ASSERT(despairs_, "it is in order"); }

private:
  bool despairs_ = false;
};

template <class Machine>
class counting final : public workload {
public:
  std::shared_ptr<state_machine> machine() override { return std::make_shared<Machine>(); }
  request next(unsigned, dice& chance) override {
    return chance.chance(70) ? request{operation::command, "+", "one more"} : request{operation::query, "", "how many"};
  }
};

template <class Machine>
std::unique_ptr<workload> clients_of() {
  return std::make_unique<counting<Machine>>();
}

/// A directory that is gone afterwards.
struct scratch {
  scratch() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-stage-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~scratch() { std::filesystem::remove_all(path); }
  std::string path;
};

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

stage_options small_play() {
  stage_options options;
  options.seeds = 10;
  options.lasts = 20s;
  options.directory = "";
  return options;
}

} // namespace

TEST_CASE("One seed gives one run of the whole world, and another seed another") {
  std::set<std::uint64_t> hashes;
  std::size_t played = 0;
  over_seeds(10, [&](std::uint64_t seed) {
    ++played;
    const auto run = plan_run(seed, short_runs());
    const auto once = play(seed, run, registers);
    const auto again = play(seed, plan_run(seed, short_runs()), registers);
    CHECK(once.violation.value_or("") == "");
    CHECK(once.hash == again.hash);
    CHECK(once.steps == again.steps);
    CHECK(once.hash != play(seed + 1, run, registers).hash); // The same plan and knobs, and other luck.
    hashes.insert(once.hash);
  });
  CHECK(hashes.size() == played);
}

TEST_CASE("Telling a run in words changes nothing of it") {
  over_seeds(5, [](std::uint64_t seed) {
    auto run = plan_run(seed, short_runs());
    const auto mute = play(seed, run, registers);
    CHECK(mute.events.empty());
    run.world.tells = true;
    const auto told = play(seed, run, registers);
    CHECK(told.hash == mute.hash);
    CHECK_FALSE(told.events.empty());
  });
}

TEST_CASE("How nodes stand when a run ends is what their disks and the run say") {
  over_seeds(5, [](std::uint64_t seed) {
    auto run = plan_run(seed, short_runs());
    run.plan.clear();
    run.pasts.clear();
    run.world.tells = true;
    const auto told = play(seed, run, registers);
    REQUIRE(told.violation.value_or("") == "");
    REQUIRE(told.standings.size() == run.world.knobs.nodes);
    const auto applied_last = [&](peer_id node) {
      const auto last = std::find_if(told.events.rbegin(), told.events.rend(), [&](const trace_event& each) {
        return each.what == trace_event::kind::applies && each.node == node;
      });
      return last == told.events.rend() ? std::string{} : last->words;
    };
    unsigned leaders = 0;
    for (const auto& node : told.standings) {
      leaders += node.state == "leads" ? 1 : 0;
      CHECK(node.durable <= node.written);
      CHECK(node.start <= node.durable);
      CHECK(node.told_commit > log_index{});
      CHECK(node.applied > log_index{});
      CHECK(node.applied <= node.written.index);
      CHECK(applied_last(node.node).find("index " + std::to_string(node.applied.value())) != std::string::npos);
    }
    CHECK(leaders == 1);
  });
}

TEST_CASE("A story knows of votes that became durable, and of a leader before it says a word as one") {
  auto run = plan_run(1, short_runs());
  run.plan.clear();
  run.pasts.clear();
  run.world.tells = true;
  const auto told = play(1, run, registers).events;
  const auto rises = std::find_if(told.begin(), told.end(),
                                  [](const trace_event& each) { return each.what == trace_event::kind::rises; });
  REQUIRE(rises != told.end());
  CHECK(std::none_of(told.begin(), rises, [&](const trace_event& each) {
    return each.what == trace_event::kind::sends && each.term == rises->term
        && each.words.find(" append #") != std::string::npos;
  }));
  const auto vote = "term " + std::to_string(rises->term.value()) + ", vote for " + std::to_string(rises->node.value());
  CHECK(std::count_if(
            told.begin(), rises,
            [&](const trace_event& each) { return each.what == trace_event::kind::writes && each.words == vote; })
        > static_cast<std::ptrdiff_t>(run.world.knobs.nodes / 2));
}

TEST_CASE("What a node decides is told as its log says it, right behind the message that made it") {
  std::uint64_t cuts = 0;
  over_seeds(10, [&](std::uint64_t seed) {
    auto run = plan_run(seed, short_runs());
    const auto hash = play(seed, run, registers).hash;
    run.world.tells = true;
    const auto told = play(seed, run, registers);
    REQUIRE(told.violation.value_or("") == "");
    CHECK(told.hash == hash); // Listening changes nothing.
    for (auto logs = told.events.begin(); logs != told.events.end(); ++logs) {
      if (logs->what != trace_event::kind::logs || !logs->words.starts_with("event=log_cut from="))
        continue;
      ++cuts;
      const auto heard = std::find_if(std::reverse_iterator{logs}, told.events.rend(), [&](const trace_event& each) {
        return each.what == trace_event::kind::hears && each.node == logs->node;
      });
      REQUIRE(heard != told.events.rend());
      CHECK(heard->at == logs->at);
      CHECK(heard->words.find("append #") != std::string::npos);
    }
  });
  MESSAGE(cuts << " cuts of logs");
  CHECK(cuts > 0);
}

TEST_CASE("A node that finds a bug in itself, while it plays or while it starts, leaves the output as it was") {
  std::ostringstream said;
  auto* const before = std::cout.rdbuf(said.rdbuf());
  std::vector<std::string> broken;
  for (const auto clients : {clients_of<doubting>, clients_of<despairing>}) {
    auto run = plan_run(1, short_runs());
    broken.push_back(play(1, run, [&](const stage_knobs&) { return clients(); }).violation.value_or("nothing"));
    std::cout << "and";
  }
  CHECK(std::cout.rdbuf(before) == said.rdbuf());
  CHECK(said.str() == "andand"); // CAF's words on an exception are not ours.
  CHECK(broken[0].find("it does not go on") != std::string::npos);
  CHECK(broken[0].starts_with("node "));
  CHECK(broken[1].find("it is in order") != std::string::npos);
}

TEST_CASE("Who starts says in which term it is, and for whom it has voted") {
  auto run = plan_run(1, short_runs());
  run.plan = {fault{fault_kind::crash, 4s, 1s, peer_id{1}, {}, 0, {}, {}}};
  run.pasts.clear();
  run.world.tells = true;
  const auto told = play(1, run, registers);
  REQUIRE(told.violation.value_or("") == "");
  const auto last = [&](trace_event::kind what, std::string_view words) {
    const auto found = std::find_if(told.events.rbegin(), told.events.rend(), [&](const trace_event& each) {
      return each.what == what && each.node == peer_id{1} && each.words.find(words) != std::string::npos;
    });
    return found == told.events.rend() ? std::string{} : found->words;
  };
  const auto vote = last(trace_event::kind::writes, "vote");
  REQUIRE(vote.starts_with("term "));
  CHECK(last(trace_event::kind::starts, "boot 2").find(vote) != std::string::npos);
}

TEST_CASE(
    "A plan of dozens of faults is shrunk to the one or two that matter, and those break the same promise again") {
  const auto clients = [](const stage_knobs&) { return clients_of<forgetful>(); };
  simulation_options options;
  options.faults = short_runs().faults;
  unsigned shown = 0, played = 0;
  over_seeds(10, [&](std::uint64_t seed) {
    const auto run = plan_run(seed, options);
    const auto result = play(seed, run, clients);
    ++played;
    if (!result.violation)
      return; // A seed without snapshots.
    ++shown;
    CHECK(run.plan.size() > 30);
    std::size_t last = run.plan.size();
    unsigned runs = 0;
    const auto found =
        explain(seed, run, result, clients, {true, [&](std::size_t left, std::size_t drawn, unsigned count) {
                                               CHECK(left <= last);
                                               CHECK(drawn == run.plan.size());
                                               CHECK(count == ++runs);
                                               last = left;
                                             }});
    CHECK(last == found.faults);
    INFO("left:\n" << found.plan);
    CHECK(found.comes_again);
    CHECK(found.faults <= 2);
    CHECK(found.faults_drawn == run.plan.size());
    CHECK(found.end_of_story.find("BROKEN") != std::string::npos);
    // What is left was drawn, and befell before the promise broke: the story is short.
    auto small = run;
    small.plan.clear();
    std::istringstream lines{found.plan};
    for (std::string line; std::getline(lines, line);) {
      CHECK(to_string(run.plan).find(line + '\n') != std::string::npos);
      small.plan.push_back(std::get<fault>(parse_fault(line)));
      CHECK(small.plan.back().at <= found.at);
    }
    // It breaks the run as it was planned, not only the shorter one that was looked at while shrinking.
    const auto replayed = play(seed, small, clients);
    REQUIRE(replayed.violation);
    CHECK(kind_of_violation(*replayed.violation) == kind_of_violation(found.violation));
  });
  CHECK((shown > 2 || played < 8));
}

TEST_CASE("What breaks without any fault is shrunk to none, and a plan that cannot be smaller stays as it is") {
  const auto run = plan_run(1, short_runs());
  const auto clients = [](const stage_knobs&) { return clients_of<shared>(); };
  const auto result = play(1, run, clients);
  REQUIRE(result.violation);
  CHECK(shrink(1, run, *result.violation, clients, 100).empty());
  CHECK(shrink(1, run, *result.violation, clients, 0).size() == run.plan.size()); // No run to try anything with.
  unsigned runs = 0;
  const auto counted = [&](const stage_knobs&) {
    ++runs;
    return clients_of<shared>();
  };
  CHECK(shrink(1, run, "another promise", counted, 20).size() == run.plan.size());
  CHECK(runs == 20);
}

TEST_CASE("Violations are of one kind if their words differ in numbers only") {
  CHECK(kind_of_violation("node 4 answers command 342") == kind_of_violation("node 1 answers command 7"));
  CHECK(kind_of_violation("node 4 answers command 342") != kind_of_violation("node 4 applies command 342"));
}

TEST_CASE("The front door plays seeds of a sound state machine to the end, and the same ones the same way") {
  std::uint64_t done = 0;
  auto options = small_play();
  options.seeds = 3;
  options.progress = [&](std::uint64_t seeds) { CHECK(seeds == ++done); };
  const auto outcome = simulate(clients_of<counter>, options);
  CHECK_FALSE(outcome.found);
  CHECK(outcome.seeds == 3);
  CHECK(done == 3);
  CHECK(outcome.answered > 100);
  CHECK(outcome.virtual_seconds > 60);
  CHECK(to_string(outcome).find("seeds=3 violations=0 ") != std::string::npos);
  options.progress = {};
  CHECK(simulate(clients_of<counter>, options).trace == outcome.trace);
  options.first_seed = 2;
  CHECK(simulate(clients_of<counter>, options).trace != outcome.trace);
}

TEST_CASE("The front door finds a load that forgets, and its files say all of it") {
  scratch here;
  auto options = small_play();
  options.directory = here.path;
  const auto outcome = simulate(clients_of<forgetful>, options);
  REQUIRE(outcome.found);
  const auto& found = *outcome.found;
  CHECK(found.comes_again);
  CHECK(outcome.seeds == found.seed);
  CHECK(contents(found.plan_file) == found.plan);
  CHECK(contents(found.story_file) == found.story);
  CHECK(contents(found.diagram_file) == found.diagram);
  CHECK(found.story.find("  " + found.plan) != std::string::npos);
  CHECK(found.diagram.starts_with("<!"));
  const auto words = to_string(outcome);
  CHECK(words.find("violation: seed=" + std::to_string(found.seed) + " at ") == 0);
  for (const auto& file : {found.plan_file, found.story_file, found.diagram_file})
    CHECK(words.find(file) != std::string::npos);
  // The plan, played from its file, breaks it again, and cannot be smaller.
  options.first_seed = found.seed;
  options.seeds = 1;
  options.plan_file = found.plan_file;
  const auto again = simulate(clients_of<forgetful>, options);
  REQUIRE(again.found);
  CHECK(kind_of_violation(again.found->violation) == kind_of_violation(found.violation));
  CHECK(again.found->faults_drawn == found.faults);
  CHECK(again.found->faults == found.faults);
}

TEST_CASE("The front door finds an exception thrown while a command is applied, and says what it said") {
  const auto outcome = simulate(clients_of<fragile>, small_play());
  REQUIRE(outcome.found);
  CHECK(outcome.found->violation.find("ended itself: ") != std::string::npos);
  CHECK(outcome.found->violation.find("fifty is the most") != std::string::npos);
  CHECK(outcome.found->faults == 0);
}

TEST_CASE("The front door finds what nodes share in a process, as far as it differs between them") {
  const auto outcome = simulate(clients_of<shared>, small_play());
  REQUIRE(outcome.found);
  CHECK(outcome.found->violation.find("not deterministic") != std::string::npos);
}

TEST_CASE("A violation that does not come again is said to come from something else than the seed") {
  int runs = 0;
  const auto only_once = [&]() -> std::unique_ptr<workload> {
    return ++runs == 1 ? clients_of<shared>() : clients_of<counter>();
  };
  const auto outcome = simulate(only_once, small_play());
  REQUIRE(outcome.found);
  CHECK_FALSE(outcome.found->comes_again);
  CHECK(to_string(outcome).find("it does not go by its seed alone") != std::string::npos);
}

TEST_CASE("The story of the first seed can be told though nothing is broken") {
  const auto story = tell_first_seed(clients_of<counter>, small_play());
  CHECK(story.find("asks 1: ") != std::string::npos);
  CHECK(story.find("No promise was broken.") != std::string::npos);
}

TEST_CASE("Options that make no sense are refused in words, before anything is played") {
  scratch here;
  std::ofstream{here.path + "/bad.plan"} << "# mine\n\nat 1s crash 1\nat 2s melt 1\n";
  struct row {
    std::function<void(stage_options&)> change;
    std::string words;
  };
  for (const auto& [change, words] :
       {row{[](auto& o) { o.nodes = 10; }, "nodes: at most 9"},
        row{[](auto& o) { o.faults = "fire"; }, "faults: there are no faults called \"fire\""},
        row{[](auto& o) { o.faults_per_second = -1; }, "faults_per_second: "},
        row{[](auto& o) { o.lasts = 0s; }, "lasts: "},
        row{[](auto& o) { o.directory = "/nowhere"; }, "directory: /nowhere is no directory"},
        row{[](auto& o) { o.plan_file = "/nowhere/plan"; }, "plan_file: cannot read the plan /nowhere/plan"},
        row{[&](auto& o) { o.plan_file = here.path + "/bad.plan"; },
            "bad.plan, line 4: there is no fault called \"melt\""}}) {
    auto options = small_play();
    change(options);
    std::string said;
    try {
      (void)simulate([]() -> std::unique_ptr<workload> { throw std::logic_error{"something was played"}; }, options);
    } catch (const std::invalid_argument& refused) {
      said = refused.what();
    }
    CHECK_MESSAGE(said.find(words) != std::string::npos, words << " is not in: " << said);
  }
}

TEST_CASE("The library logs nothing while the stage plays, and as before afterwards") {
  const auto before = logs().level();
  logs().set_level(spdlog::level::info);
  auto level = spdlog::level::info;
  auto options = small_play();
  options.seeds = 1;
  options.progress = [&](std::uint64_t) { level = logs().level(); };
  (void)simulate(clients_of<counter>, options);
  CHECK(level == spdlog::level::off);
  CHECK(logs().level() == spdlog::level::info);
  logs().set_level(before);
}
