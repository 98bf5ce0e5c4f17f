// Elections (paper §5.2; pre-vote, thesis 9.6; leader stickiness, thesis 4.2.3). See consensus.hpp.
#include "actors/peer/consensus.hpp"

#include "actors/peer/vote.hpp"
#include "messages/mutant.hpp"
#include "troupe/assert.hpp"

namespace troupe {

// One transition for everything that an election due means (N13): role, leader hint, term, vote, timer.
void consensus::become_candidate(bool pre_vote, instant now, peer_output& out, bool transfer) {
  set_leader(nobody, out);
  candidate_role running;
  running.pre_vote = pre_vote;
  running.transfer = transfer;
  running.round = ++round_;
  if (pre_vote) {
    running.votes.record(self_, true); // Promises nothing, so nothing need be durable.
  } else {
    ++counters_.elections_started;
    vote_.current_term = vote_.current_term.next();
    vote_.voted_for = TROUPE_MUTANT(E3) ? nobody : self_;
  }
  out.facts.push_back({fact::weight::info,
                       std::string{"event="} + (pre_vote ? "pre_vote" : "election")
                           + " term=" + std::to_string(vote_.current_term.value())});
  role_ = std::move(running);
  timer_.restart(now); // On entering the vote phase, too.
  settle(now, out);
  ask_for_votes(now, out);
  count_votes(now, out);
}

void consensus::ask_for_votes(instant now, peer_output& out) {
  auto& running = std::get<candidate_role>(role_);
  running.resend_at = now + options_.times.heartbeat;
  // Its own vote first: nobody is asked before it is durable (N10, E3).
  if (!running.pre_vote && !running.votes.has_answered(self_))
    return;
  for (auto member : members_.members()) {
    if (member == self_ || !members_.is_voter(member) || running.votes.has_answered(member))
      continue;
    request_vote request;
    request.about = to(member);
    if (running.pre_vote)
      request.about.term = vote_.current_term.next();
    request.round = running.round;
    request.pre_vote = running.pre_vote;
    request.transfer = running.transfer;
    request.last_log = log_.last_position();
    say(request, out);
  }
}

void consensus::count_votes(instant now, peer_output& out) {
  const auto& running = std::get<candidate_role>(role_);
  if (!running.votes.is_won(members_))
    return;
  if (running.pre_vote)
    become_candidate(false, now, out);
  else
    become_leader(now, out);
}

void consensus::handle(const timeout_now& request, instant now, peer_output& out) {
  const bool is_of_leader = request.about.term == vote_.current_term && request.about.from == leader_;
  if (life_ != life::active || !is_of_leader || !members_.is_voter(self_) || !has_say() || is_disk_stalled(now))
    return;
  become_candidate(false, now, out, true);
}

bool consensus::has_say() const {
  return vote_.lost == 0 || TROUPE_MUTANT(L1);
}

bool consensus::is_sticky(const request_vote& request, instant now) const {
  if (request.transfer || TROUPE_MUTANT(E6))
    return false;
  if (is_leader())
    return true;
  const auto* following = std::get_if<follower_role>(&role_);
  return following && following->heard_leader_at
      && now - *following->heard_leader_at < options_.times.election_timeout_min;
}

void consensus::handle(const request_vote& request, instant now, peer_output& out) {
  if (life_ != life::active)
    return;
  vote_reply reply;
  reply.round = request.round;
  reply.pre_vote = request.pre_vote;
  // A peer that hears its leader, or leads, gives no vote away, and adopts no term from one who asks for it: a member
  // that was cut off must not depose a healthy leader (E6). Nor from one who is no member (E13).
  if (members_.is_voter(request.about.from) && !is_sticky(request, now)) {
    if (request.pre_vote) {
      reply.granted = has_say() && would_grant_vote(vote_, log_.last_position(), request);
    } else {
      if (request.about.term > vote_.current_term)
        adopt_term(request.about.term, now, out);
      reply.granted = has_say() && may_grant_vote(vote_, log_.last_position(), request);
      if (reply.granted) {
        vote_.voted_for = request.about.from;
        timer_.restart(now); // Only a granted vote, or a valid leader, refreshes the clock (N11).
      }
    }
  }
  settle(now, out);
  reply.about = to(request.about.from);
  say(reply, out);
}

void consensus::handle(const vote_reply& reply, instant now, peer_output& out) {
  if (life_ != life::active)
    return;
  if (reply.about.term > vote_.current_term && members_.is_member(reply.about.from)
      && !(TROUPE_MUTANT(E5) && reply.pre_vote)) {
    adopt_term(reply.about.term, now, out);
    settle(now, out);
    return;
  }
  auto* running = std::get_if<candidate_role>(&role_);
  // A real vote is cast in the candidate's term; a pre-vote is answered in whatever term the voter is in.
  const bool is_current = running && reply.pre_vote == running->pre_vote && reply.round == running->round
      && (running->pre_vote || reply.about.term == vote_.current_term) && members_.is_voter(reply.about.from);
  if (!is_current && !(TROUPE_MUTANT(E10) && running)) {
    ++counters_.stale_replies_dropped;
    return;
  }
  running->votes.record(reply.about.from, reply.granted);
  count_votes(now, out);
  settle(now, out);
}

} // namespace troupe
