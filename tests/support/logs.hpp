/// \file
/// What stories let the actors log.
#pragma once

#include "stage/runtime.hpp"

namespace troupe {

/// Nothing, as a rule: over many seeds it would be a million lines. TROUPE_LOG=info (or trace, for every message) shows
/// it, with the virtual time. To be undone by `forget_virtual_time` before the runtime ends.
void log_by_virtual_time(const stage_runtime& runtime);
void forget_virtual_time();

} // namespace troupe
