/// \file
/// Law 1: promises wait for the disk. What has been written, what of it is durable, and what waits to be said.
#pragma once

#include "messages/persistence.hpp"
#include "troupe/message_codec.hpp"
#include "troupe/types.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace troupe {

/// Follows a peer's writes to its disk, in order. A write is named by its id, never by an index: a late answer for
/// truncated entries must not vouch for their successors.
class writes_in_flight {
public:
  /// Continues a log that was recovered: all of it is durable.
  writes_in_flight(hard_state vote, log_index last) : durable_vote_{vote}, durable_last_{last} {}

  /// Notes a write that leaves the log ending at `last`; gives it its id.
  write_id issue(std::optional<hard_state> vote, std::optional<log_index> truncate_from, log_index last, instant now);

  /// Everything up to and including `up_to` is durable.
  void complete(write_id up_to);

  [[nodiscard]] write_id newest() const { return newest_; }
  [[nodiscard]] write_id completed() const { return completed_; }
  /// The write that holds the newest hard state; nothing may be said of its term before it is durable.
  [[nodiscard]] write_id newest_vote() const { return newest_vote_; }
  [[nodiscard]] bool is_vote_durable() const { return newest_vote_ <= completed_; }
  [[nodiscard]] const hard_state& durable_vote() const { return durable_vote_; }

  /// The last entry of the *present* log that is durable: what is about to be truncated no longer counts.
  [[nodiscard]] log_index durable_last() const;

  /// When the oldest write nobody has answered was issued; nothing if the disk is idle.
  [[nodiscard]] std::optional<instant> oldest_unanswered() const {
    return waiting_.empty() ? std::nullopt : std::optional{waiting_.front().issued_at};
  }

private:
  struct write {
    write_id id;
    std::optional<hard_state> vote;
    std::optional<log_index> truncate_from;
    log_index last;
    instant issued_at;
  };

  std::deque<write> waiting_;
  write_id newest_;
  write_id completed_;
  write_id newest_vote_;
  hard_state durable_vote_;
  log_index durable_last_;
};

/// A message and the write it rests on.
struct withheld_message {
  write_id until;
  peer_message message;
};

/// What becomes of a reply that was withheld until its sender's term had moved on: a refusal in the present term. A
/// request is always answered, exactly once (law 3).
[[nodiscard]] peer_message refuse_instead(peer_message reply, term_number present);

} // namespace troupe
