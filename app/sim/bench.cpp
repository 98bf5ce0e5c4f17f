#include "app/sim/bench.hpp"

#include "app/sim/kv_workload.hpp"
#include "stage/world.hpp"

#include <chrono>
#include <cstdio>

namespace troupe {

namespace {

void bench(const char* name, double operations_per_second, duration span) {
  world_options options;
  options.knobs = plain_knobs(5);
  options.knobs.operations_per_second = operations_per_second;
  stage_world world{1, options, make_kv_workload(10, options.knobs.read_percent, options.knobs.value_bytes)};
  world.start_all();
  world.clients().let_ask(operations_per_second > 0);
  const auto steps = world.runtime().steps();
  const auto began = std::chrono::steady_clock::now();
  world.runtime().run_for(span);
  const auto real = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("speedup_%s=%.0f messages_per_s=%.0f operations=%llu virtual_s=%.0f real_s=%.2f\n", name,
              std::chrono::duration<double>(span).count() / real,
              static_cast<double>(world.runtime().steps() - steps) / real,
              static_cast<unsigned long long>(world.ledger().tally().answered),
              std::chrono::duration<double>(span).count(), real);
}

} // namespace

void bench_stage() {
  bench("idle", 0, std::chrono::hours{1});
  bench("busy", 50, std::chrono::minutes{10});
}

} // namespace troupe
