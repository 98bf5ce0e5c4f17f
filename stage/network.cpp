#include "stage/network.hpp"

#include <string>
#include <type_traits>

namespace troupe {

namespace {

using std::chrono::milliseconds;

/// How often a caller looks whether the receiver is still there.
constexpr milliseconds poll{100};

} // namespace

stage_network::stage_network(stage_runtime& runtime, dice chance) : switchboard{runtime}, chance_{chance} {}

void stage_network::ended(peer_id id) {
  received_.erase(id);
  // Nobody will answer these, and nobody awaits those.
  std::erase_if(calls_, [&](const auto& entry) { return entry.first.to == id; });
  for (auto& [key, open_call] : calls_)
    if (key.from == id)
      open_call.failed = true;
}

void stage_network::enable(peer_id from, peer_id to, bool open) {
  const way over{from, to};
  auto& is_open_now = open_ways_[over];
  if (is_open_now == open)
    return;
  is_open_now = open;
  if (!open)
    cut_at_[over] = runtime().now();
  else if (const auto cut = cut_at_.find(over); cut != cut_at_.end())
    fail_calls_polled_between(over, cut->second, runtime().now());
}

void stage_network::fail_calls_polled_between(way over, instant cut, instant healed) {
  for (auto& [key, open_call] : calls_) {
    if (key.from != over.first || key.to != over.second)
      continue;
    // The first poll not before the cut.
    const auto age = cut - open_call.delivered_at;
    const auto polls = std::max<std::int64_t>(1, (age + poll - duration{1}) / poll);
    if (open_call.delivered_at + polls * poll < healed)
      open_call.failed = true;
  }
}

bool stage_network::is_open(way over) const {
  const auto found = open_ways_.find(over);
  return found != open_ways_.end() && found->second;
}

std::uint64_t stage_network::requests_received(peer_id id) const {
  const auto found = received_.find(id);
  return found == received_.end() ? 0 : found->second;
}

bool stage_network::is_request(const peer_message& message) {
  return std::holds_alternative<request_vote>(message) || std::holds_alternative<append_entries>(message)
      || std::holds_alternative<install_snapshot>(message) || std::holds_alternative<forward>(message)
      || std::holds_alternative<timeout_now>(message);
}

stage_network::call_key stage_network::key_of(const peer_message& message) {
  const auto& [group, from, to, term] = about(message);
  call_key key{from, to, 0, 0, 0};
  const auto vote = [&](const auto& m) {
    key.kind = 1;
    key.number = m.round;
    key.part = m.pre_vote;
  };
  const auto append = [&](const auto& m) {
    key.kind = 2;
    key.number = m.number;
    key.part = m.incarnation;
  };
  const auto pass_on = [&](const auto& m) {
    key.kind = 3;
    key.number = m.number;
  };
  std::visit(
      [&](const auto& m) {
        using type = std::decay_t<decltype(m)>;
        if constexpr (std::is_same_v<type, request_vote> || std::is_same_v<type, vote_reply>)
          vote(m);
        else if constexpr (std::is_same_v<type, append_entries> || std::is_same_v<type, append_reply>)
          append(m);
        else if constexpr (std::is_same_v<type, install_snapshot> || std::is_same_v<type, snapshot_reply>)
          append(m);
        else if constexpr (std::is_same_v<type, forward> || std::is_same_v<type, forward_reply>)
          pass_on(m);
      },
      message);
  if (!is_request(message))
    std::swap(key.from, key.to);
  return key;
}

void stage_network::carry(const peer_message& decoded, std::size_t bytes) {
  if (is_request(decoded))
    send_request(decoded, bytes, lost_ && lost_(decoded));
  else
    send_reply(decoded, bytes);
}

void stage_network::send_request(const peer_message& decoded, std::size_t bytes, bool lost) {
  ++counts_.calls;
  counts_.bytes += bytes;
  const auto from = about(decoded).from;
  const auto to = about(decoded).to;
  const auto& target = at(to);
  if (lost || deaf_.contains(to) || !is_open({from, to}) || !target.present)
    return;
  call open_call{at(from).now, target.now, reliable_, long_reordering_, false, {}, 0};
  if (const auto* passed_on = std::get_if<forward>(&decoded))
    open_call.operations = passed_on->block.count;
  if (reliable_)
    return deliver_request(decoded, open_call);
  const auto delay = milliseconds{chance_.below(27)};
  if (chance_.chance(10))
    return;
  runtime().after(delay, [this, decoded, open_call] { deliver_request(decoded, open_call); });
}

void stage_network::deliver_request(const peer_message& decoded, const call& open_call) {
  const auto key = key_of(decoded);
  auto& target = at(key.to);
  if (!target.present || target.now != open_call.callee)
    return;
  ++received_[key.to];
  if (!std::holds_alternative<timeout_now>(decoded)) {
    auto delivered = open_call;
    delivered.delivered_at = runtime().now();
    calls_.emplace(key, delivered);
  }
  target.who(decoded);
}

std::optional<stage_network::call> stage_network::answered_call(const peer_message& reply) {
  const auto found = calls_.lower_bound(key_of(reply));
  if (found == calls_.end() || found->first != key_of(reply))
    return std::nullopt;
  const auto open_call = found->second;
  if (const auto* part = std::get_if<forward_reply>(&reply); part && part->refused == 0) {
    found->second.operations -= std::min(found->second.operations, part->count);
    if (found->second.operations > 0)
      return open_call;
  }
  calls_.erase(found);
  return open_call;
}

void stage_network::send_reply(const peer_message& decoded, std::size_t bytes) {
  const auto key = key_of(decoded);
  const auto open_call = answered_call(decoded);
  if (!open_call && loose_replies_) {
    if (at(key.from).present)
      at(key.from).who(decoded);
    return;
  }
  if (!open_call)
    return runtime().judge().fail("peer " + std::to_string(key.to.value()) + " replied to a request that peer "
                                  + std::to_string(key.from.value()) + " has not made, or twice");
  if (open_call->failed || deaf_.contains(key.from))
    return;
  // Late for a poll that would have found the way cut: it is cut still, or that was seen when it healed.
  if (!is_open({key.from, key.to}) || at(key.to).now != open_call->callee)
    return;
  if (!open_call->reliable && chance_.chance(10))
    return;
  const auto arrive = [this, decoded, bytes, caller = open_call->caller, to = key.from] {
    counts_.bytes += bytes;
    const auto& target = at(to);
    if (target.present && target.now == caller)
      target.who(decoded);
  };
  if (open_call->long_reordering && chance_.below(900) < 600)
    runtime().after(milliseconds{200 + chance_.below(1 + chance_.below(2000))}, arrive);
  else
    arrive();
}

} // namespace troupe
