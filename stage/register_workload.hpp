/// \file
/// The smallest workload that shows every kind of inconsistency: a few registers, every value written once.
#pragma once

#include "troupe/workload.hpp"

#include <cstddef>
#include <memory>

namespace troupe {

/// Clients write values of about `value_bytes`, append, and compare and set, to `keys` registers; `read_percent` of 100
/// operations are queries.
[[nodiscard]] std::unique_ptr<workload> make_register_workload(unsigned keys, unsigned read_percent,
                                                               std::size_t value_bytes);

} // namespace troupe
