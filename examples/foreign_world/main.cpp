// A world that is not Troupe's: the simulator and the tests of somebody's course, with Troupe's peers living in it.
#include "guest/guest.hpp"
#include "world/play.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace {

int explain() {
  std::fputs("usage: foreign_world [--scenario NUMBER] [--seed N] [--at-a-time N]    plays one scenario, or all\n"
             "       foreign_world --list                                           names them\n"
             "       foreign_world conformance [--seed N]                           checks the blob store\n",
             stderr);
  return 2;
}

int list() {
  for (const auto& each : world::scenarios())
    std::printf("%s %s\n", each.number.c_str(), each.title.c_str());
  return 0;
}

int play_named(const std::string& number, std::uint64_t seed) {
  const auto all = world::scenarios();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.number == number; });
  if (found == all.end()) {
    std::fprintf(stderr, "foreign_world: there is no scenario %s; --list names them\n", number.c_str());
    return 2;
  }
  return world::play(*found, seed);
}

} // namespace

int main(int argc, char** argv) try {
  std::signal(SIGPIPE, SIG_IGN); // Writing to one that has died is an ordinary thing here.
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 4 && words[0] == "peer") // How the world starts each server.
    return guest::live({std::stoi(words[1]), std::stoi(words[2]), std::stoull(words[3])});
  std::string scenario;
  std::uint64_t seed = std::random_device{}();
  int at_a_time = 4;
  bool is_conformance = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto has_value = i + 1 < words.size();
    if (words[i] == "--list")
      return list();
    if (words[i] == "conformance")
      is_conformance = true;
    else if (words[i] == "--scenario" && has_value)
      scenario = words[++i];
    else if (words[i] == "--seed" && has_value)
      seed = std::stoull(words[++i]);
    else if (words[i] == "--at-a-time" && has_value)
      at_a_time = std::max(1, std::stoi(words[++i]));
    else
      return explain();
  }
  if (is_conformance)
    return guest::check_conformance(seed);
  return scenario.empty() ? world::play_all(seed, at_a_time) : play_named(scenario, seed);
} catch (const std::exception& error) {
  std::fprintf(stderr, "foreign_world: %s\n", error.what());
  return 2;
}
