// What a follower is sent in place of entries that are gone: a snapshot, piece by piece. See progress.hpp.
#include "actors/replicator/progress.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

void progress::handle(const snapshot_reply& reply, instant now, progress_output& out) {
  const auto sent = take_sent(reply.number);
  match_ = std::max(match_, std::min(reply.match, last_)); // As with entries: what it proves holds, however late.
  if (!sent && !reply.is_installed) {
    ++stale_replies_;
    return;
  }
  if (transfer_ && reply.at == transfer_->what().at) {
    if (reply.is_installed) {
      anchor_ = transfer_->what().at;
      transfer_.reset();
      next_ = anchor_.index.next();
      previous_ = anchor_;
      streaming_ = probe_sent_ = fetching_ = false;
    } else {
      (void)transfer_->answered(reply.number, reply.received_bytes, now, options_.times.heartbeat);
    }
  }
  if (!transfer_ && match_ >= next_)
    move_to(match_.next()); // Late proof of more than the snapshot.
  hear(sent, reply.read_round, out);
  send_what_may_go(now, out);
  settle_notice(now);
}

void progress::handle(const piece_fetched& fetched, instant now, progress_output& out) {
  if (transfer_ && fetched.index == transfer_->what().at.index) {
    transfer_->fetched();
    if (fetched.bytes.empty()) {
      transfer_->gone(); // What stands in for the entries now? Asked in a while: there may be no other yet.
    } else if (fetched.offset == transfer_->offset() && may_speak(now)) {
      send_piece(fetched.offset, fetched.bytes, now, out);
    }
  }
  send_what_may_go(now, out);
}

void progress::give_up_transfer() {
  transfer_.reset();
  fetching_ = false;
}

void progress::advance_transfer(instant now, progress_output& out) {
  if (!may_speak(now))
    return;
  switch (transfer_->next()) {
  case snapshot_transfer::step::ask: send_piece(transfer_->offset(), {}, now, out); break;
  case snapshot_transfer::step::fetch:
    transfer_->fetching();
    out.fetch_piece = fetch_piece{about_.to,           about_.term,
                                  incarnation_,        transfer_->what().at.index,
                                  transfer_->offset(), transfer_->piece_bytes()};
    break;
  case snapshot_transfer::step::wait: break;
  }
}

void progress::send_piece(std::uint64_t offset, shared_bytes bytes, instant now, progress_output& out) {
  sent_request sent;
  sent.number = ++number_;
  sent.sent_at = now;
  remember(sent, now);
  transfer_->sent(sent.number, now);
  install_snapshot piece;
  piece.about = about_;
  piece.incarnation = incarnation_;
  piece.number = sent.number;
  piece.read_round = read_round_;
  piece.at = transfer_->what().at;
  piece.time = transfer_->what().time;
  piece.size_bytes = transfer_->what().size_bytes;
  piece.offset = offset;
  piece.bytes = std::move(bytes);
  out.send_pieces.push_back(std::move(piece));
}

} // namespace troupe
