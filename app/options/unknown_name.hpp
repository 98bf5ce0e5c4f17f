/// \file
/// What to say about a name that is no setting.
#pragma once

#include "app/options/settings.hpp"

namespace troupe {

/// How a source spells the name of a setting: `--heartbeat`, `TROUPE_HEARTBEAT`, `heartbeat`.
using spelling = std::function<std::string(const setting&)>;

/// Ends the sentence about a name that verb `which` does not know: which verb does, or what may have been meant. Empty
/// if nothing is near. `others` are names beside the settings.
[[nodiscard]] std::string instead_of(std::string_view typed, verb which, const spelling& spell,
                                     const std::vector<std::string>& others);

} // namespace troupe
