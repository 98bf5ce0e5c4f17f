/// \file
/// Client sockets that may end what they say and go on listening.
///
/// CAF ends a connection at the end of its input, and with it the answers still to come: whoever sends his commands,
/// shuts his side and waits for the replies (`printf ... | nc -N`) would miss them. The doorman made here is CAF's own
/// but for that.
#pragma once

#include "messages/protocol.hpp"

#include <caf/io/all.hpp>
#include <caf/io/network/default_multiplexer.hpp>

namespace troupe::resp {

/// A client has said all it will say. Its connection stays, for writing, until it is closed or fails.
struct input_ended {
  caf::io::connection_handle handle;
};

/// Accepts at `socket`, which listens, and owns it. The broker it is added to hears an `input_ended` where a connection
/// of CAF's own would be closed; everything else is as with those.
[[nodiscard]] caf::io::doorman_ptr make_half_open_doorman(caf::io::network::default_multiplexer& io, int socket);

} // namespace troupe::resp

TROUPE_LOCAL_MESSAGE(resp::input_ended)
