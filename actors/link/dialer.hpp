/// \file
/// The outward half of a node's links: one broker per remote node, and the handles links speak through.
///
/// A link is simplex. Each node dials every other; its own connection carries its own messages outward, and only
/// `hello_ack`, `pong` and `closing` come back. So there is no simultaneous connect to settle, and each end bounds what
/// it sends. The handle of a dialer stays the same however often its connection comes and goes.
#pragma once

#include "actors/link/options.hpp"
#include "actors/link/socket.hpp"
#include "messages/protocol.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A link's own timer: the one armed last counts, and is judged when it fires.
struct link_due {
  std::uint64_t epoch = 0;
};

/// Ends a broker of a link; its sockets are shut, whatever waits in them.
struct stop_link {};

struct vouch_for;
struct peer_noted;

/// Owns what the node knows of the others, and the connections they dialed.
using acceptor_actor =
    caf::typed_actor<caf::reacts_to<vouch_for>, caf::reacts_to<peer_noted>, caf::reacts_to<link_due>,
                     caf::reacts_to<stop_link>, caf::reacts_to<caf::io::new_connection_msg>,
                     caf::reacts_to<caf::io::new_data_msg>, caf::reacts_to<caf::io::connection_closed_msg>,
                     caf::reacts_to<caf::io::data_transferred_msg>, caf::reacts_to<caf::io::acceptor_closed_msg>>;

/// What is known of `peer` has changed: it was met for the first time or in a later life, or an older copy of it was
/// refused. Whoever hears this makes it durable and says so to `to`, with `peer_noted`; until then the peer is not
/// listened to. So a wiped disk, or an older copy of one, is recognised after a restart of this node, too.
struct peer_identified {
  peer_id peer;
  acquaintance met;
  acceptor_actor to;
};

/// It is durable.
struct peer_noted {
  peer_id peer;
  acquaintance met;
};

/// Hears how the node's links fare. Everything is about the outward half but `peer_identified`.
using link_listener = caf::typed_actor<caf::reacts_to<link_up>, caf::reacts_to<link_down>, caf::reacts_to<link_refused>,
                                       caf::reacts_to<peer_identified>>;

/// Tells a dialer who vouches for remote disks; it begins to dial.
struct begin_dialing {
  acceptor_actor voucher;
};

/// The remote node has introduced itself at our door: it lives, in this boot.
struct seen_at_door {
  std::uint64_t boot = 0;
};

/// The answer to `vouch_for`: believed if there is no notice.
struct vouched {
  std::uint64_t attempt = 0;
  std::optional<refusal_notice> notice;
};

/// What a name lookup has brought: addresses, or why there are none.
struct addresses_resolved {
  std::uint64_t attempt = 0;
  std::vector<socket_address> addresses;
  std::string trouble;
};

/// Behind what has already arrived for a dialer: sends it off together.
struct link_flush_due {};

/// A link to one remote node; as a `raft_actor` it is what a peer sends to. Never use `request` with it.
using dialer_actor =
    raft_actor::extend<caf::reacts_to<begin_dialing>, caf::reacts_to<seen_at_door>, caf::reacts_to<vouched>,
                       caf::reacts_to<addresses_resolved>, caf::reacts_to<link_flush_due>, caf::reacts_to<link_due>,
                       caf::reacts_to<stop_link>, caf::reacts_to<caf::io::new_data_msg>,
                       caf::reacts_to<caf::io::connection_closed_msg>, caf::reacts_to<caf::io::data_transferred_msg>>;

/// Asks whether the node that answered a dialer is who it says, on the disk it is known by.
struct vouch_for {
  dialer_actor from;
  std::uint64_t attempt = 0;
  hello words;
};

/// Makes a link to each remote node. They are silent, and drop what they are sent, until `spawn_acceptor` starts them.
[[nodiscard]] std::map<peer_id, dialer_actor> spawn_dialers(caf::actor_system& system, const link_options& options,
                                                            const std::map<peer_id, endpoint>& remotes,
                                                            const link_listener& listener);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::link_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::link_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::link_refused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::peer_identified)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::peer_noted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::vouch_for)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::vouched)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::link_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::stop_link)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::begin_dialing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::seen_at_door)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::addresses_resolved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::link_flush_due)
