#include "actors/peer/vote.hpp"

namespace troupe {

bool may_grant_vote(const hard_state& mine, log_position last_log, const request_vote& request) {
  if (request.about.term != mine.current_term)
    return false; // The term rule has run: what differs is of the past.
  if (mine.voted_for != nobody && mine.voted_for != request.about.from)
    return false; // One vote per term.
  return request.last_log >= last_log;
}

bool would_grant_vote(const hard_state& mine, log_position last_log, const request_vote& request) {
  if (request.about.term > mine.current_term)
    return request.last_log >= last_log;
  return may_grant_vote(mine, last_log, request);
}

} // namespace troupe
