/// \file
/// What a client is told when Raft refuses.
#pragma once

#include "troupe/raft_messages.hpp"

#include <string_view>

namespace troupe::resp {

/// The error for one operation that was refused: a code word to branch on, what is known, and what to do. `UNCERTAIN`
/// is said of writes only: a read that was lost sight of has done nothing and may be asked again.
[[nodiscard]] std::string_view refusal_text(refusal why, bool is_write);

} // namespace troupe::resp
