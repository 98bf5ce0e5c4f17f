/// \file
/// Parts of a scenario's lines that have a grammar of their own: who is meant, the terms of a log, what is expected.
#pragma once

#include "stage/scenario.hpp"
#include "stage/scenario_words.hpp"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// Whom a line may speak of.
struct known_nodes {
  std::uint64_t count;                             ///< Their numbers are 1 to this.
  const std::set<std::string, std::less<>>& names; ///< Given by `call`.
};

// All of these throw `bad_line`.

/// A node or several, by number, role or name. `ends_with_number`: a last number is not a role's.
[[nodiscard]] cast_member read_member(line_of_words& line, const known_nodes& known, bool ends_with_number = false);
/// One node.
[[nodiscard]] cast_member need_node(line_of_words& line, const known_nodes& known);
/// Nodes, between commas.
[[nodiscard]] cast_list need_nodes(line_of_words& line, const known_nodes& known, bool ends_with_number = false);

/// The terms of a log's entries, one or more.
[[nodiscard]] std::vector<term_number> need_terms(line_of_words& line);

/// What stands behind `expect`. `has_asked`: a line before has asked for something that may be answered.
[[nodiscard]] expectation read_expectation(line_of_words& line, const known_nodes& known, bool has_asked);

} // namespace troupe
