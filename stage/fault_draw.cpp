// Which faults strike in a run, when, whom and for how long: drawn by chance.
#include "stage/fault.hpp"

#include <array>
#include <cmath>

namespace troupe {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct odds {
  fault_kind what;
  unsigned weight;
};

/// How often each kind strikes, of all that are chosen.
constexpr std::array all_odds{
    odds{fault_kind::crash, 20},    odds{fault_kind::pause, 10},     odds{fault_kind::cut, 10},
    odds{fault_kind::isolate, 10},  odds{fault_kind::split, 8},      odds{fault_kind::network, 8},
    odds{fault_kind::way, 6},       odds{fault_kind::stall, 8},      odds{fault_kind::fail_sync, 3},
    odds{fault_kind::slow_disk, 5}, odds{fault_kind::fill, 8},       odds{fault_kind::lie, 1},
    odds{fault_kind::rot, 2},       odds{fault_kind::wipe, 1},       odds{fault_kind::back_up, 4},
    odds{fault_kind::put_back, 5},  odds{fault_kind::slow_apply, 4},
};

/// Between the two, small spans as often as large ones.
duration draw_span(dice& chance, duration least, duration most) {
  const auto ratio = std::log(static_cast<double>(most.count()) / static_cast<double>(least.count()));
  const auto part = static_cast<double>(chance.below(1 << 20)) / (1 << 20);
  const auto span = static_cast<double>(least.count()) * std::exp(ratio * part);
  return microseconds{std::llround(span / 1000)}; // Short in print.
}

way_quality draw_quality(dice& chance) {
  way_quality quality;
  quality.loss_percent = chance.chance(60) ? static_cast<unsigned>(chance.below(31)) : 0;
  quality.duplicate_percent = chance.chance(40) ? static_cast<unsigned>(chance.below(51)) : 0;
  quality.in_order = chance.chance(50);
  quality.most_delay = draw_span(chance, milliseconds{1}, chance.chance(10) ? milliseconds{5000} : milliseconds{200});
  quality.least_delay = chance.chance(50) ? microseconds{50} : duration{quality.most_delay / 2};
  if (chance.chance(15))
    quality.bytes_per_second = 10'000 + chance.below(200'000);
  return quality;
}

fault_kind draw_kind(dice& chance, const std::set<fault_kind>& chosen) {
  unsigned sum = 0;
  for (const auto& each : all_odds)
    sum += chosen.contains(each.what) ? each.weight : 0;
  auto at = static_cast<unsigned>(chance.below(sum));
  for (const auto& each : all_odds) {
    if (!chosen.contains(each.what))
      continue;
    if (at < each.weight)
      return each.what;
    at -= each.weight;
  }
  return all_odds.front().what;
}

} // namespace

fault_plan draw_plan(dice& chance, std::uint64_t nodes, duration end, double per_second,
                     const std::set<fault_kind>& chosen) {
  fault_plan plan;
  if (chosen.empty() || per_second <= 0)
    return plan;
  const auto any_node = [&] { return peer_id{1 + chance.below(nodes)}; };
  const auto first_victim = chance.below(nodes);
  const auto victims = (nodes - 1) / 2;
  const auto mean = 1e6 / per_second; // Microseconds between two.
  duration at{};
  while (true) {
    at += microseconds{std::llround(-std::log(1 - static_cast<double>(chance.below(1 << 20)) / (1 << 20)) * mean)};
    if (at >= end)
      return plan;
    fault f;
    f.what = draw_kind(chance, chosen);
    f.at = at;
    f.lasts = draw_span(chance, milliseconds{20}, milliseconds{5000});
    f.node = any_node();
    switch (f.what) {
    case fault_kind::crash: f.amount = chance.chance(70) ? chance.below(60) : 0; break;
    case fault_kind::cut: f.other = any_node(); break;
    case fault_kind::way:
      f.other = any_node();
      f.quality = draw_quality(chance);
      break;
    case fault_kind::network: f.quality = draw_quality(chance); break;
    case fault_kind::split:
      for (std::uint64_t id = 1; id <= nodes; ++id)
        if (chance.chance(50))
          f.side.emplace_back(id);
      if (f.side.empty())
        f.side.push_back(f.node);
      break;
    case fault_kind::slow_disk: f.amount = 1000 + chance.below(200'000); break;
    case fault_kind::fill: f.amount = chance.below(200'000); break;
    case fault_kind::lie:
    case fault_kind::rot:
    case fault_kind::wipe:
    case fault_kind::back_up:
    case fault_kind::put_back:
      if (victims == 0)
        continue;
      f.node = peer_id{1 + (first_victim + chance.below(victims)) % nodes};
      break;
    default: break;
    }
    if ((f.what == fault_kind::cut || f.what == fault_kind::way) && f.other == f.node)
      continue;
    plan.push_back(std::move(f));
  }
}

} // namespace troupe
