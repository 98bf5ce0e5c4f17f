#include "stage/finding.hpp"

#include "stage/diagram.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <tuple>
#include <utility>

namespace troupe {

namespace {

/// Shrinking plays no more runs than this: most plans are small after a hundred.
constexpr unsigned most_runs = 300;

run_result play_in_words(std::uint64_t seed, run_options run, const workload_maker& clients) {
  run.world.tells = true;
  return play(seed, run, clients);
}

/// The same run, ended some time after the promise was broken: what was to befall later has no part in it. With fewer
/// faults it may break a little later; one that breaks it much later has a longer story.
run_options until_it_broke(run_options run, const run_result& result) {
  const auto broke = result.virtual_time;
  if (broke >= run.lasts)
    return run;
  std::erase_if(run.plan, [&](const fault& f) { return f.at > broke; });
  run.lasts = std::min<duration>(run.lasts, 2 * broke);
  run.demands_liveness = false;
  return run;
}

} // namespace

stage_finding explain(std::uint64_t seed, const run_options& run, const run_result& result,
                      const workload_maker& clients, const finding_options& options) {
  stage_finding found;
  found.seed = seed;
  found.violation = result.violation.value_or("");
  found.at = result.virtual_time;
  found.faults_drawn = run.plan.size();
  auto small = run;
  if (options.shrinks)
    small.plan = shrink(seed, until_it_broke(run, result), found.violation, clients, most_runs,
                        [&](std::size_t left, unsigned runs) {
                          if (options.progress)
                            options.progress(left, run.plan.size(), runs);
                        });
  found.plan = to_string(small.plan);
  found.faults = small.plan.size();
  const auto told = play_in_words(seed, small, clients);
  found.comes_again = told.violation && kind_of_violation(*told.violation) == kind_of_violation(found.violation);
  found.told_violation = told.violation.value_or("nothing broke");
  found.told_at = told.virtual_time;
  auto story = story_of(told, heading_of(seed, small));
  found.story = tell(told.events, story);
  diagram_options diagram;
  diagram.title = "seed " + std::to_string(seed) + ": " + told.violation.value_or("nothing broken");
  diagram.heading = story.heading;
  found.diagram = draw(told.events, diagram);
  story.last = lines_for_a_terminal;
  found.end_of_story = tell(told.events, story);
  return found;
}

std::optional<std::string> write_files(stage_finding& found, const std::string& directory) {
  const auto name = directory + "/troupe-sim-" + std::to_string(found.seed);
  const auto write = [](const std::string& path, const std::string& text) {
    std::ofstream file{path, std::ios::binary};
    file << text;
    return static_cast<bool>(file.flush());
  };
  for (const auto& [path, ending, text] :
       {std::tuple{&found.plan_file, ".plan", &found.plan}, std::tuple{&found.story_file, ".txt", &found.story},
        std::tuple{&found.diagram_file, ".html", &found.diagram}}) {
    errno = 0;
    if (!write(name + ending, *text))
      return "cannot write " + name + ending + ": " + std::strerror(errno);
    *path = name + ending;
  }
  return std::nullopt;
}

std::string headline(std::uint64_t seed, duration at, const std::string& violation) {
  char text[64];
  std::snprintf(text, sizeof text, "violation: seed=%llu at %.3f s: ", static_cast<unsigned long long>(seed),
                std::chrono::duration<double>(at).count());
  return text + violation;
}

std::string to_string(const stage_finding& found) {
  std::string text;
  if (found.told_violation != found.violation || found.told_at != found.at)
    text += "told is a run with " + std::to_string(found.faults) + " of its " + std::to_string(found.faults_drawn)
        + " faults, which ends at " + to_text(std::chrono::duration_cast<std::chrono::milliseconds>(found.told_at))
        + ": " + found.told_violation + '\n';
  text += found.end_of_story + '\n';
  if (!found.comes_again)
    text += "Played again, the run did not end like this: it does not go by its seed alone. Look for a clock, for\n"
            "randomness, for addresses, and for what outlives a run.\n\n";
  if (!found.plan_file.empty())
    text += "plan      " + found.plan_file + " (" + std::to_string(found.faults) + " faults of "
        + std::to_string(found.faults_drawn) + ")\n";
  if (!found.story_file.empty())
    text += "story     " + found.story_file + '\n';
  if (!found.diagram_file.empty())
    text += "diagram   " + found.diagram_file + " (open it in a browser)\n";
  return text;
}

std::vector<std::string> heading_of(std::uint64_t seed, const run_options& run) {
  std::vector<std::string> lines{"seed " + std::to_string(seed), to_string(run.world.knobs)};
  lines.push_back(run.plan.empty() ? "nothing went wrong from outside" : "what went wrong:");
  for (const auto& f : run.plan)
    lines.push_back("  " + to_string(f));
  return lines;
}

story_options story_of(const run_result& told, std::vector<std::string> heading) {
  story_options story;
  story.heading = std::move(heading);
  story.details = told.details;
  story.standings = to_table(told.standings);
  return story;
}

std::string tell_run(std::uint64_t seed, const run_options& run, const workload_maker& clients) {
  const auto told = play_in_words(seed, run, clients);
  return tell(told.events, story_of(told, heading_of(seed, run)));
}

} // namespace troupe
