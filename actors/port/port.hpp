/// \file
/// The port: the actor between those who have one operation at a time and a peer that takes lots.
#pragma once

#include "messages/protocol.hpp"
#include "troupe/peer.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// What a plain thread has left to be called with an outcome: exactly once, whatever becomes of the port.
class awaited_outcome {
public:
  explicit awaited_outcome(std::function<void(outcome)> then) : then_{std::move(then)} {}
  /// Nobody has taken the operation in: certainly nothing was done.
  ~awaited_outcome() { tell({refusal::stopped, {}}); }

  awaited_outcome(const awaited_outcome&) = delete;
  awaited_outcome& operator=(const awaited_outcome&) = delete;

  /// Only the first call counts.
  void tell(outcome how);

private:
  std::function<void(outcome)> then_;
};

/// An operation of a plain thread's.
struct call {
  operation what = operation::command;
  std::string content;
  std::shared_ptr<awaited_outcome> then;
};

/// Behind what has already arrived for a port: submits it together.
struct submit_due {};

/// A port, as a managed node sees it.
using node_port_actor =
    port_actor::extend<caf::reacts_to<call>, caf::reacts_to<submit_due>, caf::reacts_to<submission_accepted>,
                       caf::reacts_to<submission_answered>, caf::reacts_to<submission_refused>>;

/// `open_port`, for those who call without being actors.
[[nodiscard]] node_port_actor spawn_port(caf::actor_system& system, placement where, const peer_handle& peer,
                                         const port_options& options);

} // namespace troupe

TROUPE_LOCAL_MESSAGE(call)
TROUPE_LOCAL_MESSAGE(submit_due)
