#include "actors/peer/append.hpp"

#include "messages/mutant.hpp"

#include <algorithm>

namespace troupe {

bool is_well_formed(const append_entries& request) {
  auto last = request.previous;
  // A sentinel has no term, and what has a term is no sentinel.
  if ((last.index == log_index{}) != (last.term == term_number{}))
    return false;
  for (const auto& batch : request.batches) {
    if (batch.first() != last.index.next() || batch.term() < last.term || batch.term() == term_number{})
      return false;
    last = batch.last_position();
  }
  return last.term <= request.about.term;
}

namespace {

/// The first entry of `batch` that the log lacks or has with another term; one past the batch if there is none.
log_index first_difference(const raft_log& mine, const entry_batch& batch) {
  const auto end = batch.last().next();
  // Equal terms at its last index mean equal batches (Log Matching): the usual case of a repeated request.
  if (mine.agrees_at(batch.last_position()))
    return end;
  auto index = batch.first();
  while (index < end && mine.agrees_at({batch.term(), index}))
    index = index.next();
  return index;
}

} // namespace

append_plan plan_append(const raft_log& mine, const append_entries& request) {
  append_plan plan;
  plan.proven = request.previous.index;
  if (!mine.agrees_at(request.previous)) {
    if (request.previous.index <= mine.last_index())
      plan.conflict = {mine.term_at(request.previous.index), mine.first_of_run(request.previous.index)};
    return plan;
  }
  plan.consistent = true;
  for (const auto& batch : request.batches) {
    plan.proven = batch.last();
    if (!plan.fresh.empty()) {
      plan.fresh.push_back(batch);
      continue;
    }
    const auto from = first_difference(mine, batch);
    if (from > batch.last())
      continue;
    if (from <= mine.last_index())
      plan.truncate_from = from;
    plan.fresh.push_back(batch.slice(from, batch.last()));
  }
  if (TROUPE_MUTANT(R2) && plan.fresh.empty() && plan.proven < mine.last_index())
    plan.truncate_from = plan.proven.next();
  return plan;
}

} // namespace troupe
