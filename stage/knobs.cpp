#include "stage/knobs.hpp"

#include "stage/fault.hpp"

namespace troupe {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

template <class Number>
Number draw(dice& chance, Number least, Number most) {
  return least + static_cast<Number>(chance.below(static_cast<std::uint64_t>(most - least) + 1));
}

duration scaled(duration span, unsigned percent) {
  return span * 100 / percent;
}

} // namespace

peer_options stage_knobs::options_of(peer_id node) const {
  auto options = peers;
  const auto at = static_cast<std::size_t>(node.value() - 1);
  const auto percent = at < clock_percent.size() ? clock_percent[at] : 100;
  auto& times = options.times;
  for (auto* span : {&times.heartbeat, &times.election_timeout_min, &times.election_timeout_max, &times.commit_notice,
                     &options.client_deadline})
    *span = scaled(*span, percent);
  return options;
}

stage_knobs plain_knobs(std::uint64_t nodes) {
  stage_knobs knobs;
  knobs.nodes = nodes;
  return knobs;
}

stage_knobs draw_knobs(dice& chance, std::uint64_t nodes) {
  auto knobs = plain_knobs(nodes);
  auto& times = knobs.peers.times;
  if (chance.chance(60)) {
    times.heartbeat = milliseconds{draw(chance, 10, 150)};
    times.election_timeout_min = times.heartbeat * draw(chance, 3, 8);
    times.election_timeout_max = times.election_timeout_min * draw(chance, 2, 3);
    times.commit_notice = milliseconds{draw(chance, 0, 20)};
  }
  knobs.peers.client_deadline = milliseconds{draw(chance, 1000, 5000)};
  auto& limits = knobs.peers.limits;
  if (chance.chance(50)) {
    limits.log_window_bytes = draw<std::size_t>(chance, 500, 20'000);
    limits.request_bytes = draw<std::size_t>(chance, 100, 2000);
    limits.request_entries = draw<std::size_t>(chance, 1, 20);
    limits.in_flight_bytes = draw<std::size_t>(chance, 200, 5000);
    limits.in_flight_entries = draw<std::size_t>(chance, 2, 60);
    limits.in_flight_requests = draw<std::size_t>(chance, 1, 6);
    limits.apply_backlog_bytes = draw<std::size_t>(chance, 100, 3000);
    limits.uncommitted_bytes = draw<std::size_t>(chance, 500, 20'000);
  }
  limits.snapshot_piece_bytes = draw<std::size_t>(chance, 50, 5000);
  auto& snapshots = knobs.peers.snapshots;
  snapshots.log_entries = chance.chance(70) ? draw<std::uint64_t>(chance, 10, 400) : 1'000'000;
  snapshots.trailing_entries = chance.chance(50) ? 0 : draw<std::uint64_t>(chance, 1, chance.chance(70) ? 100 : 5000);
  snapshots.ratio_percent = chance.chance(70) ? 0 : 50;
  snapshots.kept = chance.chance(30) ? 1 : 2;
  knobs.peers.state_hash_entries = draw<std::uint64_t>(chance, 5, 300);
  knobs.segment_bytes = std::size_t{4096} << chance.below(5);
  // The disk is quicker than a heartbeat, or no leader could stay one (paper §5.6).
  const auto slowest = std::chrono::duration_cast<microseconds>(times.heartbeat).count() / 2;
  knobs.latency = {microseconds{50}, microseconds{draw<std::int64_t>(chance, 100, slowest)}};
  knobs.clients = draw(chance, 1u, 8u);
  knobs.operations_per_second = static_cast<double>(draw(chance, 5, 150));
  knobs.most_in_a_lot = chance.chance(50) ? draw(chance, 2u, 8u) : 1;
  knobs.read_percent = draw(chance, 0u, 70u);
  knobs.value_bytes = chance.chance(80) ? draw<std::size_t>(chance, 1, 64) : draw<std::size_t>(chance, 100, 3000);
  knobs.keys = chance.chance(60) ? draw(chance, 2u, 8u) : draw(chance, 20u, 100u);
  if (chance.chance(30))
    for (std::uint64_t node = 0; node < nodes; ++node)
      knobs.clock_percent.push_back(draw(chance, 80u, 125u));
  return knobs;
}

std::string to_string(const stage_knobs& knobs) {
  const auto& times = knobs.peers.times;
  const auto& limits = knobs.peers.limits;
  std::string line = std::to_string(knobs.nodes) + " nodes, heartbeat " + to_text(times.heartbeat)
      + ", election timeout " + to_text(times.election_timeout_min) + ".." + to_text(times.election_timeout_max)
      + ", syncs up to " + to_text(knobs.latency.most) + ", segments of " + std::to_string(knobs.segment_bytes)
      + " bytes, window " + std::to_string(limits.log_window_bytes) + ", requests "
      + std::to_string(limits.request_bytes) + " bytes " + std::to_string(limits.request_entries)
      + " entries, in flight " + std::to_string(limits.in_flight_bytes) + " bytes, snapshot every "
      + std::to_string(knobs.peers.snapshots.log_entries) + " entries keeping "
      + std::to_string(knobs.peers.snapshots.trailing_entries) + ", " + std::to_string(knobs.clients) + " clients, "
      + (knobs.gate_clients == 0 ? "" : std::to_string(knobs.gate_clients) + " of them through gates, ")
      + std::to_string(static_cast<int>(knobs.operations_per_second)) + " operations/s, up to "
      + std::to_string(knobs.most_in_a_lot) + " together, of " + std::to_string(knobs.value_bytes) + " bytes to "
      + std::to_string(knobs.keys) + " keys, " + std::to_string(knobs.read_percent) + " % reads";
  for (std::size_t i = 0; i < knobs.clock_percent.size(); ++i)
    line += (i == 0 ? ", clocks at " : "/") + std::to_string(knobs.clock_percent[i]);
  return knobs.clock_percent.empty() ? line : line + " %";
}

} // namespace troupe
