/// \file
/// A managed node, for CAF actors: request `carry_out` and `look_up` from its port.
#pragma once

#include "troupe/actors.hpp"
#include "troupe/node.hpp"

namespace troupe {

/// The node's port. Ends when the node stops; requests that come later get CAF's `request_receiver_down`.
[[nodiscard]] const port_actor& port_of(const node& node);

} // namespace troupe
