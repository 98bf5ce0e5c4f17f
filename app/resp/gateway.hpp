/// \file
/// The RESP gateway: the broker that Redis clients connect to.
#pragma once

#include "actors/link/endpoint.hpp"
#include "actors/port/lots.hpp"
#include "app/resp/half_open.hpp"
#include "app/resp/limits.hpp"
#include "messages/protocol.hpp"

#include <caf/io/all.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace troupe::resp {

struct gateway_options {
  endpoint listen;       ///< Port 0: any free one.
  bool insecure = false; ///< Listen where others than this machine can reach it, without authentication.
  client_limits limits;
  gateway_limits together;
  gather_limits gather;
  /// Connections at a time; one more gets Redis's error and is closed.
  std::size_t max_clients = 10000;
  /// A client whose host has not answered for this long is gone, and so is one that leaves answers unread that long.
  duration vanished_after = std::chrono::seconds{120};
};

/// A connection that was told its last word has had its time to read it.
struct linger_over {
  std::uint64_t client = 0;
};

/// Runs behind whatever the sockets have brought in this turn of the I/O loop: then it is time to submit.
struct submit_due {};

/// Hears what became of its submissions, and what its sockets do. An exit message stops it: it hangs up on everybody
/// and ends.
using gateway_actor =
    client_actor::extend<caf::reacts_to<linger_over>, caf::reacts_to<submit_due>, caf::reacts_to<input_ended>,
                         caf::reacts_to<caf::io::new_connection_msg>, caf::reacts_to<caf::io::new_data_msg>,
                         caf::reacts_to<caf::io::data_transferred_msg>, caf::reacts_to<caf::io::connection_closed_msg>,
                         caf::reacts_to<caf::io::acceptor_closed_msg>>;

/// An open gateway.
struct gateway_door {
  gateway_actor gateway;
  endpoint bound; ///< As asked for, with the port that was bound.
};

/// Listens for Redis clients and submits what they ask to `peer`. Says in words why it cannot listen. When `peer` dies,
/// writes on their way end as uncertain, and everything else with an error, at once.
[[nodiscard]] std::variant<gateway_door, std::string> spawn_gateway(caf::actor_system& system, const peer_actor& peer,
                                                                    const gateway_options& options);

} // namespace troupe::resp

TROUPE_LOCAL_MESSAGE(resp::linger_over)
TROUPE_LOCAL_MESSAGE(resp::submit_due)
