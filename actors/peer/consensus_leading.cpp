// What a leader does: proposals, commitment, reads, its lease. See consensus.hpp.
#include "actors/peer/consensus.hpp"

#include "actors/peer/quorum.hpp"
#include "messages/mutant.hpp"
#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

void consensus::become_leader(instant now, peer_output& out) {
  give_up_reception(out);
  leader_role leading;
  leading.before_term = log_.last_index();
  leading.began_at = now;
  leading.log_time_base = log_.last_time();
  leading.look_at = now + options_.times.heartbeat;
  for (auto member : members_.members())
    if (member != self_)
      leading.members.emplace(member, member_progress{.incarnation = 1, .sent_at = now});
  out.lead_from = log_.last_position();
  role_ = std::move(leading);
  set_leader(self_, out);
  if (options_.term_start_no_op) {
    entry_block_builder no_op;
    no_op.add(entry_kind::no_op, {});
    (void)append_as_leader(no_op.take(), now);
  }
  tell_replicators(now, out);
  flush(now, out);
}

// -- proposals -------------------------------------------------------------------------------------------------------

proposal_result consensus::propose(entry_block block, instant now) {
  if (life_ != life::active || !is_leader())
    return {std::nullopt, life_ == life::stopped ? refusal::stopped : refusal::no_leader};
  if (block.payload.size() > options_.limits.proposal_bytes)
    return {std::nullopt, refusal::too_large};
  if (uncommitted_bytes_ + block.payload.size() > options_.limits.uncommitted_bytes && !uncommitted_.empty()
      && !TROUPE_MUTANT(R8))
    return {std::nullopt, refusal::busy};
  if (!has_room_at_quorum(now))
    return {std::nullopt, refusal::busy};
  return {append_as_leader(std::move(block), now), {}};
}

// What a quorum has no room for would wait, and its clients with it, for as long as disks are full. Once one is, those
// who are not heard of count as little: with nothing full they would be a quorum that is lost, which is noticed as
// such.
bool consensus::has_room_at_quorum(instant now) const {
  if (is_disk_full_)
    return false;
  const auto& known = std::get<leader_role>(role_).members;
  if (std::none_of(known.begin(), known.end(), [](const auto& each) { return each.second.is_disk_full; }))
    return true;
  const auto oldest_contact = now - options_.times.election_timeout_max;
  return is_quorum(members_, [&](peer_id id) {
    return id == self_ || (!known.at(id).is_disk_full && known.at(id).sent_at > oldest_contact);
  });
}

log_position consensus::append_as_leader(entry_block block, instant now) {
  auto batch = entry_batch::stamp(std::move(block), vote_.current_term, log_.last_index().next(), log_time(now));
  const log_position first{batch.term(), batch.first()};
  uncommitted_bytes_ += batch.size_bytes();
  uncommitted_.emplace_back(batch.last(), batch.size_bytes());
  log_.append(batch);
  unflushed_.push_back(std::move(batch));
  return first;
}

std::int64_t consensus::log_time(instant now) const {
  const auto& leading = std::get<leader_role>(role_);
  return leading.log_time_base + std::chrono::duration_cast<std::chrono::microseconds>(now - leading.began_at).count();
}

std::optional<refusal> consensus::begin_read(std::uint64_t ticket, instant now) {
  auto* leading = std::get_if<leader_role>(&role_);
  if (life_ == life::stopped)
    return refusal::stopped;
  if (!leading)
    return refusal::no_leader;
  if (leading->reads.size() >= options_.limits.waiting_reads)
    return refusal::busy;
  leading->reads.add(ticket, now);
  return std::nullopt;
}

bool consensus::wants_flush() const {
  const auto* leading = leadership();
  return leading && (!unflushed_.empty() || leading->reads.has_fresh());
}

void consensus::flush(instant now, peer_output& out) {
  auto* leading = std::get_if<leader_role>(&role_);
  if (life_ != life::active || !leading)
    return;
  const bool new_round = leading->reads.open_round(own_term_commit());
  settle(now, out);
  if (new_round) {
    tell_replicators(now, out);
    confirm_reads(out); // A leader alone is its own quorum.
  }
}

leader_news& consensus::tell_replicators(instant now, peer_output& out) {
  const auto& leading = std::get<leader_role>(role_);
  if (!out.news)
    out.news.emplace();
  out.news->lease_until = lease_until(now);
  out.news->commit = commit_;
  out.news->last = log_.last_index();
  out.news->read_round = leading.reads.round();
  return *out.news;
}

// -- what followers prove --------------------------------------------------------------------------------------------

bool consensus::admit(const append_reply& reply, instant now, peer_output& out) {
  return admit_reply(reply.about, reply.incarnation, reply.lost, now, out);
}

bool consensus::admit(const snapshot_reply& reply, instant now, peer_output& out) {
  return admit_reply(reply.about, reply.incarnation, reply.lost, now, out);
}

bool consensus::admit_reply(const envelope& about, std::uint32_t incarnation, std::uint64_t lost, instant now,
                            peer_output& out) {
  if (life_ != life::active)
    return false;
  if (about.term > vote_.current_term && members_.is_member(about.from)) {
    adopt_term(about.term, now, out);
    settle(now, out);
    return false;
  }
  if (is_current(about.from, about.term, incarnation)) {
    auto& member = std::get<leader_role>(role_).members.at(about.from);
    if (lost == 0 || lost == member.repair.lost) {
      // Answers may overtake each other: what names this loss after it was said to be repaired is of before.
      member.has_say = member.has_say || lost == 0;
      return true;
    }
    // What it has proven it may not have any more; and what it proved before and is still under way is of a replicator
    // of the past.
    member.match = {};
    member.repair = {lost, log_.last_index()};
    member.has_say = false;
    out.facts.push_back({fact::weight::warn,
                         "event=follower_lost follower=" + std::to_string(about.from.value())
                             + " repaired_at=" + std::to_string(member.repair.until.value())});
    out.renew = about.from;
    return false;
  }
  ++counters_.stale_replies_dropped;
  return false;
}

bool consensus::is_current(peer_id follower, term_number term, std::uint32_t incarnation) const {
  const auto* leading = leadership();
  if (!leading || term != vote_.current_term)
    return false;
  const auto known = leading->members.find(follower);
  return known != leading->members.end() && known->second.incarnation == incarnation;
}

repair consensus::repair_of(peer_id follower) const {
  return std::get<leader_role>(role_).members.at(follower).repair;
}

std::uint32_t consensus::renew_incarnation(peer_id follower) {
  return ++std::get<leader_role>(role_).members.at(follower).incarnation;
}

void consensus::renew_lease(instant now, peer_output& out) {
  if (life_ == life::active && is_leader())
    tell_replicators(now, out);
}

void consensus::handle(const follower_heard& report, instant now, peer_output& out) {
  if (!is_current(report.follower, report.term, report.incarnation)) {
    ++counters_.stale_replies_dropped;
    return;
  }
  auto& known = std::get<leader_role>(role_).members.at(report.follower);
  TROUPE_ASSERT(report.match <= log_.last_index(), "a follower proves only what it was sent",
                "peer " + std::to_string(report.follower.value()) + " is said to have entry "
                    + std::to_string(report.match.value()) + ", and the log ends at "
                    + std::to_string(log_.last_index().value()));
  known.match = std::max(known.match, report.match);
  known.sent_at = std::max(known.sent_at, report.sent_at);
  known.read_round = std::max(known.read_round, report.read_round);
  known.is_disk_full = report.is_disk_full;
  advance_commit(out);
  confirm_reads(out);
  if (out.commit_advanced)
    tell_replicators(now, out);
}

// Commits what a quorum holds durably, by counting entries of the leader's own term only (§5.4.2, Figure 8, R1). The
// leader's own share is what its own disk has confirmed (R11).
void consensus::advance_commit(peer_output& out) {
  const auto& leading = std::get<leader_role>(role_);
  const auto held = quorum_value(members_, [&](peer_id id) {
    return id == self_ ? (TROUPE_MUTANT(R11) ? log_.last_index() : writes_.durable_last())
                       : leading.members.at(id).match;
  });
  if (held <= commit_ || (log_.term_at(held) != vote_.current_term && !TROUPE_MUTANT(R1)))
    return;
  set_commit(held, out);
  while (!uncommitted_.empty() && uncommitted_.front().first <= commit_) {
    uncommitted_bytes_ -= uncommitted_.front().second;
    uncommitted_.pop_front();
  }
}

std::optional<log_index> consensus::own_term_commit() const {
  return commit_ > std::get<leader_role>(role_).before_term || TROUPE_MUTANT(Q2) ? std::optional{commit_}
                                                                                 : std::nullopt;
}

void consensus::confirm_reads(peer_output& out) {
  auto& leading = std::get<leader_role>(role_);
  const auto acknowledged = quorum_value(
      members_, [&](peer_id id) { return id == self_ ? leading.reads.round() : leading.members.at(id).read_round; });
  for (auto& read : leading.reads.confirm(TROUPE_MUTANT(Q1) ? leading.reads.round() : acknowledged, own_term_commit()))
    out.confirmed_reads.push_back(read);
}

// -- staying a leader ------------------------------------------------------------------------------------------------

// Law 5: replicators may speak until then. An idle disk is alive; one that owes an answer has until the minimum
// election timeout. A full one may owe it for as long as there is no room, and that is no reason to go: a leader with a
// full disk takes nothing that it would have to write, answers reads, and hands over as soon as anybody has room.
instant consensus::lease_until(instant now) const {
  const auto owes_since = is_disk_full_ ? std::nullopt : writes_.oldest_unanswered();
  return owes_since.value_or(now) + options_.times.election_timeout_min;
}

void consensus::look_after_leadership(instant now, peer_output& out) {
  auto& leading = std::get<leader_role>(role_);
  if (now < leading.look_at)
    return;
  leading.look_at = now + options_.times.heartbeat;

  if (now >= lease_until(now)) {
    out.facts.push_back({fact::weight::warn, "event=step_down reason=disk_stalled"});
    become_follower(nobody, now, out);
    return;
  }
  const auto oldest_contact = now - options_.times.election_timeout_max;
  const bool in_touch =
      is_quorum(members_, [&](peer_id id) { return id == self_ || leading.members.at(id).sent_at > oldest_contact; });
  if (!in_touch && !TROUPE_MUTANT(E8)) {
    out.facts.push_back({fact::weight::warn, "event=step_down reason=no_quorum"});
    become_follower(nobody, now, out);
    return;
  }
  if (yield_when_full(now, out))
    return;
  for (auto ticket : leading.reads.expire(now - options_.client_deadline))
    out.failed_reads.push_back({ticket, refusal::not_ready});
  tell_replicators(now, out);
}

// A leader whose disk is full can take no commands. It hands over to a follower that has room, all entries (thesis
// 3.10) and its say; as long as there is none it goes on, and reads with it.
bool consensus::yield_when_full(instant now, peer_output& out) {
  if (!is_disk_full_)
    return false;
  const auto oldest_contact = now - options_.times.election_timeout_max;
  const auto& known = std::get<leader_role>(role_).members;
  const auto heir = std::find_if(known.begin(), known.end(), [&](const auto& each) {
    const auto& [id, member] = each;
    return members_.is_voter(id) && !member.is_disk_full && member.has_say && member.match == log_.last_index()
        && member.sent_at > oldest_contact;
  });
  if (heir == known.end())
    return false;
  out.facts.push_back(
      {fact::weight::warn, "event=step_down reason=disk_full heir=" + std::to_string(heir->first.value())});
  say(timeout_now{to(heir->first)}, out);
  become_follower(nobody, now, out);
  return true;
}

void consensus::abandon_reads(leader_role& leading, refusal why, peer_output& out) {
  for (auto ticket : leading.reads.abandon())
    out.failed_reads.push_back({ticket, why});
}

} // namespace troupe
