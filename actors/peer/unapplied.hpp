/// \file
/// What a leader has accepted and its state machine has not applied yet, in bytes.
#pragma once

#include "messages/mutant.hpp"
#include "troupe/types.hpp"

#include <cstddef>
#include <deque>

namespace troupe {

/// Law 6 for a slow service: commits free the bound on what is uncommitted, so without this one a leader would accept
/// for ever what its applier never catches up with.
class unapplied {
public:
  void accept(log_index last, std::size_t bytes) {
    blocks_.push_back({last, bytes});
    bytes_ += bytes;
  }

  void applied_up_to(log_index index) {
    for (; !blocks_.empty() && blocks_.front().last <= index; blocks_.pop_front())
      bytes_ -= blocks_.front().bytes;
  }

  /// Leadership has ended: what is behind `commit` may never be applied.
  void forget_behind(log_index commit) {
    for (; !blocks_.empty() && blocks_.back().last > commit; blocks_.pop_back())
      bytes_ -= blocks_.back().bytes;
  }

  [[nodiscard]] bool has_room(std::size_t more, std::size_t limit) const {
    return blocks_.empty() || bytes_ + more <= limit || TROUPE_MUTANT(R8);
  }

private:
  struct block {
    log_index last;
    std::size_t bytes = 0;
  };

  std::deque<block> blocks_;
  std::size_t bytes_ = 0;
};

} // namespace troupe
