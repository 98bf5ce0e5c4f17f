/// \file
/// The archivist: reads old entries and prepares segments beside the persister, so that no group commit waits for bulk
/// I/O.
#pragma once

#include "actors/persister/persister.hpp"

namespace troupe {

[[nodiscard]] archivist_actor spawn_archivist(caf::actor_system& system, placement where, fatal_handler on_fatal);

} // namespace troupe
