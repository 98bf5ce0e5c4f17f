/// \file
/// Clients that do not submit to a peer themselves: what stands between them and the peer is somebody else's. It plays
/// on the stage like the actors of the node, lives and dies with it, and is watched on both of its sides.
#pragma once

#include "messages/protocol.hpp"
#include "stage/knobs.hpp"
#include "stage/runtime.hpp"
#include "stage/trace.hpp"
#include "troupe/dice.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What the stage wants to know of operations that go through a gate, and judges.
class gate_watch {
public:
  virtual ~gate_watch() = default;

  // Where the gate meets the peer.
  /// An operation is about to be submitted as `content`, as a command or a query. Returns what is to be submitted for
  /// it.
  [[nodiscard]] virtual std::string leaves(operation_id id, operation what, std::string_view content) = 0;
  /// The peer has answered it. Returns what the state machine has said.
  [[nodiscard]] virtual std::string_view comes_back(operation_id id, std::string_view answer) = 0;

  // Where the gate meets the client: one of these for each operation.
  /// It is answered, in the state machine's words.
  virtual void answered(operation_id id, std::string_view words) = 0;
  virtual void refused(operation_id id, refusal why) = 0;
  /// Its client is cut off from the node: nobody will tell.
  virtual void lost(operation_id id) = 0;

  /// For the story: what a client at a node says (`asks`) or hears (`tells`).
  virtual void note(trace_event::kind what, peer_id node, const std::function<std::string()>& words) = 0;
  /// A promise is broken that is none of the above.
  virtual void broken(const std::string& words) = 0;
};

/// The gates of all nodes, and the clients before them. Clients are numbered from 0.
class client_gate {
public:
  struct request {
    operation_id id;
    operation what = operation::command;
    std::string content; ///< As the state machine is to get it.
  };

  virtual ~client_gate() = default;
  /// A life of a node has begun.
  virtual void open(peer_id node, const peer_actor& peer) = 0;
  /// It has ended: all clients of the node are cut off.
  virtual void close(peer_id node) = 0;
  /// The line on which a client speaks to a node that is alive, or 0 if it has better things to do. What is said on one
  /// line must take effect, and be answered, in the order in which it is said.
  [[nodiscard]] virtual std::uint64_t line(unsigned client, peer_id node) = 0;
  /// Operations said on a line, one behind the other.
  virtual void say(std::uint64_t line, std::vector<request> requests) = 0;
};

struct gate_parts {
  stage_runtime& runtime;
  gate_watch& watch;
  const stage_knobs& knobs;
  dice chance;
};

/// Everything that is given must outlive what is made.
using gate_maker = std::function<std::unique_ptr<client_gate>(gate_parts parts)>;

} // namespace troupe
