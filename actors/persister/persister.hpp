/// \file
/// The persister: the only one who writes the disk. Group commit: all writes that wait cost one sync together.
#pragma once

#include "actors/placement.hpp"
#include "messages/protocol.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// Called once with the words of a failure that nothing can go on after; must not return to business as usual.
using fatal_handler = std::function<void(const std::string&)>;

/// Makes a persister over `store`, which no one else may use. Serves any number of groups.
[[nodiscard]] persister_actor spawn_persister(caf::actor_system& system, placement where,
                                              std::shared_ptr<storage> store, archivist_actor archivist,
                                              fatal_handler on_fatal);

} // namespace troupe
