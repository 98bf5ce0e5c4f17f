#include "stage/client_surroundings.hpp"

#include <utility>

namespace troupe {

std::string_view words_for(refusal why) {
  switch (why) {
  case refusal::no_leader: return "no leader";
  case refusal::busy: return "busy";
  case refusal::too_large: return "too large";
  case refusal::uncertain: return "uncertain";
  case refusal::not_ready: return "not ready";
  case refusal::stopped: return "stopped";
  }
  return "?";
}

void client_surroundings::note(trace_event::kind what, peer_id node, const std::function<std::string()>& words,
                               operation_id of) const {
  trace.note({runtime.now() - runtime.started_at(), what, node, nobody, {}, of.value(), {}}, words);
}

void client_surroundings::spread_answer(operation_id id, std::string_view words) const {
  trace.fold(id.value());
  asked.answered(id, words);
  look_at_workload();
}

void client_surroundings::refuse(operation_id id, refusal why) const {
  ledger.is_refused(id, why, runtime.now());
  if (why == refusal::uncertain)
    asked.lost(id);
  else
    asked.refused(id);
  look_at_workload();
}

void client_surroundings::lose(operation_id id) const {
  ledger.is_cut_off(id);
  asked.lost(id);
}

void client_surroundings::count_refusal(peer_id node, refusal why) const {
  if (why == refusal::busy) {
    marks.hit(sometimes::command_refused_busy);
    if (is_full_leader(node))
      marks.hit(sometimes::full_leader);
  }
  if (why == refusal::uncertain)
    marks.hit(sometimes::command_uncertain);
  if (why == refusal::not_ready)
    marks.hit(sometimes::read_not_ready);
  if (why == refusal::no_leader)
    marks.hit(sometimes::minority_serves_nobody);
}

void client_surroundings::look_at_workload() const {
  if (auto trouble = asked.trouble())
    runtime.judge().fail(*std::move(trouble));
}

} // namespace troupe
