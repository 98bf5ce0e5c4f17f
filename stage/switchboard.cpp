#include "stage/switchboard.hpp"

#include <caf/actor_proxy.hpp>

#include <string>
#include <type_traits>

namespace troupe {

namespace {

/// Of a frame, around head and tail (actors/link/frame.hpp).
constexpr std::size_t frame_header_bytes = 20;

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
class switchboard::stage_link : public caf::actor_proxy {
public:
  stage_link(caf::actor_config& config, switchboard* over, life speaker)
      : caf::actor_proxy{config}, over_{over}, speaker_{speaker} {}

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    if (const auto message = read(element->move_content_to_message()))
      over_->send(speaker_, *message);
  }
  void kill_proxy(caf::execution_unit* context, caf::error reason) override { cleanup(std::move(reason), context); }

private:
  switchboard* over_;
  life speaker_;
};

void switchboard::open(peer_id id) {
  ++servers_[id].now;
}

raft_actor switchboard::link(peer_id from, peer_id) {
  auto& system = runtime_.system();
  caf::actor_config config;
  auto made = caf::make_actor<stage_link, caf::strong_actor_ptr>(system.next_actor_id(), system.node(), &system, config,
                                                                 this, servers_[from].now);
  return caf::actor_cast<raft_actor>(made);
}

void switchboard::put(peer_id id, receiver who) {
  auto& server = servers_[id];
  server.present = true;
  server.who = std::move(who);
}

void switchboard::put(peer_id id, const raft_actor& who) {
  put(id, [this, to = caf::actor_cast<caf::strong_actor_ptr>(who)](const peer_message& message) {
    runtime_.tell_raw(to, wrap(message));
  });
}

void switchboard::remove(peer_id id) {
  auto& server = servers_[id];
  ++server.now;
  server.present = false;
  server.who = nullptr;
  ended(id);
}

void switchboard::send(life speaker, const peer_message& message) {
  if (servers_[about(message).from].now != speaker)
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
  carry(*decoded, bytes);
}

} // namespace troupe
