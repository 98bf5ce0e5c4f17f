#include "app/sim/report.hpp"

#include "stage/diagram.hpp"
#include "stage/story.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <unistd.h>

namespace troupe {

namespace {

/// Shrinking plays no more runs than this: most plans are small after a hundred.
constexpr unsigned most_runs = 300;
/// Lines of a story that a terminal gets.
constexpr std::size_t told_lines = 60;

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  if (!file.flush())
    std::cerr << "troupe sim: cannot write " << path << '\n';
}

run_result play_in_words(std::uint64_t seed, run_options run, const workload_maker& clients) {
  run.world.tells = true;
  return play(seed, run, clients);
}

std::string in_seconds(duration span) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", std::chrono::duration<double>(span).count());
  return text;
}

fault_plan smaller_plan(std::uint64_t seed, const run_options& run, const std::string& violation,
                        const workload_maker& clients) {
  const bool shows = ::isatty(STDERR_FILENO) != 0;
  const auto plan = shrink(seed, run, violation, clients, most_runs, [&](std::size_t left) {
    if (shows)
      std::fprintf(stderr, "\rsmaller plans: %zu of %zu faults left ", left, run.plan.size());
  });
  if (shows)
    std::fprintf(stderr, "\r%60s\r", "");
  return plan;
}

} // namespace

std::vector<std::string> heading_of(std::uint64_t seed, const run_options& run) {
  std::vector<std::string> lines{"seed " + std::to_string(seed), to_string(run.world.knobs)};
  lines.push_back(run.plan.empty() ? "nothing went wrong from outside" : "what went wrong:");
  for (const auto& f : run.plan)
    lines.push_back("  " + to_string(f));
  return lines;
}

void report_violation(std::uint64_t seed, const run_options& run, const std::string& violation,
                      const workload_maker& clients, const sim_settings& settings) {
  auto small = run;
  if (!settings.no_shrink)
    small.plan = smaller_plan(seed, run, violation, clients);
  auto told = play_in_words(seed, small, clients);
  if (!told.violation) { // A run that is not the same when it is played again is a bug of the stage.
    std::cout << "  played again, seed " << seed << " broke nothing: the stage is not deterministic\n";
    return;
  }
  const auto name = settings.out + "/troupe-sim-" + std::to_string(seed);
  write_file(name + ".plan", to_string(small.plan));
  story_options story;
  story.heading = heading_of(seed, small);
  write_file(name + ".txt", tell(told.events, story));
  diagram_options diagram;
  diagram.title = "seed " + std::to_string(seed) + ": " + *told.violation;
  diagram.heading = story.heading;
  write_file(name + ".html", draw(told.events, diagram));

  story.last = told_lines;
  std::cout << tell(told.events, story) << '\n'
            << "plan      " << name << ".plan (" << small.plan.size() << " faults of " << run.plan.size() << ")\n"
            << "story     " << name << ".txt\n"
            << "diagram   " << name << ".html (open it in a browser)\n"
            << "again     troupe sim --seed " << seed << " --peers " << small.world.knobs.nodes << " --hours "
            << std::chrono::duration_cast<std::chrono::seconds>(small.lasts).count() << 's'
            << (settings.plain_knobs ? " --knobs plain" : "") << " --plan " << name << ".plan"
            << (settings.mutant.empty() ? "" : " --mutant " + settings.mutant) << "\n\n";
}

void tell_run(std::uint64_t seed, const run_options& run, const workload_maker& clients) {
  const auto told = play_in_words(seed, run, clients);
  story_options story;
  story.heading = heading_of(seed, run);
  std::cout << tell(told.events, story);
}

} // namespace troupe
