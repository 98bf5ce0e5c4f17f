#include "app/sim/sim_command.hpp"

#include "actors/logging.hpp"
#include "app/sim/bench.hpp"
#include "app/sim/kv_workload.hpp"
#include "app/sim/prepared_command.hpp"
#include "app/sim/progress.hpp"
#include "app/sim/resp_gate.hpp"
#include "app/sim/scenario_command.hpp"
#include "messages/mutant.hpp"
#include "stage/finding.hpp"
#include "stage/simulation.hpp"

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

namespace {

/// In the summary of those that break the same promise.
constexpr std::size_t most_seeds_named = 20;

early_end wrong(const std::string& words) {
  return {exit_code::usage, "troupe sim: " + words + "\nSee troupe sim --help\n"};
}

exit_code refuse(const early_end& why) {
  std::cerr << why.text;
  return why.code;
}

std::unique_ptr<workload> clients_of(const stage_knobs& knobs) {
  return make_kv_workload(knobs.keys, knobs.read_percent, knobs.value_bytes);
}

std::size_t print_coverage(const coverage& marks) {
  std::size_t never = 0;
  for (std::size_t i = 0; i < sometimes_count; ++i) {
    const auto mark = static_cast<sometimes>(i);
    std::printf("%10" PRIu64 "  %s%s\n", marks.of(mark), std::string{name_of(mark)}.c_str(),
                marks.of(mark) == 0 ? "   <- never" : "");
    never += marks.of(mark) == 0 ? 1 : 0;
  }
  return never;
}

/// What is wrong with a mutant that is asked for; nothing once it is awake.
std::optional<std::string> wake(const std::string& mutant) {
#ifdef TROUPE_MUTANTS
  if (wake_mutant(mutant))
    return std::nullopt;
  std::string names;
  for (const auto& each : all_mutants())
    names += (names.empty() ? "" : ", ") + std::string{each.name};
  return "there is no mutant called " + mutant + "; there are: " + names;
#else
  return mutant + " is not in this program: only the preset `mutants` builds bugs in (script/mutants)";
#endif
}

class simulation {
public:
  simulation(const sim_settings& settings, simulation_options options, std::optional<fault_plan> plan)
      : settings_{settings}, options_{std::move(options)}, plan_{std::move(plan)}, progress_{settings.seeds,
                                                                                             settings.quiet} {}

  exit_code run() {
    for (std::uint64_t i = 0; i < settings_.seeds; ++i)
      play_seed(settings_.seed + i);
    progress_.clear();
    sum_up_failures();
    const auto never = settings_.coverage ? print_coverage(marks_) : 0;
    if (!settings_.quiet)
      std::printf("%" PRIu64 " operations answered, %" PRIu64 " refused, %" PRIu64
                  " uncertain; %.0f x real time, %.0f messages/s\n",
                  operations_.answered, operations_.refused, operations_.uncertain,
                  virtual_seconds_ / progress_.real_seconds(), static_cast<double>(steps_) / progress_.real_seconds());
    std::printf("seeds=%" PRIu64 " violations=%" PRIu64 " virtual_s=%.0f trace=%016" PRIx64 "\n", settings_.seeds,
                violations_, virtual_seconds_, hash_);
    return violations_ == 0 && never == 0 ? exit_code::ok : exit_code::failed;
  }

private:
  void play_seed(std::uint64_t seed) {
    auto run = plan_run(seed, options_);
    if (plan_)
      run.plan = *plan_;
    if (settings_.tells)
      std::cout << tell_run(seed, run, clients_of);
    const auto result = play(seed, run, clients_of);
    virtual_seconds_ += std::chrono::duration<double>(result.virtual_time).count();
    steps_ += result.steps;
    hash_ = add_trace(hash_, result.hash);
    marks_.add(result.marks);
    operations_.answered += result.operations.answered;
    operations_.refused += result.operations.refused;
    operations_.uncertain += result.operations.uncertain;
    if (result.violation) {
      ++violations_;
      progress_.clear();
      std::cout << headline(seed, result.virtual_time, *result.violation) << std::endl;
      take_failure(seed, run, result);
    }
    progress_.show(seed - settings_.seed + 1, virtual_seconds_, steps_, violations_);
  }

  /// Seeds that break the same promise, told once: by the first.
  struct failure {
    std::string words; ///< Of the first.
    std::vector<std::uint64_t> seeds;
    std::uint64_t soonest = 0; ///< The seed that broke it soonest,
    duration broke_at{};       ///< and when.
  };

  void take_failure(std::uint64_t seed, const run_options& run, const run_result& result) {
    const auto kind = kind_of_violation(*result.violation);
    const auto [found, is_new] = failures_.try_emplace(kind, failure{*result.violation, {}, seed, result.virtual_time});
    auto& same = found->second;
    same.seeds.push_back(seed);
    if (result.virtual_time < same.broke_at) {
      same.soonest = seed;
      same.broke_at = result.virtual_time;
    }
    if (settings_.tells)
      return;
    if (is_new)
      show(seed, run, result);
    else
      std::cout << "          like seed " << same.seeds.front() << "; `--seed " << seed << "` alone tells it\n\n";
  }

  /// Which promises were broken, and by which seeds.
  void sum_up_failures() const {
    if (violations_ < 2)
      return;
    std::cout << failures_.size() << (failures_.size() == 1 ? " promise" : " promises") << " broken:\n";
    for (const auto& [kind, same] : failures_) {
      std::cout << "  " << same.words << "\n    " << same.seeds.size()
                << (same.seeds.size() == 1 ? " seed:" : " seeds:");
      for (std::size_t i = 0; i < same.seeds.size() && i < most_seeds_named; ++i)
        std::cout << ' ' << same.seeds[i];
      if (same.seeds.size() > most_seeds_named)
        std::cout << " and " << same.seeds.size() - most_seeds_named << " more";
      if (same.seeds.size() > 1)
        std::cout << "; soonest by seed " << same.soonest;
      std::cout << '\n';
    }
    std::cout << '\n';
  }

  void show(std::uint64_t seed, const run_options& run, const run_result& result) {
    auto found = explain(seed, run, result, clients_of,
                         {!settings_.no_shrink, [&](std::size_t left, std::size_t drawn, unsigned runs) {
                            progress_.show_shrinking(seed, left, drawn, runs);
                          }});
    progress_.clear();
    if (const auto trouble = write_files(found, settings_.out))
      std::cerr << "troupe sim: " << *trouble << '\n';
    std::cout << to_string(found) << "again     troupe sim --seed " << seed << " --peers " << run.world.knobs.nodes
              << " --hours " << std::chrono::duration<double>(run.lasts).count() << 's'
              << (settings_.plain_knobs ? " --knobs plain" : "")
              << (found.plan_file.empty() ? "" : " --plan " + found.plan_file)
              << (settings_.mutant.empty() ? "" : " --mutant " + settings_.mutant) << "\n\n";
  }

  const sim_settings& settings_;
  simulation_options options_;
  std::optional<fault_plan> plan_;
  sim_progress progress_;
  double virtual_seconds_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t violations_ = 0;
  std::map<std::string, failure> failures_; ///< By what is the same about them.
  std::uint64_t hash_ = 0;
  coverage marks_;
  operation_tally operations_;
};

prepared_command prepare_simulation(const sim_settings& settings) {
  simulation_options options;
  options.nodes = settings.peers;
  options.lasts = std::chrono::milliseconds{settings.milliseconds};
  options.faults_per_second = settings.rate;
  options.plain_knobs = settings.plain_knobs;
  options.gate = make_resp_gate;
  auto kinds = parse_fault_kinds(settings.faults);
  if (const auto* words = std::get_if<std::string>(&kinds))
    return wrong("--faults: " + *words);
  options.faults = std::get<std::set<fault_kind>>(std::move(kinds));
  std::optional<fault_plan> plan;
  if (!settings.plan.empty()) {
    auto read = read_faults(settings.plan);
    if (const auto* words = std::get_if<std::string>(&read))
      return wrong("--plan: " + *words);
    plan = std::get<fault_plan>(std::move(read));
  }
  return [&settings, options, plan] { return simulation{settings, options, plan}.run(); };
}

} // namespace

exit_code run_sim(const sim_settings& settings) {
  if (const auto words = settings.mutant.empty() ? std::nullopt : wake(settings.mutant))
    return refuse(wrong("--mutant: " + *words));
  logs().set_level(spdlog::level::off); // Everything that happens is in the story.
  if (settings.bench) {
    bench_stage();
    return exit_code::ok;
  }
  const auto prepared = settings.scenario.empty() ? prepare_simulation(settings) : prepare_scenario(settings);
  if (const auto* refused = std::get_if<early_end>(&prepared))
    return refuse(*refused);
  std::error_code trouble;
  std::filesystem::create_directories(settings.out, trouble); // Last: who is refused leaves nothing behind.
  if (trouble)
    return refuse(wrong("--out: cannot make " + settings.out + ": " + trouble.message()));
  return std::get<play_command>(prepared)();
}

} // namespace troupe
