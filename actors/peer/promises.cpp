#include "actors/peer/promises.hpp"

#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

write_id writes_in_flight::issue(std::optional<hard_state> vote, std::optional<log_index> truncate_from, log_index last,
                                 instant now) {
  newest_ = newest_.next();
  if (vote)
    newest_vote_ = newest_;
  waiting_.push_back({newest_, vote, truncate_from, last, now});
  return newest_;
}

void writes_in_flight::complete(write_id up_to) {
  TROUPE_ASSERT(up_to <= newest_, "the disk answers what was asked");
  while (!waiting_.empty() && waiting_.front().id <= up_to) {
    const auto& done = waiting_.front();
    if (done.vote)
      durable_vote_ = *done.vote;
    durable_last_ = done.last;
    waiting_.pop_front();
  }
  completed_ = std::max(completed_, up_to);
}

log_index writes_in_flight::durable_last() const {
  auto last = durable_last_;
  for (const auto& write : waiting_)
    if (write.truncate_from)
      last = std::min(last, write.truncate_from->before());
  return last;
}

peer_message refuse_instead(peer_message reply, term_number present) {
  if (auto* vote = std::get_if<vote_reply>(&reply)) {
    vote->about.term = present;
    vote->granted = false;
  } else if (auto* append = std::get_if<append_reply>(&reply)) {
    append->about.term = present;
    append->success = false;
    append->match = append->last = log_index{};
    append->conflict = {};
  } else if (auto* snapshot = std::get_if<snapshot_reply>(&reply)) {
    snapshot->about.term = present;
    snapshot->is_installed = false;
    snapshot->received_bytes = 0;
    snapshot->match = {};
  }
  return reply;
}

} // namespace troupe
