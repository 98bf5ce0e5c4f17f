/// \file
/// What `blob_storage` remembers, and how it looks in the two blobs that the persister holds.
#pragma once

#include <troupe/storage.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace guest {

/// A snapshot that the persister has. Its content is shared with whoever reads it.
struct kept_snapshot {
  troupe::snapshot_mark mark;
  std::shared_ptr<const std::string> content;
};

/// One group's part of the blobs. The batches are consecutive from behind the start on; their bytes are shared with the
/// peer.
struct remembered {
  troupe::hard_state vote;
  troupe::log_start start;
  std::vector<troupe::entry_batch> log;
  std::map<troupe::log_index, kept_snapshot> snapshots;

  [[nodiscard]] troupe::log_index last() const { return log.empty() ? start.before.index : log.back().last(); }
};

using remembered_groups = std::map<troupe::group_id, remembered>;

/// What the persister replaces as one: either both are the new ones, or both those of before. The first is small and
/// always new; the second changes with each snapshot only.
struct blobs {
  std::string state;
  std::string snapshots;
};

[[nodiscard]] blobs encode(const remembered_groups& groups);

/// The same groups again; none from empty blobs. Throws `std::runtime_error` if the blobs are not, byte by byte, what
/// was encoded.
[[nodiscard]] remembered_groups decode(const blobs& saved);

} // namespace guest
