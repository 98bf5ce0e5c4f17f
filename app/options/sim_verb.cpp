#include "app/options/sim_verb.hpp"

#include "app/options/nearest.hpp"
#include "app/options/shown.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace troupe {

namespace {

constexpr std::string_view about =
    R"(troupe sim - play whole clusters on a virtual clock, with everything going wrong, and judge them

usage: troupe sim [--seeds N] [--seed N] [--hours H] [--peers N] [--faults KINDS] ...

A run is a cluster of the very actors, logs and recovery that `troupe node` runs, with clients, over a simulated network and
simulated disks, in one thread. One seed decides everything: bounds and timeouts, who is heard when, what goes wrong. In the
first phase anything may go wrong and no promise may be broken; in the second a connected quorum is healed, the rest is left
as broken as it is, and the quorum must elect, serve and agree in time.

what to play
  --seed N          the first seed; alone: only that one (default 1)
  --seeds N         so many seeds, counted up (default 100)
  --hours H         virtual time of the first phase, per seed, such as 0.5 or 10s or 5m (default 60s)
  --peers N         nodes, 1 to 9 (default: 3 or 5, by the seed)
  --faults KINDS    what may go wrong, separated by commas (default all): all, none, network, processes, disks, or
                    crash, pause, cut, isolate, split, network, way, stall, slow-disk, fail-sync, lie, fill, rot, wipe,
                    back-up, put-back, slow-apply
  --rate R          faults per second (default 1.5)
  --knobs WORD      drawn: every bound and timeout by chance, small ones included; plain: the defaults of `troupe node`
                    (default drawn)
  --plan FILE       these faults, a line each, instead of drawn ones
  --scenario FILE   a hand-written story instead (docs/scenarios.md; many in stage/scenarios), with the seed it names, or
                    --seed and --seeds
  --mutant NAME     with this bug built in, in a build of the preset mutants (script/mutants --list)

what to say
  --out DIR         where the plan, the story and the diagram of a run that broke a promise are written; made if it is
                    not there (default .)
  --tell            tell the story of the run even if nothing was broken (one seed)
  --no-shrink       do not look for a smaller plan that breaks the same promise
  --coverage        list how often each rare state was met; exit 1 if one never was
  --quiet           only the last line, and what was broken
  --bench           how much faster than real time: idle, and at 50 operations per second

Ends with one line: seeds=N violations=N virtual_s=N trace=HASH. The hash is of everything that happened: equal for equal
command lines and programs.

exit codes
  0  nothing was broken
  1  a promise was broken, or (--coverage) a rare state never met
  2  usage

examples
  troupe sim
  troupe sim --seeds 1000 --hours 0.1 --peers 5 --faults network,crash
  troupe sim --seed 42 --tell | less
  troupe sim --seed 42 --plan ./troupe-sim-42.plan
)";

early_end wrong(const std::string& words) {
  return {exit_code::usage, "troupe sim: " + words + "\nSee troupe sim --help\n"};
}

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames())
      names.push_back("--" + name);
  return names;
}

/// Hours as a number, or a span with its unit, in milliseconds.
std::optional<std::uint64_t> milliseconds_of(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  const auto unit = text.substr(used);
  const double each = unit.empty() || unit == "h" ? 3'600'000 : unit == "m" ? 60'000 : unit == "s" ? 1000 : 0;
  if (each == 0 || !(value > 0) || value * each > 1e12)
    return std::nullopt;
  return static_cast<std::uint64_t>(value * each);
}

} // namespace

std::variant<program_options, early_end> parse_sim(const std::vector<std::string>& arguments) {
  sim_settings settings;
  CLI::App app;
  app.set_help_flag();
  bool help = false;
  std::string hours = "60s";
  std::string knobs = "drawn";
  app.add_flag("--help,-h", help);
  // CLI11 would count down from the largest number.
  const auto counts_up = [](const std::string& text) {
    return text.starts_with('-') ? shown(text) + " is not a whole number from 0" : std::string{};
  };
  auto* seed = app.add_option("--seed", settings.seed)->check(counts_up);
  auto* seeds = app.add_option("--seeds", settings.seeds)->check(counts_up);
  app.add_option("--hours", hours);
  app.add_option("--peers", settings.peers)->check(counts_up);
  app.add_option("--faults", settings.faults);
  app.add_option("--rate", settings.rate);
  app.add_option("--knobs", knobs);
  auto* plan = app.add_option("--plan", settings.plan);
  auto* scenario = app.add_option("--scenario", settings.scenario);
  app.add_option("--out", settings.out);
  app.add_option("--mutant", settings.mutant);
  app.add_flag("--tell", settings.tells);
  app.add_flag("--no-shrink", settings.no_shrink);
  app.add_flag("--coverage", settings.coverage);
  app.add_flag("--quiet", settings.quiet);
  app.add_flag("--bench", settings.bench);
  try {
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()}); // CLI11 takes them from the back.
  } catch (const CLI::ExtrasError&) {
    for (const auto& word : app.remaining()) {
      if (!word.starts_with("-"))
        return wrong(shown(word) + " stands alone: every value belongs to a flag");
      const auto near = nearest(word, names_of(app));
      return wrong(shown(word) + ": no such flag"
                   + (near && near->is_close ? "; did you mean " + near->name + "?" : ""));
    }
    return wrong("words that belong to no flag");
  } catch (const CLI::ParseError& failure) {
    return wrong(failure.what());
  }
  if (help)
    return early_end{exit_code::ok, std::string{about}};
  if (seed->count() > 0 && seeds->count() == 0)
    settings.seeds = 1;
  if (scenario->count() > 0 && seed->count() == 0)
    settings.seed = 0; // The story's own.
  if (scenario->count() > 0 && seeds->count() == 0)
    settings.seeds = 1;
  if (settings.seeds == 0)
    return wrong("--seeds: 0 seeds show nothing; give at least 1");
  const auto span = milliseconds_of(hours);
  if (!span)
    return wrong("--hours: " + shown(hours) + " is no virtual time; give hours (0.5) or a span (30s, 5m, 2h)");
  settings.milliseconds = *span;
  if (settings.peers > 9)
    return wrong("--peers: at most 9 nodes fit on the stage");
  if (!(settings.rate >= 0 && settings.rate <= 1000))
    return wrong("--rate: faults per second, from 0 to 1000");
  if (knobs != "drawn" && knobs != "plain")
    return wrong("--knobs: " + shown(knobs) + " is neither drawn nor plain");
  settings.plain_knobs = knobs == "plain";
  if (plan->count() > 0 && scenario->count() > 0)
    return wrong("--plan and --scenario: give one of them");
  if (settings.tells && settings.seeds != 1)
    return wrong("--tell: the story of one run is long enough; give one --seed");
  return program_options{std::move(settings)};
}

} // namespace troupe
