/// \file
/// The votes of one attempt to become leader.
#pragma once

#include "actors/peer/quorum.hpp"
#include "troupe/configuration.hpp"

#include <set>

namespace troupe {

/// Counts each voter of the configuration once per attempt (E10). An attempt is a (term, phase, round); its owner drops
/// answers to any other before they get here (N18).
class ballot {
public:
  void record(peer_id voter, bool granted) {
    if (!answered_.insert(voter).second)
      return;
    if (granted)
      granted_.insert(voter);
  }

  [[nodiscard]] bool has_answered(peer_id voter) const { return answered_.contains(voter); }

  [[nodiscard]] bool is_won(const configuration& members) const {
    return is_quorum(members, [this](peer_id id) { return granted_.contains(id); });
  }

private:
  std::set<peer_id> answered_;
  std::set<peer_id> granted_;
};

} // namespace troupe
