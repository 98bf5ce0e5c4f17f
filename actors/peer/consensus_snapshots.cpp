// Snapshots (paper §7): the log's beginning, and what a follower does with InstallSnapshot. See consensus.hpp.
#include "actors/peer/consensus.hpp"

#include "messages/mutant.hpp"
#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

// -- the log's beginning ---------------------------------------------------------------------------------------------

// A snapshot that is durable stands for the log up to it, whatever the log has there: power may have gone between the
// two (S2, S3).
void consensus::believe_recovered(const snapshot_mark& newest) {
  // It may be one of this peer's own, written while the disk still owed the vote of its term. Nobody was told of a vote
  // in that term.
  if (vote_.current_term < newest.at.term) {
    vote_.current_term = newest.at.term;
    vote_.voted_for = nobody;
  }
  snapshot_ = newest;
  commit_ = newest.at.index;
  if (log_.has(newest.at) && !TROUPE_MUTANT(S2_start))
    return;
  log_.begin_behind(newest.at, newest.time);
  start_ = log_start{newest.at, newest.time, newest.at.index};
}

void consensus::note_snapshot(const snapshot_mark& durable) {
  if (!snapshot_ || snapshot_->at.index <= durable.at.index)
    snapshot_ = durable;
}

void consensus::forget_up_to(log_index index, log_index oldest_snapshot, instant now, peer_output& out) {
  if (life_ != life::active || index < log_.base().index)
    return;
  TROUPE_ASSERT(snapshot_ && index <= snapshot_->at.index && oldest_snapshot <= snapshot_->at.index,
                "a snapshot stands for what is forgotten");
  const log_position base{log_.term_at(index), index};
  log_.forget_up_to(base);
  start_ = log_start{base, log_.last_time(), oldest_snapshot};
  settle(now, out);
}

// -- installation ----------------------------------------------------------------------------------------------------

void consensus::handle(const install_snapshot& piece, instant now, peer_output& out) {
  if (life_ != life::active)
    return;
  const bool is_well_formed = piece.at.index > log_index{} && piece.at.term <= piece.about.term
      && piece.offset + piece.bytes.size() <= piece.size_bytes && piece.size_bytes > 0;
  if (!is_well_formed || !members_.is_member(piece.about.from)) {
    ++counters_.malformed_dropped;
    return;
  }
  if (piece.about.term < vote_.current_term)
    return answer(piece, 0, out);
  if (!follow(piece.about, now, out))
    return;
  settle(now, out);
  if (piece.at.index <= commit_ && !TROUPE_MUTANT(S4)) {
    // Nothing new in it (S2). It proves the leader's log up to there, and ours is the same.
    return answer_installed(piece, std::min(piece.at.index, writes_.durable_last()), out);
  }
  if (!reception_ || !reception_->is_of(piece)) {
    if (piece.offset != 0 || piece.bytes.empty())
      return answer(piece, 0, out);
    answer_given_up(out);
    reception_.emplace(piece.about.from, snapshot_reception::mark_of(piece));
  }
  if (reception_->judge(piece) == piece_verdict::refuse)
    return answer(piece, reception_->stored_bytes(), out);
  reception_->hand_over(piece);
  out.pieces.push_back({group_, reception_->what(), piece.offset, piece.bytes, false});
}

void consensus::handle(const piece_stored& report, instant now, peer_output& out) {
  if (life_ != life::active || !reception_ || reception_->what() != report.what)
    return;
  if (report.is_end)
    return reception_->is_finishing() ? install(now, out) : void();
  reception_->stored();
  if (!reception_->is_whole()) {
    if (const auto piece = reception_->take_unanswered())
      answer(*piece, reception_->stored_bytes(), out);
    return;
  }
  finish_reception(out);
}

void consensus::handle(const reception_failed& report, instant now, peer_output& out) {
  if (life_ != life::active || !reception_ || reception_->what() != report.what)
    return;
  out.facts.push_back({fact::weight::warn,
                       "event=snapshot_not_received index=" + std::to_string(report.what.at.index.value()) + " why=\""
                           + report.why + "\""});
  answer_given_up(out);
  reception_.reset();
  settle(now, out);
}

// Each request is answered once.
void consensus::answer_given_up(peer_output& out) {
  if (reception_)
    if (const auto piece = reception_->take_unanswered())
      answer(*piece, 0, out);
}

// What is received is not needed any more: the entries have come, or nobody is followed.
void consensus::give_up_reception(peer_output& out) {
  if (!reception_)
    return;
  answer_given_up(out);
  out.pieces.push_back({group_, reception_->what(), 0, {}, false, true});
  reception_.reset();
}

// No snapshot is durable before the term it came in is: after a crash, what is found must not be of a later term than
// what is remembered.
void consensus::finish_reception(peer_output& out) {
  if (!reception_ || !writes_.is_vote_durable() || !reception_->begin_finishing())
    return;
  out.pieces.push_back({group_, reception_->what(), reception_->stored_bytes(), {}, true});
}

// The snapshot is durable. It takes the log's place in one step: the suffix behind it stays if it continues the
// snapshot, else all goes (S2, S3).
void consensus::install(instant now, peer_output& out) {
  const auto mark = reception_->what();
  const auto piece = reception_->take_unanswered();
  reception_.reset();
  note_snapshot(mark);
  if (mark.at.index > commit_ || TROUPE_MUTANT(S4)) {
    TROUPE_ASSERT(unflushed_.empty() && !truncation_, "what an event writes is handed over with it");
    if ((log_.has(mark.at) && !TROUPE_MUTANT(S2)) || TROUPE_MUTANT(S3)) {
      log_.forget_up_to(mark.at);
    } else {
      void_from_ = log_.base().index.next();
      log_.begin_behind(mark.at, mark.time);
    }
    start_ = log_start{mark.at, mark.time, mark.at.index};
    set_commit(mark.at.index, out);
    out.install = mark;
    out.facts.push_back({fact::weight::info,
                         "event=snapshot_installed index=" + std::to_string(mark.at.index.value())
                             + " bytes=" + std::to_string(mark.size_bytes)});
  }
  settle(now, out);
  if (piece)
    answer_installed(*piece, mark.at.index, out, writes_.newest());
}

namespace {

snapshot_reply reply_to(const install_snapshot& piece, const envelope& about, std::uint64_t lost) {
  snapshot_reply reply;
  reply.about = about;
  reply.incarnation = piece.incarnation;
  reply.number = piece.number;
  reply.read_round = piece.read_round;
  reply.at = piece.at;
  reply.lost = lost;
  return reply;
}

} // namespace

void consensus::answer(const install_snapshot& piece, std::uint64_t received_bytes, peer_output& out) {
  auto reply = reply_to(piece, to(piece.about.from), vote_.lost);
  reply.received_bytes = received_bytes;
  say(reply, out);
}

void consensus::answer_installed(const install_snapshot& piece, log_index match, peer_output& out, write_id until) {
  auto reply = reply_to(piece, to(piece.about.from), vote_.lost);
  reply.received_bytes = piece.size_bytes;
  reply.is_installed = true;
  reply.match = match;
  say(reply, out, until);
}

} // namespace troupe
