/// \file
/// Which options of a peer make no sense together. A mind.
#pragma once

#include "troupe/peer_options.hpp"

#include <string>

namespace troupe {

/// What is wrong with these options, in words that name the member, its value and what would do; empty if nothing is.
[[nodiscard]] std::string misfit(const peer_options& options);

} // namespace troupe
