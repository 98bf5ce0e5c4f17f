#include "world/play.hpp"

#include <cstdio>
#include <map>

#include <sys/wait.h>
#include <unistd.h>

namespace world {

std::vector<scenario> scenarios() {
  std::vector<scenario> all;
  for (const auto& part : {elections(), agreements(), bursts(), persistence(), snapshots()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

int play(const scenario& which, std::uint64_t seed) {
  const auto tell = [&](const char* verdict, const std::string& more) {
    std::printf("%s %s %s: %s, seed %llu\n", verdict, which.number.c_str(), which.title.c_str(), more.c_str(),
                static_cast<unsigned long long>(seed));
    std::fflush(stdout);
  };
  try {
    tester t{which.servers, seed};
    which.play(t);
    const auto seconds = std::chrono::duration<double>(t.elapsed()).count();
    t.end();
    char counts[128];
    std::snprintf(counts, sizeof counts, "%.1f s, %d servers, %llu calls, %llu bytes, %llu agreements", seconds,
                  which.servers, static_cast<unsigned long long>(t.net().calls()),
                  static_cast<unsigned long long>(t.net().bytes()), static_cast<unsigned long long>(t.agreed()));
    tell("passed", counts);
    return 0;
  } catch (const failure& how) {
    tell("FAILED", how.what());
    return 1;
  }
}

int play_all(std::uint64_t seed, int at_a_time) {
  int failed = 0;
  std::map<pid_t, std::string> playing;
  const auto await_one = [&] {
    int status = 0;
    const auto process = ::wait(&status);
    failed += status != 0;
    playing.erase(process);
  };
  for (const auto& each : scenarios()) {
    if (static_cast<int>(playing.size()) == at_a_time)
      await_one();
    std::fflush(stdout);
    const auto process = ::fork();
    if (process == 0)
      ::_exit(play(each, seed));
    playing.emplace(process, each.number);
  }
  while (!playing.empty())
    await_one();
  std::printf("%d of %zu scenarios failed\n", failed, scenarios().size());
  return failed == 0 ? 0 : 1;
}

} // namespace world
