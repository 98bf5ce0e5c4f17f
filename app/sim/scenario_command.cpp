#include "app/sim/scenario_command.hpp"

#include "stage/diagram.hpp"
#include "stage/finding.hpp"
#include "stage/scenario.hpp"

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace troupe {

namespace {

std::vector<std::string> heading(const std::string& name, std::uint64_t seed) {
  return {"scenario " + name, "seed " + std::to_string(seed)};
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  if (!file.flush())
    std::cerr << "troupe sim: cannot write " << path << '\n';
}

void show(const std::string& name, std::uint64_t seed, const run_result& told, const std::string& directory) {
  auto story = story_of(told, heading(name, seed));
  diagram_options diagram;
  diagram.title = name + ", seed " + std::to_string(seed);
  diagram.heading = story.heading;
  const auto path = directory + "/" + std::filesystem::path{name}.stem().string() + "-" + std::to_string(seed);
  write_file(path + ".txt", tell(told.events, story));
  write_file(path + ".html", draw(told.events, diagram));
  story.last = lines_for_a_terminal;
  std::cout << tell(told.events, story) << "story     " << path << ".txt\ndiagram   " << path
            << ".html (open it in a browser)\n";
}

exit_code play_story(const scenario& story, const sim_settings& settings) {
  const auto first = settings.seed != 0 ? settings.seed : story.seed.value_or(1);
  std::uint64_t violations = 0;
  std::uint64_t hash = 0;
  double virtual_seconds = 0;
  for (auto seed = first; seed < first + settings.seeds; ++seed) {
    const auto result = play_scenario(story, seed, settings.tells);
    virtual_seconds += std::chrono::duration<double>(result.virtual_time).count();
    hash = add_trace(hash, result.hash);
    if (settings.tells)
      std::cout << tell(result.events, story_of(result, heading(settings.scenario, seed)));
    if (!result.violation)
      continue;
    ++violations;
    std::cout << headline(seed, result.virtual_time, *result.violation) << '\n';
    if (!settings.tells)
      show(settings.scenario, seed, play_scenario(story, seed, true), settings.out);
  }
  std::printf("seeds=%" PRIu64 " violations=%" PRIu64 " virtual_s=%.0f trace=%016" PRIx64 "\n", settings.seeds,
              violations, virtual_seconds, hash);
  return violations == 0 ? exit_code::ok : exit_code::failed;
}

} // namespace

prepared_command prepare_scenario(const sim_settings& settings) {
  std::ifstream file{settings.scenario, std::ios::binary};
  if (!file)
    return early_end{exit_code::usage,
                     "troupe sim: --scenario: cannot read " + settings.scenario + "\nSee troupe sim --help\n"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto parsed = parse_scenario(text, settings.scenario);
  if (const auto* wrong = std::get_if<scenario_error>(&parsed))
    return early_end{exit_code::usage, "troupe sim: " + to_string(*wrong) + "\nSee docs/scenarios.md\n"};
  return [&settings, story = std::get<scenario>(std::move(parsed))] { return play_story(story, settings); };
}

} // namespace troupe
