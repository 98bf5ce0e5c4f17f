/// \file
/// The key-value store on the stage: clients of the program's own state machine, judged key by key.
#pragma once

#include "troupe/workload.hpp"

#include <cstddef>
#include <memory>

namespace troupe {

/// Clients use every command of one key, on a few keys. Besides what is judged of any workload, `key_oracle` holds each
/// answer against the committed log as it comes, and at the end of a run a search that does not see the log looks
/// through what clients of each key saw.
[[nodiscard]] std::unique_ptr<workload> make_kv_workload(unsigned keys, unsigned read_percent, std::size_t value_bytes);

} // namespace troupe
