/// \file
/// What the clients of an object saw: when they asked and when they were answered.
#pragma once

#include "troupe/types.hpp"

#include <cstdint>
#include <limits>

namespace troupe {

/// The place of an event in a run. Events are numbered as they happen; two with the same number are concurrent.
using event_ordinal = std::uint64_t;

/// After every event of a run.
inline constexpr event_ordinal never = std::numeric_limits<event_ordinal>::max();

/// An operation from its invocation to its return.
///
/// If its outcome is unknown it returns `never`: it may take effect at any time after its invocation, or not at all
/// (and what it would have answered is not part of `Operation` then). One that was definitely refused must not take
/// effect: it is no part of a history.
template <class Operation>
struct client_call {
  event_ordinal invoked = 0;
  event_ordinal returned = never; ///< Not before `invoked`.
  Operation what;

  [[nodiscard]] bool is_open() const { return returned == never; }
};

} // namespace troupe
