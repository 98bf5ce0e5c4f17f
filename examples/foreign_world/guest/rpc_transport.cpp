#include "guest/rpc_transport.hpp"

#include "guest/rpc_message.hpp"

#include <chrono>
#include <compare>
#include <map>
#include <variant>

namespace guest {

namespace {

/// Calls that wait longer than this fail. The peer answers each request once, but not before its store has; a store
/// that hangs must not gather calls without end.
constexpr auto longest_wait = std::chrono::seconds{10};

/// Time to look for calls that have waited too long.
struct overdue_check {};

} // namespace

} // namespace guest

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(guest::overdue_check)

namespace guest {

namespace {

/// By what a reply finds the call that brought its request: what it echoes.
struct echo {
  troupe::message_type request{};
  std::uint32_t incarnation = 0;
  std::uint64_t number = 0;

  friend auto operator<=>(const echo&, const echo&) = default;
};

// A pre-vote and the vote after it are two requests, of two rounds.
echo echo_of(const troupe::request_vote& m) {
  return {troupe::message_type::request_vote, m.pre_vote, m.round};
}
echo echo_of(const troupe::vote_reply& m) {
  return {troupe::message_type::request_vote, m.pre_vote, m.round};
}
echo echo_of(const troupe::append_entries& m) {
  return {troupe::message_type::append_entries, m.incarnation, m.number};
}
echo echo_of(const troupe::append_reply& m) {
  return {troupe::message_type::append_entries, m.incarnation, m.number};
}
echo echo_of(const troupe::install_snapshot& m) {
  return {troupe::message_type::install_snapshot, m.incarnation, m.number};
}
echo echo_of(const troupe::snapshot_reply& m) {
  return {troupe::message_type::install_snapshot, m.incarnation, m.number};
}

template <class Message>
constexpr bool is_request =
    std::is_same_v<Message, troupe::request_vote> || std::is_same_v<Message, troupe::append_entries>
    || std::is_same_v<Message, troupe::install_snapshot>;
template <class Message>
constexpr bool is_reply = std::is_same_v<Message, troupe::vote_reply> || std::is_same_v<Message, troupe::append_reply>
    || std::is_same_v<Message, troupe::snapshot_reply>;

/// Tells the own peer the reply in a call's result.
void tell_reply(const troupe::peer_handle& own, std::string result) {
  auto reply = from_bytes(std::move(result));
  if (!reply)
    return; // Damaged on the way: as if it had been lost.
  std::visit(
      [&own]<class Message>(Message& m) {
        if constexpr (is_reply<Message>)
          caf::anon_send(own, std::move(m));
      },
      *reply);
}

using shell = remote_peer::extend<caf::reacts_to<overdue_check>>;

class remote_peer_shell final : public shell::base {
public:
  remote_peer_shell(caf::actor_config& config, troupe::peer_handle own, call_function call)
      : shell::base{config}, own_{std::move(own)}, call_{std::move(call)} {
    monitor(own_);
    set_down_handler([this](caf::down_msg&) { quit(); });
  }

  behavior_type make_behavior() override {
    return {
        // The own peer speaks to the remote one.
        [this](const troupe::request_vote& m) { begin_call(m); },
        [this](const troupe::vote_reply& m) { return_result(m); },
        [this](const troupe::append_entries& m) { begin_call(m); },
        [this](const troupe::append_reply& m) { return_result(m); },
        [this](const troupe::install_snapshot& m) { begin_call(m); },
        [this](const troupe::snapshot_reply& m) { return_result(m); },
        // Nothing that is called and returns, and nothing that Raft rests on: lost, as any message may be. Peers that
        // are only given commands by `start` forward nothing.
        [](const troupe::timeout_now&) {},
        [](const troupe::forward&) {},
        [](const troupe::forward_reply&) {},
        // The remote peer speaks to the own one.
        [this](incoming_call& m) { take_call(m); },
        [this](const overdue_check&) { drop_overdue(); },
    };
  }

  void on_exit() override {
    open_.clear(); // They fail.
    call_ = nullptr;
    own_ = nullptr;
  }

private:
  struct waiting_call {
    std::shared_ptr<open_call> call;
    caf::actor_clock::time_point deadline;
  };

  template <class Request>
  void begin_call(const Request& request) {
    call_(to_bytes(encode(request)), [own = own_](std::optional<std::string> result) {
      if (result)
        tell_reply(own, std::move(*result));
      // Failed: nothing to do. The peer goes by time and by what it has heard.
    });
  }

  void take_call(incoming_call& m) {
    auto request = from_bytes(std::move(m.argument));
    if (!request)
      return; // Damaged: `m` goes, and with it the call.
    std::visit(
        [this, &m]<class Message>(Message& message) {
          if constexpr (is_request<Message>) {
            open_.emplace(echo_of(message), waiting_call{std::move(m.call), clock().now() + longest_wait});
            send(own_, std::move(message));
          }
        },
        *request);
    watch_overdue();
  }

  /// If a request came twice under one number, the call that came first is answered first; each carries a whole reply,
  /// so it does not matter which brings which.
  template <class Reply>
  void return_result(const Reply& reply) {
    const auto found = open_.lower_bound(echo_of(reply));
    if (found == open_.end() || found->first != echo_of(reply))
      return; // Its call has failed meanwhile.
    found->second.call->return_result(to_bytes(encode(reply)));
    open_.erase(found);
  }

  void watch_overdue() {
    if (!open_.empty() && !std::exchange(is_watching_, true))
      delayed_send(this, longest_wait, overdue_check{});
  }

  void drop_overdue() {
    is_watching_ = false;
    std::erase_if(open_, [now = clock().now()](const auto& each) { return each.second.deadline <= now; });
    watch_overdue();
  }

  troupe::peer_handle own_;
  call_function call_;
  std::multimap<echo, waiting_call> open_; // Equal keys stay in the order in which they came.
  bool is_watching_ = false;
};

} // namespace

remote_peer spawn_remote_peer(caf::actor_system& system, troupe::peer_handle own, call_function call) {
  return system.spawn<remote_peer_shell>(std::move(own), std::move(call));
}

} // namespace guest
