/// \file
/// How much faster than real time the stage is.
#pragma once

namespace troupe {

/// Plays five idle nodes, and five that 50 operations a second are asked of, all judges on, and prints `speedup_idle=`
/// and `speedup_busy=` with the messages handled per second.
void bench_stage();

} // namespace troupe
