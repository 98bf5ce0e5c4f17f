#include "stage/network.hpp"

#include <caf/actor_proxy.hpp>

#include <string>
#include <type_traits>

namespace troupe {

namespace {

using std::chrono::milliseconds;

/// Of a frame, around head and tail (actors/link/frame.hpp).
constexpr std::size_t frame_header_bytes = 20;
/// How often a caller looks whether the receiver is still there.
constexpr milliseconds poll{100};

template <class... Ts>
std::optional<peer_message> any_of(const caf::message& content, std::variant<Ts...>*) {
  std::optional<peer_message> found;
  const auto take = [&]<class T>(std::type_identity<T>) {
    if (!found && content.match_elements<T>())
      found.emplace(content.get_as<T>(0));
  };
  (take(std::type_identity<Ts>{}), ...);
  return found;
}

/// What a peer says, if it is that and nothing of CAF's own.
std::optional<peer_message> read(const caf::message& content) {
  return any_of(content, static_cast<peer_message*>(nullptr));
}

caf::message wrap(const peer_message& message) {
  return std::visit([](const auto& m) { return caf::make_message(m); }, message);
}

} // namespace

/// Stands for one peer in the hands of another.
class stage_network::stage_link : public caf::actor_proxy {
public:
  stage_link(caf::actor_config& config, stage_network* over, life speaker)
      : caf::actor_proxy{config}, over_{over}, speaker_{speaker} {}

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    if (const auto message = read(element->move_content_to_message()))
      over_->send(speaker_, *message);
  }
  void kill_proxy(caf::execution_unit* context, caf::error reason) override { cleanup(std::move(reason), context); }

private:
  stage_network* over_;
  life speaker_;
};

stage_network::stage_network(stage_runtime& runtime, dice chance) : runtime_{runtime}, chance_{chance} {}

void stage_network::open(peer_id id) {
  auto& server = servers_[id];
  ++server.now;
  server.received = 0;
}

raft_actor stage_network::link(peer_id from, peer_id) {
  auto& system = runtime_.system();
  caf::actor_config config;
  auto made = caf::make_actor<stage_link, caf::strong_actor_ptr>(system.next_actor_id(), system.node(), &system, config,
                                                                 this, servers_[from].now);
  return caf::actor_cast<raft_actor>(made);
}

void stage_network::put(peer_id id, receiver who) {
  auto& server = servers_[id];
  server.present = true;
  server.who = std::move(who);
}

void stage_network::put(peer_id id, const raft_actor& who) {
  put(id, [this, to = caf::actor_cast<caf::strong_actor_ptr>(who)](const peer_message& message) {
    runtime_.tell_raw(to, wrap(message));
  });
}

void stage_network::remove(peer_id id) {
  auto& server = servers_[id];
  ++server.now;
  server.present = false;
  server.who = nullptr;
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
    cut_at_[over] = runtime_.now();
  else if (const auto cut = cut_at_.find(over); cut != cut_at_.end())
    fail_calls_polled_between(over, cut->second, runtime_.now());
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
  const auto found = servers_.find(id);
  return found == servers_.end() ? 0 : found->second.received;
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

void stage_network::send(life speaker, const peer_message& message) {
  const auto from = about(message).from;
  if (servers_[from].now != speaker)
    return; // The dead are mute.
  for (const auto& watcher : watchers_)
    watcher(message);
  const auto encoded = std::visit([](const auto& m) { return encode(m); }, message);
  std::string tail;
  tail.reserve(encoded.tail_bytes());
  for (const auto& part : encoded.tail)
    tail += part.view();
  const auto bytes = frame_header_bytes + encoded.head.size() + tail.size();
  const auto decoded = decode(encoded.type, encoded.group, encoded.head, shared_bytes{std::move(tail)});
  if (!decoded)
    return runtime_.judge().fail("a message that was encoded cannot be decoded");
  if (is_request(*decoded))
    send_request(*decoded, bytes, lost_ && lost_(message));
  else
    send_reply(*decoded, bytes);
}

void stage_network::send_request(const peer_message& decoded, std::size_t bytes, bool lost) {
  ++counts_.calls;
  counts_.bytes += bytes;
  const auto from = about(decoded).from;
  const auto to = about(decoded).to;
  const auto& target = servers_[to];
  if (lost || deaf_.contains(to) || !is_open({from, to}) || !target.present)
    return;
  call open_call{servers_[from].now, target.now, reliable_, long_reordering_, false, {}, 0};
  if (const auto* passed_on = std::get_if<forward>(&decoded))
    open_call.operations = passed_on->block.count;
  if (reliable_)
    return deliver_request(decoded, open_call);
  const auto delay = milliseconds{chance_.below(27)};
  if (chance_.chance(10))
    return;
  runtime_.after(delay, [this, decoded, open_call] { deliver_request(decoded, open_call); });
}

void stage_network::deliver_request(const peer_message& decoded, const call& open_call) {
  const auto key = key_of(decoded);
  auto& target = servers_[key.to];
  if (!target.present || target.now != open_call.callee)
    return;
  ++target.received;
  if (!std::holds_alternative<timeout_now>(decoded)) {
    auto delivered = open_call;
    delivered.delivered_at = runtime_.now();
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
    if (servers_[key.from].present)
      servers_[key.from].who(decoded);
    return;
  }
  if (!open_call)
    return runtime_.judge().fail("peer " + std::to_string(key.to.value()) + " replied to a request that peer "
                                 + std::to_string(key.from.value()) + " has not made, or twice");
  if (open_call->failed || deaf_.contains(key.from))
    return;
  // Late for a poll that would have found the way cut: it is cut still, or that was seen when it healed.
  if (!is_open({key.from, key.to}) || servers_[key.to].now != open_call->callee)
    return;
  if (!open_call->reliable && chance_.chance(10))
    return;
  const auto arrive = [this, decoded, bytes, caller = open_call->caller, to = key.from] {
    counts_.bytes += bytes;
    const auto& target = servers_[to];
    if (target.present && target.now == caller)
      target.who(decoded);
  };
  if (open_call->long_reordering && chance_.below(900) < 600)
    runtime_.after(milliseconds{200 + chance_.below(1 + chance_.below(2000))}, arrive);
  else
    arrive();
}

} // namespace troupe
