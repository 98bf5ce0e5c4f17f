// What a follower does with AppendEntries (paper §5.3). See consensus.hpp.
#include "actors/peer/consensus.hpp"

#include "actors/peer/append.hpp"
#include "messages/mutant.hpp"
#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

namespace {

bool holds_commands(const std::vector<entry_batch>& batches) {
  for (const auto& batch : batches)
    for (const auto entry : batch)
      if (entry.kind == entry_kind::command)
        return true;
  return false;
}

} // namespace

// The term rule on a message of whoever leads in a term that is not of the past; false if its word is not taken.
bool consensus::follow(const envelope& leader, instant now, peer_output& out) {
  if (leader.term > vote_.current_term)
    adopt_term(leader.term, now, out);
  if (is_leader()) {
    // Two leaders in a term: one of them has forgotten a vote. The operator hears of it.
    ++counters_.malformed_dropped;
    out.facts.push_back({fact::weight::warn,
                         "event=second_leader claimant=" + std::to_string(leader.from.value())
                             + " term=" + std::to_string(vote_.current_term.value())});
    return false;
  }
  if (leader_ != leader.from || !std::holds_alternative<follower_role>(role_))
    become_follower(leader.from, now, out);
  std::get<follower_role>(role_).heard_leader_at = now;
  note_heard(leader.term, now);
  timer_.restart(now);
  return true;
}

// A term has one leader, so its silences are those of the term.
void consensus::note_heard(term_number led, instant now) {
  auto& longest = counters_.longest_leader_silence;
  const bool is_same = last_heard_ && last_heard_->term == led;
  longest = is_same ? std::max(longest, now - last_heard_->at) : duration::zero();
  last_heard_ = {led, now};
}

// All that this peer can have acknowledged, and that counts, is there again.
void consensus::take_repair(const repair& said, log_index proven, instant now, peer_output& out) {
  const auto there = std::min({proven, writes_.durable_last(), commit_});
  if (vote_.lost == 0 || said.lost != vote_.lost || there < said.until)
    return;
  vote_.lost = 0;
  out.facts.push_back({fact::weight::info, "event=repaired index=" + std::to_string(there.value())});
  settle(now, out);
}

void consensus::handle(const append_entries& request, instant now, peer_output& out) {
  if (life_ != life::active)
    return;
  if (!is_well_formed(request) || !members_.is_member(request.about.from)) {
    ++counters_.malformed_dropped;
    return;
  }
  append_reply reply;
  reply.incarnation = request.incarnation;
  reply.number = request.number;
  reply.read_round = request.read_round;
  reply.last = log_.last_index();
  reply.is_full = is_disk_full_;
  reply.lost = vote_.lost;

  if (request.about.term < vote_.current_term) {
    reply.about = to(request.about.from);
    say(reply, out);
    return;
  }
  if (!follow(request.about, now, out))
    return;

  if (withheld_.size() >= max_withheld && !request.batches.empty()) {
    // A disk that hangs gathers promises; beyond these many a request is refused for what is durable (law 6).
    reply.about = to(request.about.from);
    reply.last = writes_.durable_last();
    settle(now, out);
    say(reply, out);
    return;
  }

  const auto plan = plan_append(log_, request);
  if (is_disk_full_ && holds_commands(plan.fresh)) {
    // A full follower acknowledges nothing new; what opens a term still fits.
    settle(now, out);
    reply.about = to(request.about.from);
    reply.is_full = true;
    say(reply, out);
    return;
  }
  if (plan.truncate_from) {
    TROUPE_ASSERT(*plan.truncate_from > commit_, "what is committed is never deleted (N21)",
                  "entry " + std::to_string(plan.truncate_from->value()) + " is to be, and all is committed up to "
                      + std::to_string(commit_.value()));
    out.facts.push_back({fact::weight::info,
                         "event=log_cut from=" + std::to_string(plan.truncate_from->value())
                             + " to=" + std::to_string(log_.last_index().value())
                             + " leader=" + std::to_string(request.about.from.value())
                             + " term=" + std::to_string(vote_.current_term.value())});
    log_.truncate_from(*plan.truncate_from);
    truncation_ = plan.truncate_from;
  }
  for (const auto& batch : plan.fresh) {
    log_.append(batch);
    unflushed_.push_back(batch);
  }
  settle(now, out);

  reply.about = to(request.about.from);
  reply.last = log_.last_index();
  if (!plan.consistent) {
    reply.conflict = plan.conflict;
    say(reply, out);
    return;
  }
  // Commit no further than this request has proven (N22, R4).
  set_commit(std::min(request.commit, TROUPE_MUTANT(R4) ? log_.last_index() : plan.proven), out);
  take_repair(request.repair, plan.proven, now, out);
  reply.success = true;
  if (request.batches.empty()) {
    // A heartbeat vouches for contact now, and for what is durable already: it does not queue behind the disk.
    reply.match = std::min(plan.proven, writes_.durable_last());
    say(reply, out);
  } else {
    reply.match = TROUPE_MUTANT(R3) ? log_.last_index() : plan.proven;
    const bool is_durable = plan.proven <= writes_.durable_last();
    say(reply, out, is_durable ? write_id{} : writes_.newest());
  }
}

} // namespace troupe
