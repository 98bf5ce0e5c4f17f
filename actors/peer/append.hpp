/// \file
/// What a follower does with AppendEntries. Pure decisions; `consensus` carries them out.
#pragma once

#include "actors/peer/log.hpp"
#include "troupe/raft_messages.hpp"

#include <optional>
#include <vector>

namespace troupe {

/// Whether a request could come from a correct leader at all: consecutive entries behind `previous`, terms that neither
/// fall nor exceed the leader's (R6, I-5). What fails this is dropped before Raft sees it.
[[nodiscard]] bool is_well_formed(const append_entries& request);

/// Where a follower's log and a request part ways (paper §5.3).
struct append_plan {
  /// The log has an entry equal to the request's previous one (Log Matching holds up to there).
  bool consistent = false;
  /// When not: what the refusal says (back-up by term, one round trip per conflicting term, N25).
  log_position conflict;

  /// When consistent: entries from here on conflict with the request and go. Only a real conflict truncates, same index
  /// and another term: a reordered shorter request never cuts the log (N22, R2).
  std::optional<log_index> truncate_from;
  /// The entries the log does not have yet.
  std::vector<entry_batch> fresh;
  /// The last entry this request proves equal to the leader's; never the log's own last index (R3, R4).
  log_index proven;
};

/// Judges a well-formed request against a log.
[[nodiscard]] append_plan plan_append(const raft_log& mine, const append_entries& request);

} // namespace troupe
