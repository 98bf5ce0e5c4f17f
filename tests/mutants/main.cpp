// Wakes one mutant after the other and plays seeds until a promise is broken. See script/mutants.
//
// Each mutant gets a process of its own: some are found by an assertion, which ends it, some make it hang.
#include "actors/logging.hpp"
#include "app/sim/kv_workload.hpp"
#include "app/sim/resp_gate.hpp"
#include "messages/mutant.hpp"
#include "stage/simulation.hpp"
#include "tests/mutants/known_seeds.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace troupe;

/// Real seconds a run may take: most take less than one.
constexpr unsigned patience = 120;
/// Seeds of which each must find the canary.
constexpr std::uint64_t canary_seeds = 20;

struct options {
  std::vector<mutant_row> mutants;
  std::uint64_t seeds = 500;
  bool forgets = false; ///< Begins at seed 1, whatever is known.
};

/// What looking for a mutant came to.
struct outcome {
  std::uint64_t played = 0;
  std::uint64_t broken = 0;
  std::uint64_t seed = 0; ///< The last one.
  double seconds = 0;
  std::string words; ///< Of the promise that was broken; empty if none was.
};

/// As `troupe sim` has them: its --seed and --mutant play the same run.
std::unique_ptr<workload> clients_of(const stage_knobs& knobs) {
  return make_kv_workload(knobs.keys, knobs.read_percent, knobs.value_bytes);
}

/// In a process of its own: plays seeds until one breaks a promise (with the canary, all), and says so line by line.
[[noreturn]] void play_here(mutant awake, const std::vector<std::uint64_t>& seeds) {
  chosen_mutant = awake;
  logs().set_level(spdlog::level::off);
  simulation_options options;
  options.faults = std::get<std::set<fault_kind>>(parse_fault_kinds("all"));
  options.gate = make_resp_gate;
  for (const auto seed : seeds) {
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    ::alarm(patience);
    if (const auto result = play(seed, plan_run(seed, options), clients_of); result.violation) {
      std::printf("broken %s\n", result.violation->c_str());
      if (awake != mutant::canary)
        break;
    }
  }
  std::fflush(stdout);
  std::_Exit(0);
}

/// What a process that ended by itself has left to say.
std::string last_words(int status, const std::string& of_stderr) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return {};
  if (!of_stderr.empty())
    return of_stderr;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    return "a run has no end";
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status)) : "it ended itself";
}

outcome look_for(mutant what, const std::vector<std::uint64_t>& seeds, std::string_view name) {
  const auto began = std::chrono::steady_clock::now();
  int ends[2];
  if (::pipe(ends) != 0)
    std::abort();
  const auto child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    play_here(what, seeds);
  }
  ::close(ends[1]);
  outcome found;
  std::string others;
  auto* lines = ::fdopen(ends[0], "r");
  char* text = nullptr;
  std::size_t room = 0;
  const bool shows = ::isatty(STDERR_FILENO) != 0;
  for (ssize_t size = 0; (size = ::getline(&text, &room, lines)) > 0;) {
    std::string line(text, static_cast<std::size_t>(size) - (text[size - 1] == '\n' ? 1 : 0));
    if (line.starts_with("seed ")) {
      found.seed = std::strtoull(line.c_str() + 5, nullptr, 10);
      ++found.played;
      if (shows)
        std::fprintf(stderr, "\r%-8.*s seed %llu (%llu)   ", static_cast<int>(name.size()), name.data(),
                     static_cast<unsigned long long>(found.seed), static_cast<unsigned long long>(found.played));
    } else if (line.starts_with("broken ")) {
      found.words = line.substr(7);
      ++found.broken;
    } else if (!line.empty()) {
      others = line;
    }
  }
  std::free(text);
  std::fclose(lines);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (found.words.empty())
    found.words = last_words(status, others);
  found.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (shows)
    std::fprintf(stderr, "\r%40s\r", "");
  return found;
}

std::vector<std::uint64_t> seeds_for(mutant what, const options& chosen) {
  std::vector<std::uint64_t> seeds;
  const auto most = what == mutant::canary ? canary_seeds : chosen.seeds;
  if (!chosen.forgets)
    for (const auto& known : known_seeds)
      if (known.what == what)
        seeds.push_back(known.seed);
  for (std::uint64_t seed = 1; seeds.size() < most; ++seed)
    if (std::find(seeds.begin(), seeds.end(), seed) == seeds.end())
      seeds.push_back(seed);
  return seeds;
}

/// The first part, on one line of a table.
std::string shortened(const std::string& words) {
  constexpr std::size_t most = 110;
  return words.size() <= most ? words : words.substr(0, most - 3).append("...");
}

[[noreturn]] void refuse(const std::string& words) {
  std::fprintf(stderr, "mutants: %s\nusage: script/mutants [NAME...] [--seeds N] [--from-1] [--list]\n", words.c_str());
  std::exit(2);
}

options read(int argc, char** argv) {
  options chosen;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word{argv[i]};
    if (word == "--seeds" && i + 1 < argc) {
      chosen.seeds = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--from-1") {
      chosen.forgets = true;
    } else if (word == "--list") {
      for (const auto& row : all_mutants())
        std::printf("%-8s %s (%s)\n", row.name.data(), row.does.data(), row.of.data());
      std::exit(0);
    } else {
      const auto all = all_mutants();
      const auto row = std::find_if(all.begin(), all.end(), [&](const mutant_row& each) { return each.name == word; });
      if (row == all.end())
        refuse("there is no mutant called " + std::string{word} + " (--list names them)");
      chosen.mutants.push_back(*row);
    }
  }
  if (chosen.seeds == 0)
    refuse("--seeds needs a number");
  if (chosen.mutants.empty())
    chosen.mutants.assign(all_mutants().begin(), all_mutants().end());
  return chosen;
}

} // namespace

int main(int argc, char** argv) {
  const auto chosen = read(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("%-8s %5s %5s %6s  %s\n", "mutant", "seed", "seeds", "s", "what is broken, and how it was found");
  std::size_t survivors = 0;
  std::set<std::uint64_t> deadly;
  for (const auto& row : chosen.mutants) {
    const auto found = look_for(row.what, seeds_for(row.what, chosen), row.name);
    const bool survives = found.words.empty() || (row.what == mutant::canary && found.broken < found.played);
    survivors += survives ? 1 : 0;
    if (!survives)
      deadly.insert(found.seed);
    std::printf("%-8s %5s %5llu %6.1f  %s\n%28s%s\n", row.name.data(),
                survives ? "-" : std::to_string(found.seed).c_str(), static_cast<unsigned long long>(found.played),
                found.seconds, row.does.data(), "", survives ? "SURVIVES" : shortened(found.words).c_str());
  }
  const auto clean = look_for(mutant::none, {deadly.begin(), deadly.end()}, "none");
  std::printf("%-8s %5s %5llu %6.1f  the same seeds with all of them asleep\n%28s%s\n", "none",
              clean.words.empty() ? "-" : std::to_string(clean.seed).c_str(),
              static_cast<unsigned long long>(clean.played), clean.seconds, "",
              clean.words.empty() ? "nothing is broken" : shortened(clean.words).c_str());
  std::printf("mutants=%zu found=%zu survived=%zu clean_seeds=%zu clean_violations=%d\n", chosen.mutants.size(),
              chosen.mutants.size() - survivors, survivors, deadly.size(), clean.words.empty() ? 0 : 1);
  return survivors == 0 && clean.words.empty() ? 0 : 1;
}
