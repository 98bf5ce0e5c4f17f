/// \file
/// Watches how much leaders let be on its way (I16): each request, each piece of a snapshot, and what of requests is
/// sent to a follower and not answered.
///
/// Seen from outside, on the network: whatever a replicator may take for answered or lost is taken for that here, so
/// that what is left is under way by its own account, too.
#pragma once

#include "stage/verdict.hpp"
#include "troupe/peer_options.hpp"
#include "troupe/raft_messages.hpp"

#include <deque>
#include <map>
#include <string>
#include <utility>

namespace troupe {

class request_windows {
public:
  request_windows(verdict& judge, const bounds& limits) : judge_{judge}, limits_{limits} {}

  /// A leader sends it, whether or not it will arrive.
  void leaves(const append_entries& request);
  void leaves(const install_snapshot& piece);
  /// It has come to the leader, though that may not have handled it yet.
  void arrives(const append_reply& reply);

private:
  struct request {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
    std::size_t entries = 0;
    log_index last;
  };

  struct window {
    term_number term;
    std::uint32_t incarnation = 0;
    log_position end; ///< Behind what was sent last.
    log_index proven; ///< By answers that have come, if the leader has not come to them yet.
    std::deque<request> under_way;
  };

  void require_room(const window& open, const append_entries& request);
  void fail(const envelope& about, const std::string& words);

  verdict& judge_;
  bounds limits_;
  std::map<std::pair<peer_id, peer_id>, window> windows_; ///< By leader and follower.
};

} // namespace troupe
