#include "stage/simulation.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace troupe {

namespace {

/// In one run of three, all or some clients. Rolled apart: everything else about a seed is as it is without gates.
void send_through_gates(std::uint64_t seed, const gate_maker& gate, world_options& world) {
  dice chance{seed ^ 0x6761746573ull};
  if (!chance.chance(33))
    return;
  world.gate = gate;
  auto& knobs = world.knobs;
  knobs.gate_clients = chance.chance(50) ? knobs.clients : 1 + static_cast<unsigned>(chance.below(knobs.clients));
  if (chance.chance(75))
    knobs.most_in_a_lot = 1 + static_cast<unsigned>(chance.below(12));
}

} // namespace

run_options plan_run(std::uint64_t seed, const simulation_options& options) {
  dice chance{seed};
  run_options run;
  const auto nodes = options.nodes != 0 ? options.nodes : 3 + 2 * (seed % 2);
  run.world.knobs = options.plain_knobs ? plain_knobs(nodes) : draw_knobs(chance, nodes);
  run.world.crash_image_every = options.crash_image_every;
  run.plan = draw_plan(chance, nodes, options.lasts, options.faults_per_second, options.faults);
  if (!options.plain_knobs && chance.chance(25))
    run.pasts = draw_pasts(chance, nodes);
  run.lasts = options.lasts;
  if (options.gate)
    send_through_gates(seed, options.gate, run.world);
  return run;
}

std::string kind_of_violation(const std::string& words) {
  std::string kind;
  for (const unsigned char c : words)
    if (!std::isdigit(c))
      kind += static_cast<char>(c);
  return kind;
}

namespace {

class shrinker {
public:
  shrinker(std::uint64_t seed, run_options run, const std::string& violation, const workload_maker& clients,
           unsigned most_runs, const std::function<void(std::size_t, unsigned)>& progress)
      : seed_{seed}, run_{std::move(run)}, kind_{kind_of_violation(violation)}, clients_{clients}, left_{most_runs},
        progress_{progress}, smallest_{run_.plan.size()} {}

  fault_plan shrink() {
    auto plan = run_.plan;
    if (fails({}))
      return {};
    for (std::size_t parts = 2; left_ > 0 && plan.size() > 1;) {
      parts = std::min(parts, plan.size());
      if (auto smaller = without_one_part(plan, parts)) {
        plan = *std::move(smaller);
        parts = std::max<std::size_t>(2, parts - 1);
      } else if (parts == plan.size()) {
        break;
      } else {
        parts *= 2;
      }
    }
    return plan;
  }

private:
  std::optional<fault_plan> without_one_part(const fault_plan& plan, std::size_t parts) {
    for (std::size_t part = 0; part < parts && left_ > 0; ++part) {
      const auto begin = plan.size() * part / parts;
      const auto end = plan.size() * (part + 1) / parts;
      fault_plan rest{plan.begin(), plan.begin() + static_cast<std::ptrdiff_t>(begin)};
      rest.insert(rest.end(), plan.begin() + static_cast<std::ptrdiff_t>(end), plan.end());
      if (fails(rest))
        return rest;
    }
    return std::nullopt;
  }

  bool fails(const fault_plan& plan) {
    if (left_ == 0)
      return false;
    --left_;
    auto run = run_;
    run.plan = plan;
    const auto result = play(seed_, run, clients_);
    const bool does = result.violation && kind_of_violation(*result.violation) == kind_;
    if (does)
      smallest_ = plan.size();
    if (progress_)
      progress_(smallest_, ++played_);
    return does;
  }

  std::uint64_t seed_;
  run_options run_;
  std::string kind_;
  const workload_maker& clients_;
  unsigned left_;
  unsigned played_ = 0;
  const std::function<void(std::size_t, unsigned)>& progress_;
  std::size_t smallest_;
};

} // namespace

fault_plan shrink(std::uint64_t seed, const run_options& failing, const std::string& violation,
                  const workload_maker& clients, unsigned most_runs,
                  const std::function<void(std::size_t, unsigned)>& progress) {
  return shrinker{seed, failing, violation, clients, most_runs, progress}.shrink();
}

} // namespace troupe
