#include "stage/packet_network.hpp"

#include <algorithm>

namespace troupe {

namespace {

bool is_of_clients(const peer_message& message) {
  return std::holds_alternative<forward>(message) || std::holds_alternative<forward_reply>(message);
}

} // namespace

void packet_network::set_quality(const way_quality& quality) {
  quality_ = quality;
  qualities_.clear();
}

void packet_network::cut(peer_id from, peer_id to, bool is_cut) {
  const way over{from, to};
  if (!is_cut)
    cuts_.erase(over);
  else if (cuts_.emplace(over, true).second)
    ++way_numbers_[over];
}

void packet_network::renew_if_stuck(peer_id from, peer_id to, duration patience) {
  const way over{from, to};
  if (std::max(free_at_[over], last_after_[over]) <= runtime().now() + patience)
    return;
  ++way_numbers_[over];
  free_at_.erase(over);
  last_after_.erase(over);
}

const way_quality& packet_network::quality_of(const way& over) const {
  const auto found = qualities_.find(over);
  return found == qualities_.end() ? quality_ : found->second;
}

void packet_network::carry(const peer_message& decoded, std::size_t frame_bytes) {
  const auto& envelope = about(decoded);
  const way over{envelope.from, envelope.to};
  const auto what = std::make_shared<const packet>(packet{++numbers_, way_numbers_[over], decoded});
  ++counts_.sent;
  if (on_sent)
    on_sent(what->number, decoded);
  const auto& quality = quality_of(over);
  if (cuts_.contains(over) || chance_.chance(quality.loss_percent) || (believes && !believes(over.first, over.second)))
    return lose(*what);
  dispatch(over, what, frame_bytes);
  if (!is_of_clients(decoded) && chance_.chance(quality.duplicate_percent))
    dispatch(over, what, frame_bytes);
}

void packet_network::dispatch(const way& over, std::shared_ptr<const packet> what, std::size_t frame_bytes) {
  const auto& quality = quality_of(over);
  const auto now = runtime().now();
  auto leaves = now;
  if (quality.bytes_per_second > 0) {
    auto& free_at = free_at_[over];
    leaves = std::max(now, free_at)
        + duration{static_cast<std::int64_t>(frame_bytes * 1'000'000'000 / quality.bytes_per_second)};
    free_at = leaves;
  }
  const auto spread = static_cast<std::uint64_t>((quality.most_delay - quality.least_delay).count());
  auto arrives = leaves + quality.least_delay + duration{static_cast<std::int64_t>(chance_.below(spread + 1))};
  if (quality.in_order) {
    auto& last = last_after_[over];
    arrives = last = std::max(arrives, last);
  }
  runtime().at(arrives, [this, what = std::move(what)] { arrive(*what); });
}

void packet_network::arrive(const packet& what) {
  const auto& envelope = about(what.message);
  auto& target = at(envelope.to);
  const way over{envelope.from, envelope.to};
  if (!target.present || way_numbers_[over] != what.way_number || (believes && !believes(over.first, over.second)))
    return lose(what);
  ++counts_.delivered;
  if (on_delivered)
    on_delivered(what.number, what.message);
  target.who(what.message);
}

void packet_network::lose(const packet& what) {
  ++counts_.lost;
  if (on_lost)
    on_lost(what.number, what.message);
}

} // namespace troupe
