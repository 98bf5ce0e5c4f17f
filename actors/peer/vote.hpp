/// \file
/// Whom a peer may vote for. Pure: same arguments, same answer.
#pragma once

#include "troupe/raft_messages.hpp"
#include "troupe/types.hpp"

namespace troupe {

/// Decides whether a peer may vote for a candidate.
///
/// Granted when (paper Figure 2, RequestVote receiver; §5.2, §5.4.1):
///   1. the candidate's term is this peer's term;
///   2. this peer has voted for nobody in the term, or for this candidate (a repeated request is granted again, N15);
///   3. the candidate's log is at least as up-to-date as this peer's.
/// The caller must have the vote on disk before it tells anyone.
[[nodiscard]] bool may_grant_vote(const hard_state& mine, log_position last_log, const request_vote& request);

/// Decides whether a peer would vote for a candidate that ran in `request.about.term` (thesis 9.6). Promises nothing
/// and changes nothing: the real request is judged anew. A term this peer is already in counts as it would for a vote,
/// or two peers whose terms differ by one could refuse each other for ever (E5).
[[nodiscard]] bool would_grant_vote(const hard_state& mine, log_position last_log, const request_vote& request);

} // namespace troupe
