// The stage's front door: troupe/stage.hpp.
#include "troupe/stage.hpp"

#include "actors/logging.hpp"
#include "stage/finding.hpp"

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace troupe {

namespace {

using maker = std::function<std::unique_ptr<workload>()>;

/// Nobody logs while this lives.
class silence {
public:
  silence() { logs().set_level(spdlog::level::off); }
  ~silence() { logs().set_level(before_); }
  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;

private:
  spdlog::level::level_enum before_ = logs().level();
};

[[noreturn]] void refuse(const std::string& words) {
  throw std::invalid_argument{"stage_options: " + words};
}

/// Makes runs of seeds.
class casting {
public:
  explicit casting(const stage_options& options) {
    if (options.nodes > 9)
      refuse("nodes: at most 9 fit on the stage");
    if (!(options.faults_per_second >= 0 && options.faults_per_second <= 1000))
      refuse("faults_per_second: from 0 to 1000");
    if (options.lasts <= duration::zero())
      refuse("lasts: some time must pass");
    if (!options.directory.empty() && !std::filesystem::is_directory(options.directory))
      refuse("directory: " + options.directory + " is no directory");
    simulation_.nodes = options.nodes;
    simulation_.lasts = options.lasts;
    simulation_.faults_per_second = options.faults_per_second;
    simulation_.plain_knobs = options.plain_knobs;
    auto kinds = parse_fault_kinds(options.faults);
    if (const auto* words = std::get_if<std::string>(&kinds))
      refuse("faults: " + *words);
    simulation_.faults = std::get<std::set<fault_kind>>(std::move(kinds));
    if (options.plan_file.empty())
      return;
    auto plan = read_faults(options.plan_file);
    if (const auto* words = std::get_if<std::string>(&plan))
      refuse("plan_file: " + *words);
    plan_ = std::get<fault_plan>(std::move(plan));
  }

  [[nodiscard]] run_options run_of(std::uint64_t seed) const {
    auto run = plan_run(seed, simulation_);
    if (plan_)
      run.plan = *plan_;
    return run;
  }

private:
  simulation_options simulation_;
  std::optional<fault_plan> plan_;
};

workload_maker whatever_the_knobs(const maker& clients) {
  return [&clients](const stage_knobs&) { return clients(); };
}

} // namespace

stage_outcome simulate(const maker& clients, const stage_options& options) {
  const silence hush;
  const casting cast{options};
  const auto make = whatever_the_knobs(clients);
  stage_outcome outcome;
  while (outcome.seeds < options.seeds && !outcome.found) {
    const auto seed = options.first_seed + outcome.seeds++;
    const auto run = cast.run_of(seed);
    const auto result = play(seed, run, make);
    outcome.virtual_seconds += std::chrono::duration<double>(result.virtual_time).count();
    outcome.answered += result.operations.answered;
    outcome.refused += result.operations.refused;
    outcome.uncertain += result.operations.uncertain;
    outcome.trace = add_trace(outcome.trace, result.hash);
    if (result.violation) {
      outcome.found = explain(seed, run, result, make, {options.shrinks, {}});
      if (!options.directory.empty())
        if (const auto trouble = write_files(*outcome.found, options.directory))
          throw std::runtime_error{*trouble};
    }
    if (options.progress)
      options.progress(outcome.seeds);
  }
  return outcome;
}

std::string to_string(const stage_outcome& outcome) {
  std::string text;
  if (const auto& found = outcome.found) {
    text += headline(found->seed, found->at, found->violation) + '\n' + to_string(*found)
        + "again     first_seed = " + std::to_string(found->seed);
    text += found->plan_file.empty() ? "\n\n" : ", plan_file = \"" + found->plan_file + "\"\n\n";
  }
  char line[256];
  std::snprintf(line, sizeof line,
                "%llu operations answered, %llu refused, %llu uncertain\n"
                "seeds=%llu violations=%d virtual_s=%.0f trace=%016llx\n",
                static_cast<unsigned long long>(outcome.answered), static_cast<unsigned long long>(outcome.refused),
                static_cast<unsigned long long>(outcome.uncertain), static_cast<unsigned long long>(outcome.seeds),
                outcome.found ? 1 : 0, outcome.virtual_seconds, static_cast<unsigned long long>(outcome.trace));
  return text + line;
}

std::string tell_first_seed(const maker& clients, const stage_options& options) {
  const silence hush;
  const casting cast{options};
  return tell_run(options.first_seed, cast.run_of(options.first_seed), whatever_the_knobs(clients));
}

} // namespace troupe
