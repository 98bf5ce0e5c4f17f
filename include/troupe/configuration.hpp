/// \file
/// Who belongs to a group, and what counts as a quorum of it.
#pragma once

#include "troupe/types.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace troupe {

/// The membership of a group, as a value. `outgoing` is empty except in joint consensus (paper §6), where a decision
/// needs a majority of both sets. Membership changes come with a later version; the quorum rules already take them.
/// Each list is sorted and free of duplicates.
struct configuration {
  std::vector<peer_id> incoming; ///< Voters of the configuration in force, or being moved to.
  std::vector<peer_id> outgoing; ///< Voters being moved away from.
  std::vector<peer_id> learners; ///< Replicated to, without a vote.

  [[nodiscard]] static configuration of(std::vector<peer_id> voters) {
    std::sort(voters.begin(), voters.end());
    voters.erase(std::unique(voters.begin(), voters.end()), voters.end());
    return {std::move(voters), {}, {}};
  }

  [[nodiscard]] bool is_voter(peer_id id) const { return holds(incoming, id) || holds(outgoing, id); }
  [[nodiscard]] bool is_member(peer_id id) const { return is_voter(id) || holds(learners, id); }

  /// Everyone in it, sorted, each once.
  [[nodiscard]] std::vector<peer_id> members() const {
    auto all = incoming;
    all.insert(all.end(), outgoing.begin(), outgoing.end());
    all.insert(all.end(), learners.begin(), learners.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

  friend bool operator==(const configuration&, const configuration&) = default;

private:
  static bool holds(const std::vector<peer_id>& ids, peer_id id) {
    return std::binary_search(ids.begin(), ids.end(), id);
  }
};

} // namespace troupe
