/// \file
/// The archivist: reads old entries, prepares segments, writes, checks, sends and receives snapshots beside the
/// persister, so that no group commit waits for bulk I/O. Long work goes a chunk at a time, so that short work does not
/// wait for it either; but building a state from a snapshot is one piece, for whoever needs it cannot go on anyway.
#pragma once

#include "actors/persister/persister.hpp"

namespace troupe {

[[nodiscard]] archivist_actor spawn_archivist(caf::actor_system& system, placement where, fatal_handler on_fatal);

} // namespace troupe
