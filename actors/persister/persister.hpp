/// \file
/// The persister: the only one who writes the disk. Group commit: all writes that wait cost one sync together.
#pragma once

#include "actors/placement.hpp"
#include "messages/protocol.hpp"
#include "troupe/peer.hpp"

#include <memory>

namespace troupe {

/// Makes a persister over `store`, which no one else may use. Serves any number of groups.
[[nodiscard]] persister_actor spawn_persister(caf::actor_system& system, placement where,
                                              std::shared_ptr<storage> store, archivist_actor archivist,
                                              fatal_handler on_fatal);

} // namespace troupe
