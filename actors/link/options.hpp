/// \file
/// How a node's links are identified, timed and bounded, and what they report. No CAF.
#pragma once

#include "actors/link/endpoint.hpp"
#include "actors/link/hello.hpp"
#include "troupe/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe {

/// Options of all links of one node.
struct link_options {
  link_identity me;
  /// Where the node listens; the address others are told may differ.
  endpoint listen;
  /// Allows `listen` to be an address that other machines reach; see `check_exposure`.
  bool insecure = false;

  /// From the start of a connection attempt, per address, until the other end has introduced itself.
  duration connect_deadline = std::chrono::seconds{1};
  /// How long an accepted connection may take to introduce itself.
  duration hello_deadline = std::chrono::seconds{1};
  /// First and longest wait between attempts.
  duration retry_least = std::chrono::milliseconds{50};
  duration retry_most = std::chrono::seconds{1};
  /// How often the dialing end asks for a sign of life.
  duration ping_every = std::chrono::milliseconds{300};
  /// A link is dead when nothing was heard, and no waiting bytes moved, for this long. At least three pings, and far
  /// more than any handler takes.
  duration dead_after = std::chrono::milliseconds{1500};

  /// Bytes waiting in one link. What exceeds them is dropped and counted; messages without payload (heartbeats, votes,
  /// replies) have another eighth to themselves.
  std::size_t queue_bytes = std::size_t{8} << 20;
  /// Kernel send buffer per link; the system may grant less. Small enough that what hides in it is sent within
  /// `dead_after` on a slow network.
  std::size_t send_buffer_bytes = std::size_t{1} << 20;
  /// Accepted connections that have not introduced themselves; beyond, the oldest is closed.
  std::size_t pending_hellos = 64;

  /// Seeds the jitter of the back-off.
  std::uint64_t seed = 1;
};

/// The link to `peer` carries messages: it has introduced itself and is believed.
struct link_up {
  peer_id peer;
  uuid disk;
  std::uint64_t boot = 0;
};

/// The link to `peer` does not carry messages any more. It is tried again without end.
struct link_down {
  peer_id peer;
  std::string why;
};

/// `peer` refuses this node, in its own words. Reported when it begins and once a minute while it lasts;
/// tried again without end.
/// `link_refusal::changed_disk` and `old_disk` mean that this node must not take part: it has forgotten its votes. They
/// are reported of a peer that is believed itself, only.
struct link_refused {
  peer_id peer;
  link_refusal reason = link_refusal::other;
  std::string words;
};

} // namespace troupe
