/// \file
/// Where a group's log begins anew, if what damage has left of it is no log.
///
/// Once a prefix of the log is gone, the group's entries do not reach back to index 1, and the record that says where
/// they begin is behind them. If the damage is between the two, what is before it has entries without a beginning; or
/// it begins where it once did, with a gap behind that. Nothing of it can be kept then: the group goes on as if a
/// leader had sent it its newest whole snapshot, and nothing since. Without a snapshot, as if it were new.
///
/// Why that is safe: it is done only for a loss that is declared, so that the group has no say until a leader has sent
/// all that it can have acknowledged. Its term and its vote, which it must not forget, are not in the log. A snapshot
/// holds what was committed, and nothing else.
#pragma once

#include "persistence/group_log.hpp"
#include "persistence/snapshot_store.hpp"
#include "troupe/types.hpp"

#include <optional>

namespace troupe {

/// Where it begins: behind the newest whole snapshot of a term that is `remembered`, else at index 1. Nothing if no
/// snapshot is there, not even a damaged one: then one was taken away, and can be put back.
[[nodiscard]] std::optional<log_start> new_beginning(const group_log& left, const found_snapshots& found,
                                                     term_number remembered);

/// Is what the log lacks at its beginning in no whole snapshot, because those that would have it are damaged?
[[nodiscard]] bool lacks_damaged_snapshot(const group_log& left, const found_snapshots& found);

} // namespace troupe
