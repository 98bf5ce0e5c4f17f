/// \file
/// The gateway of a node on the stage: production's reception in a scheduled actor, without sockets.
#pragma once

#include "app/resp/limits.hpp"
#include "stage/gate.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// Bytes of a client have arrived; the first ones open its connection.
struct client_bytes {
  std::uint64_t client = 0;
  std::string bytes;
};

/// A client has taken so many bytes of what was said to it.
struct client_took {
  std::uint64_t client = 0;
  std::size_t bytes = 0;
};

/// No more bytes will come from a client; it still listens, unless it has hung up.
struct client_ended {
  std::uint64_t client = 0;
  bool hangs_up = false;
};

/// Runs behind what else has arrived by now: then it is time to submit.
struct door_submit_due {};

using resp_door = client_actor::extend<caf::reacts_to<client_bytes>, caf::reacts_to<client_took>,
                                       caf::reacts_to<client_ended>, caf::reacts_to<door_submit_due>>;

/// Where a door's connections lead, and what it may take up.
struct door_parts {
  stage_runtime& runtime;
  gate_watch& watch;
  resp::client_limits limits;
  gather_limits gather;
  std::function<void(std::uint64_t client, std::string bytes)> says;
  /// Bytes of a client are to be held back, or not any more.
  std::function<void(std::uint64_t client, bool reads)> reads;
  std::function<void(std::uint64_t client)> closes;
};

/// A door before `peer`. It is deaf and dumb once `parts` is empty: so is a node without power.
[[nodiscard]] resp_door open_door(caf::actor_system& system, const peer_actor& peer,
                                  std::shared_ptr<const std::optional<door_parts>> parts);

} // namespace troupe

TROUPE_LOCAL_MESSAGE(client_bytes)
TROUPE_LOCAL_MESSAGE(client_took)
TROUPE_LOCAL_MESSAGE(client_ended)
TROUPE_LOCAL_MESSAGE(door_submit_due)
