/// \file
/// Troupe over somebody else's call-and-return RPC: the adapter between peers that *tell* and a network that *calls*.
///
/// Between Troupe's peers there are only tells: a request carries a number, and some time later, or never, comes at
/// most one reply that echoes it. A foreign RPC pairs the two: a call has an argument and ends, once, with a result or
/// in failure. For each remote peer stands one actor, and it is both halves of the adapter:
///
///     own peer says                       the network
///     request_vote, append_entries   ->   begins a call; its result, if one comes, is told to the own peer
///     vote_reply, append_reply, snapshot_reply       ->   becomes the result of the call that brought the request
///
/// Nothing here waits. A call may take seconds, overtake others, fail, or have been carried out all the same: Raft
/// tells by the echoed number what a reply proves, and sends anew what was lost.
#pragma once

#include <troupe/peer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace guest {

/// Hears how a call ended: with this result, or, if there is none, in failure.
using call_end = std::function<void(std::optional<std::string> result)>;

/// Begins a call to one remote server and returns at once; calls `end` once, on any thread. If your RPC blocks until
/// the call ends, begin it on a thread of its own: a leader must not wait for one follower before it serves the others.
using call_function = std::function<void(std::string argument, call_end end)>;

/// A call of a remote server, waiting for its result. It always ends: let go without one, it fails. So calls fail by
/// themselves that reach a peer which is stopped or has just died, or that it has nothing to say to.
class open_call {
public:
  explicit open_call(call_end end) : end_{std::move(end)} {}
  ~open_call() {
    if (end_)
      end_(std::nullopt);
  }
  open_call(const open_call&) = delete;
  open_call& operator=(const open_call&) = delete;

  void return_result(std::string result) { std::exchange(end_, nullptr)(std::move(result)); }

private:
  call_end end_;
};

/// What the network tells when a remote server calls.
struct incoming_call {
  std::string argument;
  std::shared_ptr<open_call> call;
};

/// A remote peer, as the own peer sees it (`raft_actor`) and as the network does.
using remote_peer = troupe::raft_actor::extend<caf::reacts_to<incoming_call>>;

/// Makes the actor that stands for one remote peer. It ends with `own`, and all calls that wait for it then fail.
[[nodiscard]] remote_peer spawn_remote_peer(caf::actor_system& system, troupe::peer_handle own, call_function call);

} // namespace guest

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(guest::incoming_call)
