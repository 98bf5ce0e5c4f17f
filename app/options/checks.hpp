/// \file
/// Rules that concern several settings at once.
#pragma once

#include "app/options/sources.hpp"

namespace troupe {

/// Fills in what follows from other settings (`listen`), in options whose single values are good. Does nothing where
/// something is missing.
void derive(node_settings& node, std::vector<resolved_value>& values);

/// What does not fit together, each in a line that names the settings and where they came from.
[[nodiscard]] std::vector<std::string> misfits(const node_settings& node, const std::vector<resolved_value>& values);

} // namespace troupe
