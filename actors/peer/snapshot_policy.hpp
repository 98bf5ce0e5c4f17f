/// \file
/// When a snapshot is due, and what may be forgotten once it is there. Pure.
#pragma once

#include "troupe/peer_options.hpp"
#include "troupe/storage.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

/// What the log has behind the newest snapshot.
struct log_growth {
  std::size_t bytes = 0;
  std::uint64_t entries = 0;
};

[[nodiscard]] inline bool is_snapshot_due(const snapshot_policy& policy, const log_growth& since,
                                          std::uint64_t newest_bytes) {
  if (since.entries == 0)
    return false;
  if (since.bytes >= policy.most_log_bytes)
    return true;
  const bool is_long = since.bytes >= policy.log_bytes || since.entries >= policy.log_entries;
  return is_long && since.bytes >= newest_bytes / 100 * policy.ratio_percent;
}

/// What to let go of.
struct forgetting {
  log_index up_to;
  log_index oldest_snapshot;
  friend bool operator==(const forgetting&, const forgetting&) = default;
};

/// `snapshots` are durable, oldest first; `bytes_behind` is what the log has behind the oldest of those that are to be
/// kept; `pinned` is the oldest one that a follower is being sent, whose log must go on behind it. Nothing, if all is
/// to be kept. The log goes up to the oldest snapshot that is kept, at most: should the newer one turn out damaged, the
/// older and the log are there (S6). Entries are kept for slow followers only if the log is short without them: large
/// ones would fill the disk.
[[nodiscard]] inline std::optional<forgetting> plan_forgetting(const snapshot_policy& policy,
                                                               const std::vector<snapshot_mark>& snapshots,
                                                               std::size_t bytes_behind,
                                                               std::optional<log_index> pinned) {
  const auto kept = std::max<std::size_t>(policy.kept, 1);
  if (snapshots.size() < kept)
    return std::nullopt;
  const auto newest = snapshots.back().at.index;
  auto oldest = snapshots[snapshots.size() - kept].at.index;
  if (pinned)
    oldest = std::min(oldest, *pinned);
  const auto wanted = bytes_behind >= policy.log_bytes ? 0 : policy.trailing_entries;
  const auto trailing = std::min(wanted, newest.value());
  const auto up_to = std::min(oldest, newest - trailing);
  return forgetting{up_to, oldest};
}

} // namespace troupe
