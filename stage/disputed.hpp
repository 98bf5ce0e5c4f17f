/// \file
/// What a broken promise is about, and where the story of its run speaks of that: of an entry from its first sending to
/// who applied it, of an operation, of an election.
#pragma once

#include "stage/reading.hpp"
#include "stage/story_lines.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace troupe {

struct disputed {
  std::set<std::uint64_t> entries;    ///< By index.
  std::set<std::uint64_t> operations; ///< By number.
  std::set<std::uint64_t> terms;      ///< Whose elections are in question.

  /// `entry 7, operation 12`; empty if there is nothing.
  [[nodiscard]] std::string in_words() const;
};

/// Finds in the words of a broken promise, and in what is known beyond them, what is named there.
[[nodiscard]] disputed find_disputed(const std::string& violation, const std::vector<std::string>& details);

/// Of the lines of a story those that speak of what is disputed, in order, by their places: of messages that say the
/// same again only the first of each sender to each receiver; and whoever rose, crashed or started, and what faults
/// befell, since the first of them. Completes `about`: an entry's operation, and an operation's entry.
[[nodiscard]] std::vector<std::size_t> lines_about(disputed& about, const std::vector<trace_event>& trace,
                                                   const reading& read, const std::vector<story_line>& lines);

} // namespace troupe
