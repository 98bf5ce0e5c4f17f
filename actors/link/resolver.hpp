/// \file
/// Looks host names up where waiting hurts nobody.
#pragma once

#include "actors/link/dialer.hpp"

namespace troupe {

/// Resolves one name for one dialer, in a thread of its own that ends with the answer: a name service that does not
/// answer holds up this link and no other. The answer is an `addresses_resolved` with `attempt`.
void spawn_resolver(caf::actor_system& system, const endpoint& where, std::uint64_t attempt, dialer_actor asker);

} // namespace troupe
