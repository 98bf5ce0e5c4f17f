#include "actors/replicator/progress.hpp"

#include "messages/mutant.hpp"
#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr std::size_t probe_bytes = std::size_t{64} << 10;
/// Unanswered heartbeats that are remembered, at most.
constexpr std::size_t max_remembered = 4096;

} // namespace

progress::progress(envelope about, std::uint32_t incarnation, log_position probe_from, peer_options options,
                   troupe::repair repair)
    : about_{about}, incarnation_{incarnation}, options_{options}, repair_{repair}, last_{probe_from.index},
      next_{probe_from.index.next()}, previous_{probe_from} {
  if (TROUPE_MUTANT(R7))
    match_ = probe_from.index;
}

// -- events ----------------------------------------------------------------------------------------------------------

void progress::handle(const leader_news& news, instant now, progress_output& out) {
  lease_until_ = news.lease_until;
  commit_ = std::max(commit_, news.commit);
  last_ = std::max(last_, news.last);
  read_round_ = std::max(read_round_, news.read_round);
  take_in(news.appended);
  send_what_may_go(now, out);
  // A read waits for a round trip: it does not wait for the next heartbeat as well.
  if (read_round_ > round_sent_ && may_speak(now))
    send_heartbeat(now, out);
  settle_notice(now);
}

std::optional<progress::sent_request> progress::take_sent(std::uint64_t number) {
  const auto found = std::find_if(in_flight_.begin(), in_flight_.end(),
                                  [&](const sent_request& sent) { return sent.number == number; });
  if (found == in_flight_.end())
    return std::nullopt;
  const auto sent = *found;
  forget(*found);
  in_flight_.erase(found);
  return sent;
}

// Any answer in this term acknowledges the leader, as of when the question was sent.
void progress::hear(const std::optional<sent_request>& sent, std::uint64_t read_round, progress_output& out) {
  out.heard = follower_heard{about_.to,        about_.term,           incarnation_,
                             match_,           sent ? read_round : 0, sent ? sent->sent_at : instant{},
                             is_follower_full_};
}

void progress::handle(const append_reply& reply, instant now, progress_output& out) {
  const auto sent = take_sent(reply.number);
  if (sent)
    is_follower_full_ = reply.is_full;
  // The logs agree where the request began, and there was no room for what it brought.
  const bool lacks_room = sent && reply.is_full && !reply.success && reply.conflict.index == log_index{}
      && reply.last >= sent->previous.index;
  is_held_back_ = is_held_back_ || lacks_room;
  if (lacks_room && !transfer_) {
    give_up_in_flight();
    move_to(std::max(match_, sent->previous.index).next());
  } else if (reply.success && reply.match <= last_) {
    note_success(reply, sent ? &*sent : nullptr);
  } else if (!sent) {
    ++stale_replies_;
    return;
  } else if (!reply.success) {
    note_refusal(reply, *sent);
  }
  hear(sent, reply.read_round, out);
  send_what_may_go(now, out);
  settle_notice(now);
}

// What a success proves holds for the rest of the term, however late it comes.
void progress::note_success(const append_reply& reply, const sent_request* sent) {
  match_ = std::max(match_, reply.match);
  for (auto& request : in_flight_)
    if (request.last.index <= match_)
      forget(request); // The proof is cumulative.
  if (sent) {
    // The follower has the request's previous entry at least, perhaps not yet durably.
    const auto known = reply.match >= sent->last.index ? sent->last : sent->previous;
    if (known.index > anchor_.index)
      anchor_ = known;
  }
  if (match_ >= next_)
    move_to(match_.next()); // What a probe brought along, or late proof of more than was asked for since.
  if (!streaming_ && !transfer_ && sent && sent->last.index.next() == next_) {
    streaming_ = true;
    given_up_ = number_;
  }
}

// A refusal says something only about the request it answers, and nothing against what is proven (R5). Within a term a
// follower's log only comes closer to the leader's, so however late it is, a refusal never leads back up: late ones of
// earlier requests must not undo what one probe after the other has found out.
void progress::note_refusal(const append_reply& reply, const sent_request& sent) {
  if ((sent.number <= given_up_ || sent.previous.index <= match_) && !TROUPE_MUTANT(R5))
    return;
  ++refusals_;
  const auto hint = reply.conflict.index != log_index{} ? reply.conflict.index : reply.last.next();
  const auto place = std::max(TROUPE_MUTANT(R5) ? log_index{1} : match_.next(), std::min(hint, sent.previous.index));
  if (!streaming_ && place >= next_)
    return;
  if (sent.previous.index <= anchor_.index)
    anchor_ = {}; // It had the entry, not yet durably, and lost it.
  give_up_in_flight();
  move_to(place);
}

void progress::handle(const entries_fetched& fetched, instant now, progress_output& out) {
  fetching_ = false;
  if (fetched.snapshot && !transfer_) {
    give_up_in_flight();
    transfer_.emplace(*fetched.snapshot, options_.limits.snapshot_piece_bytes);
    outbox_.clear();
    outbox_bytes_ = 0;
    previous_.reset();
  }
  // Asked for before the follower's answer moved us elsewhere: of no use now.
  if (!fetched.snapshot && !transfer_ && fetched.previous.index.next() == next_) {
    previous_ = fetched.previous;
    take_in(fetched.batches);
  }
  send_what_may_go(now, out);
  settle_notice(now);
}

// -- time ------------------------------------------------------------------------------------------------------------

void progress::tick(instant now, progress_output& out) {
  expire(now);
  if (now >= try_again_at_) {
    try_again_at_ = now + options_.times.heartbeat;
    is_held_back_ = false;
    if (transfer_ && transfer_->is_gone())
      give_up_transfer();
    else if (transfer_)
      transfer_->beat(now, options_.times.election_timeout_max);
  }
  send_what_may_go(now, out);
  const bool notice = notice_due_ && now >= *notice_due_;
  if (may_speak(now) && (now >= next_beat() || notice))
    send_heartbeat(now, out);
  else if (now >= next_beat())
    last_sent_at_ = now; // Silenced: look again one interval later.
  settle_notice(now);
}

// -- what to send ----------------------------------------------------------------------------------------------------

void progress::take_in(const std::vector<entry_batch>& batches) {
  for (const auto& batch : batches) {
    // What does not follow on, or does not fit, is fetched when its turn comes.
    if (transfer_ || !previous_ || outbox_end() != batch.first() || outbox_bytes_ >= options_.limits.in_flight_bytes)
      return;
    outbox_bytes_ += batch.size_bytes();
    outbox_.push_back(batch);
  }
}

bool progress::window_is_open() const {
  const auto& limits = options_.limits;
  return TROUPE_MUTANT(Z5) || in_flight_entries_ == 0
      || (in_flight_bytes_ < limits.in_flight_bytes && in_flight_entries_ < limits.in_flight_entries
          && in_flight_requests_ < limits.in_flight_requests);
}

std::vector<entry_batch> progress::take_request(std::size_t max_bytes) {
  std::vector<entry_batch> batches;
  std::size_t bytes = 0;
  std::size_t entries = 0;
  while (!outbox_.empty()) {
    const auto& front = outbox_.front();
    if (!batches.empty()
        && (bytes + front.size_bytes() > max_bytes || entries + front.count() > options_.limits.request_entries))
      break;
    auto part = front.front_within(max_bytes);
    if (part.count() > options_.limits.request_entries)
      part = part.slice(part.first(), part.first() + (options_.limits.request_entries - 1));
    bytes += part.size_bytes();
    entries += part.count();
    outbox_bytes_ -= part.size_bytes();
    if (part.count() == front.count() || TROUPE_MUTANT(R6))
      outbox_.pop_front();
    else
      outbox_.front() = front.slice(part.last().next(), front.last());
    batches.push_back(std::move(part));
  }
  return batches;
}

/// What a probe brings along stays in the outbox: if the guess is wrong it was for nothing.
std::vector<entry_batch> progress::copy_request(std::size_t max_bytes) {
  const auto outbox = outbox_;
  const auto bytes = outbox_bytes_;
  auto batches = take_request(max_bytes);
  outbox_ = outbox;
  outbox_bytes_ = bytes;
  return batches;
}

void progress::send_what_may_go(instant now, progress_output& out) {
  if (transfer_)
    return advance_transfer(now, out);
  fetch_if_needed(out);
  if (!may_speak(now) || is_held_back_)
    return;
  if (streaming_) {
    while (!outbox_.empty() && window_is_open())
      send(take_request(options_.limits.request_bytes), *previous_, now, out);
    fetch_if_needed(out);
  } else if (previous_ && !probe_sent_ && !fetching_) {
    // Where the logs agree is a guess: little goes along with it.
    probe_sent_ = true;
    send(copy_request(std::min(options_.limits.request_bytes, probe_bytes)), *previous_, now, out);
  }
}

void progress::send(std::vector<entry_batch> batches, log_position previous, instant now, progress_output& out) {
  TROUPE_ASSERT(batches.empty() || previous.index >= match_, "what a follower is known to have is not sent again (I7)",
                "what lies behind entry " + std::to_string(previous.index.value())
                    + " is to be, and it is known to have all up to " + std::to_string(match_.value()));
  sent_request sent;
  sent.number = ++number_;
  sent.previous = sent.last = previous;
  sent.sent_at = now;
  for (const auto& batch : batches) {
    sent.bytes += batch.size_bytes();
    sent.entries += batch.count();
    sent.last = batch.last_position();
  }
  if (streaming_ && sent.entries > 0) {
    next_ = sent.last.index.next();
    previous_ = sent.last;
  }
  in_flight_bytes_ += sent.bytes;
  in_flight_entries_ += sent.entries;
  in_flight_requests_ += sent.entries > 0 ? 1 : 0;
  remember(sent, now);
  // A follower commits no further than the request proves.
  commit_sent_ = std::max(commit_sent_, std::min(commit_, sent.last.index));

  append_entries request;
  request.about = about_;
  request.incarnation = incarnation_;
  request.number = sent.number;
  request.previous = previous;
  request.commit = commit_;
  request.read_round = read_round_;
  request.repair = repair_;
  request.batches = std::move(batches);
  out.send.push_back(std::move(request));
}

void progress::remember(const sent_request& sent, instant now) {
  in_flight_.push_back(sent);
  if (in_flight_.size() > max_remembered && in_flight_.front().entries == 0)
    in_flight_.pop_front();
  last_sent_at_ = now;
  round_sent_ = read_round_;
}

// Where a heartbeat feels. While entries are on their way it stands on what the follower is known to have: it may
// overtake them. When they have been on their way for long, it asks for them: a refusal or a success tells which of the
// request and the answer was lost.
log_position progress::heartbeat_position(instant now) const {
  if (!previous_)
    return anchor_;
  if (!streaming_)
    return *previous_;
  const auto oldest =
      std::find_if(in_flight_.begin(), in_flight_.end(), [](const sent_request& sent) { return sent.entries > 0; });
  const bool overdue = oldest != in_flight_.end() && now - oldest->sent_at >= options_.times.heartbeat;
  return in_flight_entries_ == 0 || overdue ? *previous_ : anchor_;
}

void progress::send_heartbeat(instant now, progress_output& out) {
  send({}, heartbeat_position(now), now, out);
}

// -- what was sent ---------------------------------------------------------------------------------------------------

/// Takes a request out of the window; its answer still shows contact.
void progress::forget(sent_request& sent) {
  if (sent.entries == 0)
    return;
  in_flight_bytes_ -= sent.bytes;
  in_flight_entries_ -= sent.entries;
  --in_flight_requests_;
  sent.bytes = sent.entries = 0;
}

void progress::expire(instant now) {
  bool lost_entries = false;
  while (!in_flight_.empty() && now - in_flight_.front().sent_at >= options_.times.election_timeout_max) {
    lost_entries = lost_entries || in_flight_.front().entries > 0;
    forget(in_flight_.front());
    in_flight_.pop_front();
  }
  if (!lost_entries)
    return;
  const bool streamed = streaming_;
  give_up_in_flight();
  if (streamed)
    move_to(match_.next()); // A probe stays where it is, and goes out once more.
}

/// What is on its way will not arrive in order: feel anew for where the logs agree.
void progress::give_up_in_flight() {
  for (auto& request : in_flight_)
    forget(request);
  streaming_ = false;
  probe_sent_ = false;
}

void progress::move_to(log_index next) {
  if (next == next_)
    return;
  auto before = position_in_outbox(next.before());
  if (next.before() == anchor_.index)
    before = anchor_;
  if (next > next_ && before)
    drop_from_outbox(next);
  else
    outbox_.clear(); // What nothing is known to stand before cannot be sent.
  outbox_bytes_ = 0;
  for (const auto& batch : outbox_)
    outbox_bytes_ += batch.size_bytes();
  next_ = next;
  previous_ = before;
  fetching_ = false;
}

std::optional<log_position> progress::position_in_outbox(log_index index) const {
  for (const auto& batch : outbox_)
    if (batch.first() <= index && index <= batch.last())
      return log_position{batch.term(), index};
  return std::nullopt;
}

/// Entries before `next` need no sending any more.
void progress::drop_from_outbox(log_index next) {
  while (!outbox_.empty() && outbox_.front().last() < next)
    outbox_.pop_front();
  if (!outbox_.empty() && outbox_.front().first() < next)
    outbox_.front() = outbox_.front().slice(next, outbox_.front().last());
}

void progress::fetch_if_needed(progress_output& out) {
  const bool lacks_entries = outbox_.empty() && next_ <= last_;
  if (fetching_ || (previous_ && !lacks_entries))
    return;
  if (streaming_ && !window_is_open())
    return;
  fetching_ = true;
  out.fetch = fetch_entries{about_.to, about_.term, incarnation_, next_, options_.limits.request_bytes};
}

void progress::settle_notice(instant now) {
  // While entries are in flight or about to go, the commit index travels with what is sent anyway.
  // While silenced, nothing falls due: it would only fall due again, at once. News of a lease comes through here.
  // And no heartbeat tells more than the position proves that it stands on.
  const bool wanted = commit_sent_ < std::min({commit_, match_, heartbeat_position(now).index})
      && in_flight_entries_ == 0 && outbox_.empty() && may_speak(now);
  if (!wanted)
    notice_due_.reset();
  else if (!notice_due_)
    notice_due_ = now + options_.times.commit_notice;
}

} // namespace troupe
