/// \file
/// A run as a space-time diagram: one page for a browser, which needs nothing but itself.
#pragma once

#include "stage/trace.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe {

struct diagram_options {
  std::string title = "A run on the stage";
  /// Lines to begin with: the cluster, the seed, the plan.
  std::vector<std::string> heading = {};
  /// Draws only so many events, the last ones. The page says how many it leaves out; terms, lives and leaderships that
  /// began with them are drawn all the same. A page takes some 100 bytes per event.
  std::size_t most = 200'000;
};

/// Draws a run: nodes are lanes, beside them one for clients and one for faults; time goes down; messages are arrows.
/// Returns HTML, UTF-8, that opens from disk and loads nothing. Whatever the words of events contain, it is shown and
/// never run. Pure: equal events, equal page.
[[nodiscard]] std::string draw(const std::vector<trace_event>& trace, const diagram_options& options = {});

} // namespace troupe
