/// \file
/// Redis clients on the stage: what they say goes byte by byte through production's parser and conversation.
#pragma once

#include "stage/gate.hpp"

#include <memory>

namespace troupe {

/// Connections to doors (resp_door.hpp), for operations of the key-value workload. Requests are pipelined, bytes come
/// in pieces of any size, and now and then a client says what has nothing to do with the store, ends its input, says
/// QUIT or hangs up. Checked: every request gets one reply, in the order of the requests, or the connection ends, and
/// it does not end by itself before that.
[[nodiscard]] std::unique_ptr<client_gate> make_resp_gate(gate_parts parts);

} // namespace troupe
