/// \file
/// What clients of the stage live among, and how their operations end: told to the ledger, the workload and the story.
#pragma once

#include "stage/coverage.hpp"
#include "stage/knobs.hpp"
#include "stage/operation_ledger.hpp"
#include "stage/runtime.hpp"
#include "stage/trace_log.hpp"
#include "troupe/workload.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace troupe {

/// All of it must outlive them.
struct client_surroundings {
  stage_runtime& runtime;
  dice& chance;
  const stage_knobs& knobs;
  workload& asked;
  operation_ledger& ledger;
  trace_log& trace;
  coverage& marks;
  /// Whom to ask at a node; null while it is not alive.
  std::function<const peer_actor*(peer_id)> peer_of;
  std::function<bool(peer_id)> is_full_leader;
  /// How often something that a node passed on to a leader was overtaken by what it passed on later.
  std::function<std::uint64_t(peer_id)> overtaken;

  /// Pairs what is said of an operation (stage/trace.hpp), if it is one.
  void note(trace_event::kind what, peer_id node, const std::function<std::string()>& words,
            operation_id of = {}) const;
  /// The ledger has been told that `id` is answered with `words`; now everybody else is.
  void spread_answer(operation_id id, std::string_view words) const;
  /// A client at `node` is told that `id` has no answer.
  void refuse(operation_id id, refusal why) const;
  /// Its client will never know.
  void lose(operation_id id) const;
  void count_refusal(peer_id node, refusal why) const;
  void look_at_workload() const;
};

[[nodiscard]] std::string_view words_for(refusal why);

} // namespace troupe
