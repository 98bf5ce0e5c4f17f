/// \file
/// What a peer says to its applier, and hears.
#pragma once

#include "troupe/client_messages.hpp"
#include "troupe/entry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A checksum of the state as it is after the entry at `index`: an entry of kind `state_hash`, which everyone passes.
struct hashed_place {
  log_index index;
  std::uint64_t hash = 0;
  friend bool operator==(const hashed_place&, const hashed_place&) = default;
};

/// What an entry of kind `state_hash` says: the leader's hash at an earlier such entry; index 0 if it has none.
[[nodiscard]] std::string encode(const hashed_place& place);
[[nodiscard]] std::optional<hashed_place> decode_hashed_place(std::string_view content);

/// Reported after each `apply_entries`; gives the peer its credit back (apply backlog, law 6).
struct applied {
  group_id group;
  log_index up_to;
  std::size_t bytes = 0;
  /// The newest place where the state was hashed.
  std::optional<hashed_place> hashed = {};
};

} // namespace troupe
