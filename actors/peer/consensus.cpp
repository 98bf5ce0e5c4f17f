// Events, terms, roles and promises. See consensus.hpp.
#include "actors/peer/consensus.hpp"

#include "messages/mutant.hpp"
#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Election timeouts that a peer with a full disk lets pass before it runs itself.
constexpr unsigned full_disk_patience = 3;

} // namespace

consensus::consensus(peer_id self, group_id group, configuration members, const recovered_group& recovered,
                     peer_options options)
    : self_{self}, group_{group}, members_{std::move(members)}, options_{options}, vote_{recovered.vote},
      issued_vote_{recovered.vote}, log_{recovered}, timer_{options.times, options.seed}, round_{timer_.draw()},
      writes_{recovered.vote, recovered.last} {
  TROUPE_ASSERT(members_.is_member(self), "a peer belongs to its own group");
  if (!recovered.snapshots.empty())
    believe_recovered(recovered.snapshots.back());
  TROUPE_ASSERT(commit_ >= log_.base().index, "a snapshot stands for what the log has forgotten");
  writes_ = {recovered.vote, log_.last_index()};
  if (TROUPE_MUTANT(E4))
    vote_ = {log_.term_at(log_.last_index()), nobody};
}

void consensus::begin(instant now, peer_output& out) {
  TROUPE_ASSERT(life_ == life::unborn, "a peer begins once");
  life_ = life::active;
  timer_.restart(now);
  out.facts.push_back({fact::weight::info,
                       "event=begin term=" + std::to_string(vote_.current_term.value())
                           + " last=" + std::to_string(log_.last_index().value())});
  if (vote_.lost != 0)
    out.facts.push_back({fact::weight::warn, "event=no_say loss=" + std::to_string(vote_.lost)});
  out.install = snapshot_;
  settle(now, out);
}

void consensus::stop(peer_output& out) {
  if (life_ == life::stopped)
    return;
  if (auto* leading = std::get_if<leader_role>(&role_)) {
    abandon_reads(*leading, refusal::stopped, out);
    out.leadership_ended = commit_;
  }
  role_ = follower_role{};
  leader_ = nobody;
  life_ = life::stopped;
  withheld_.clear();
}

void consensus::tick(instant now, peer_output& out) {
  if (life_ != life::active)
    return;
  if (is_leader()) {
    look_after_leadership(now, out);
  } else if (timer_.is_due(now)) {
    // A peer whose disk hangs cannot keep a promise: it waits for it instead of running. One whose disk is full lets
    // the others go first: as leader it could take no commands.
    const bool defers = is_disk_full_ && ++deferred_elections_ % full_disk_patience != 0;
    if (!members_.is_voter(self_) || !has_say() || is_disk_stalled(now) || defers) {
      timer_.restart(now);
      set_leader(nobody, out); // Nobody is waited for, and clients are told so, until some leader is heard again.
    } else {
      become_candidate(!TROUPE_MUTANT(E6), now, out);
    }
  } else if (auto* running = std::get_if<candidate_role>(&role_); running && now >= running->resend_at) {
    ask_for_votes(now, out);
  }
  settle(now, out);
}

instant consensus::next_deadline() const {
  if (life_ != life::active)
    return instant::max();
  if (const auto* leading = std::get_if<leader_role>(&role_))
    return leading->look_at;
  if (const auto* running = std::get_if<candidate_role>(&role_))
    return std::min(timer_.deadline(), running->resend_at);
  return timer_.deadline();
}

// -- terms and roles -------------------------------------------------------------------------------------------------

// The one place where a term rises (Figure 2, rules for all servers; N12, N14). Only here does the vote become free
// again (N9, E2).
void consensus::adopt_term(term_number term, instant now, peer_output& out) {
  TROUPE_ASSERT(term > vote_.current_term, "terms only rise",
                "term " + std::to_string(term.value()) + " is to follow term "
                    + std::to_string(vote_.current_term.value()));
  vote_.current_term = term;
  vote_.voted_for = nobody;
  become_follower(nobody, now, out);
}

void consensus::become_follower(peer_id leader, instant now, peer_output& out) {
  if (auto* leading = std::get_if<leader_role>(&role_)) {
    if (!TROUPE_MUTANT(R12))
      settle(now, out); // What it has accepted is in its log: the disk hears of it before of anything that replaces it.
    abandon_reads(*leading, refusal::no_leader, out);
    out.leadership_ended = commit_;
    out.news.reset();
    uncommitted_.clear();
    uncommitted_bytes_ = 0;
    // An election timeout of its own: the clock of a leader has not been running.
    timer_.restart(now);
  }
  if (TROUPE_MUTANT(E2))
    vote_.voted_for = nobody;
  role_ = follower_role{};
  set_leader(leader, out);
}

void consensus::set_leader(peer_id leader, peer_output& out) {
  if (leader == leader_)
    return;
  leader_ = leader;
  if (leader != nobody) {
    ++counters_.leader_changes;
    out.facts.push_back({fact::weight::info,
                         "event=leader leader=" + std::to_string(leader.value())
                             + " term=" + std::to_string(vote_.current_term.value())});
  }
}

// -- promises --------------------------------------------------------------------------------------------------------

void consensus::settle(instant now, peer_output& out) {
  const bool vote_changed = vote_ != issued_vote_;
  if (!vote_changed && unflushed_.empty() && !truncation_ && !start_)
    return;
  log_write write;
  write.group = group_;
  if (vote_changed)
    write.vote = issued_vote_ = vote_;
  write.truncate_from = std::exchange(truncation_, std::nullopt);
  write.start = std::exchange(start_, std::nullopt);
  write.append = std::exchange(unflushed_, {});
  if (is_leader() && !write.append.empty()) { // Disk and network work in parallel (law 2).
    auto& told = tell_replicators(now, out).appended;
    told.insert(told.end(), write.append.begin(), write.append.end());
  }
  const auto void_from = std::exchange(void_from_, std::nullopt);
  const auto id = writes_.issue(write.vote, void_from ? void_from : write.truncate_from, log_.last_index(), now);
  out.writes.push_back({id, std::move(write)});
}

void consensus::say(peer_message message, peer_output& out, write_id until) {
  // A pre-vote's term is hypothetical; every other message speaks of the present term, which must be durable.
  if (const auto* request = std::get_if<request_vote>(&message); !request || !request->pre_vote)
    until = std::max(until, writes_.newest_vote());
  if (until <= writes_.completed() || TROUPE_MUTANT(P1))
    out.send.push_back(std::move(message));
  else
    withhold({until, std::move(message)});
}

// A disk that is full can owe a term for long, and a leader asks as often as it has reads. It remembers no more of its
// own requests than this (law 6); what is dropped are the oldest answers.
void consensus::withhold(withheld_message held) {
  if (withheld_.size() >= max_withheld) {
    const auto oldest = std::find_if(withheld_.begin(), withheld_.end(), [](const withheld_message& each) {
      return !std::holds_alternative<request_vote>(each.message);
    });
    if (oldest != withheld_.end())
      withheld_.erase(oldest);
  }
  withheld_.push_back(std::move(held));
}

void consensus::release_withheld(peer_output& out) {
  auto waiting = std::exchange(withheld_, {});
  for (auto& held : waiting) {
    if (held.until > writes_.completed()) {
      withheld_.push_back(std::move(held));
      continue;
    }
    const bool is_request = std::holds_alternative<request_vote>(held.message);
    if (about(held.message).term == vote_.current_term)
      out.send.push_back(std::move(held.message));
    else if (!is_request) // Overtaken by a higher term: refused in it, once that term is durable.
      say(refuse_instead(std::move(held.message), vote_.current_term), out);
  }
}

void consensus::handle(const persisted& report, instant now, peer_output& out) {
  if (life_ != life::active)
    return;
  writes_.complete(report.up_to);
  release_withheld(out);
  finish_reception(out);
  if (auto* running = std::get_if<candidate_role>(&role_)) {
    // The candidate's own vote counts once it is durable, like anyone's (N10, E3).
    if (!running->pre_vote && writes_.is_vote_durable() && !running->votes.has_answered(self_)) {
      running->votes.record(self_, true);
      ask_for_votes(now, out);
      count_votes(now, out);
    }
  } else if (is_leader()) {
    advance_commit(out);
    if (out.commit_advanced) {
      confirm_reads(out);
      tell_replicators(now, out);
    }
  }
  settle(now, out);
}

void consensus::handle(const disk_room& report, instant now, peer_output& out) {
  if (life_ != life::active || is_disk_full_ == report.is_full)
    return;
  is_disk_full_ = report.is_full;
  deferred_elections_ = 0;
  out.facts.push_back({is_disk_full_ ? fact::weight::warn : fact::weight::info,
                       is_disk_full_ ? "event=disk_full commands=refused" : "event=disk_has_room"});
  if (is_leader())
    (void)yield_when_full(now, out);
  settle(now, out);
}

void consensus::set_commit(log_index commit, peer_output& out) {
  if (commit <= commit_ && !TROUPE_MUTANT(R14))
    return; // Never back (R14).
  TROUPE_ASSERT(commit <= log_.last_index(), "nothing is committed that is not in the log",
                "entry " + std::to_string(commit.value()) + " is to be, and the log ends at "
                    + std::to_string(log_.last_index().value()));
  commit_ = commit;
  out.commit_advanced = true;
  if (reception_ && reception_->what().at.index <= commit_)
    give_up_reception(out);
}

bool consensus::is_disk_stalled(instant now) const {
  const auto oldest = writes_.oldest_unanswered();
  return oldest && now - *oldest >= options_.times.election_timeout_min;
}

} // namespace troupe
