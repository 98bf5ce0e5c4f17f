/// \file
/// The mind of a replicator: what one follower has, what is on its way to it, what to send next.
///
/// Probe: where the logs agree is not known; one request at a time feels for it (paper §5.3). Stream: it is known;
/// requests follow each other without waiting for answers, within a window (thesis 10.2.1). Snapshot: the follower
/// needs entries that the leader's log has no more; a snapshot goes instead, piece by piece, and then it is felt for
/// again (paper §7). No clock, no CAF.
#pragma once

#include "actors/replicator/snapshot_transfer.hpp"
#include "messages/replication.hpp"
#include "messages/snapshots.hpp"
#include "troupe/peer_options.hpp"
#include "troupe/raft_messages.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace troupe {

/// What a replicator wants done.
struct progress_output {
  std::vector<append_entries> send;
  std::vector<install_snapshot> send_pieces;
  std::optional<fetch_entries> fetch;
  std::optional<troupe::fetch_piece> fetch_piece;
  std::optional<follower_heard> heard;
};

class progress {
public:
  /// `about` names group, leader, follower and term. The first request probes behind `probe_from`, the leader's last
  /// position before its term.
  progress(envelope about, std::uint32_t incarnation, log_position probe_from, peer_options options,
           troupe::repair repair = {});

  void handle(const leader_news& news, instant now, progress_output& out);
  /// Any answer to this incarnation; judged against what was sent (N18, R5). `stale_replies()` counts what proves
  /// nothing.
  void handle(const append_reply& reply, instant now, progress_output& out);
  void handle(const snapshot_reply& reply, instant now, progress_output& out);
  void handle(const entries_fetched& fetched, instant now, progress_output& out);
  void handle(const piece_fetched& fetched, instant now, progress_output& out);
  /// Lets time pass: heartbeats, commit notices, requests nobody answered.
  void tick(instant now, progress_output& out);

  /// When the next heartbeat is due.
  [[nodiscard]] instant next_beat() const { return last_sent_at_ + options_.times.heartbeat; }
  /// When the follower is to be told of the commit index, if nothing else will.
  [[nodiscard]] std::optional<instant> notice_due() const { return notice_due_; }

  [[nodiscard]] log_index match() const { return match_; }
  [[nodiscard]] log_index next() const { return next_; }
  [[nodiscard]] bool is_streaming() const { return streaming_; }
  [[nodiscard]] bool is_sending_snapshot() const { return transfer_.has_value(); }
  [[nodiscard]] std::size_t requests_in_flight() const { return in_flight_requests_; }
  [[nodiscard]] std::size_t bytes_in_flight() const { return in_flight_bytes_; }
  [[nodiscard]] std::uint64_t stale_replies() const { return stale_replies_; }
  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }

private:
  /// A request that nobody has answered yet.
  struct sent_request {
    std::uint64_t number = 0;
    log_position previous;
    log_position last; ///< Of its entries; equal to `previous` for a heartbeat.
    std::size_t bytes = 0;
    std::size_t entries = 0; ///< 0 for a heartbeat, and for what is given up: its answer still shows contact.
    instant sent_at{};
  };

  void take_in(const std::vector<entry_batch>& batches);
  void send_what_may_go(instant now, progress_output& out);
  [[nodiscard]] bool window_is_open() const;
  [[nodiscard]] std::vector<entry_batch> take_request(std::size_t max_bytes);
  [[nodiscard]] std::vector<entry_batch> copy_request(std::size_t max_bytes);
  void send(std::vector<entry_batch> batches, log_position previous, instant now, progress_output& out);
  void send_heartbeat(instant now, progress_output& out);
  [[nodiscard]] log_position heartbeat_position(instant now) const;
  void note_success(const append_reply& reply, const sent_request* sent);
  void note_refusal(const append_reply& reply, const sent_request& sent);
  void forget(sent_request& sent);
  void expire(instant now);
  void give_up_in_flight();
  void move_to(log_index next);
  [[nodiscard]] std::optional<log_position> position_in_outbox(log_index index) const;
  void drop_from_outbox(log_index next);
  void fetch_if_needed(progress_output& out);
  void settle_notice(instant now);
  [[nodiscard]] std::optional<sent_request> take_sent(std::uint64_t number);
  void remember(const sent_request& sent, instant now);
  void hear(const std::optional<sent_request>& sent, std::uint64_t read_round, progress_output& out);
  void advance_transfer(instant now, progress_output& out);
  void give_up_transfer();
  void send_piece(std::uint64_t offset, shared_bytes bytes, instant now, progress_output& out);
  [[nodiscard]] log_index outbox_end() const { return outbox_.empty() ? next_ : outbox_.back().last().next(); }
  [[nodiscard]] bool may_speak(instant now) const { return now < lease_until_; }

  envelope about_;
  std::uint32_t incarnation_;
  peer_options options_;
  troupe::repair repair_;

  instant lease_until_{};
  log_index commit_;
  log_index last_; ///< The leader's last index.
  std::uint64_t read_round_ = 0;
  std::uint64_t round_sent_ = 0;
  log_index commit_sent_;

  bool streaming_ = false;
  bool probe_sent_ = false; ///< The probe at `next_` has gone out with its entries once.
  log_index match_;
  log_index next_;                       ///< The first index not sent yet; while probing, the first in question.
  std::optional<log_position> previous_; ///< Position before `next_`; nothing until it is fetched.
  log_position anchor_;                  ///< A position known to be in the follower's log.

  std::deque<entry_batch> outbox_; ///< Consecutive, from `next_` on; empty while `previous_` is not known.
  std::size_t outbox_bytes_ = 0;
  bool fetching_ = false;
  std::optional<snapshot_transfer> transfer_; ///< While it runs, no entries are sent.
  bool is_follower_full_ = false;             ///< Its disk takes no commands; it is asked again with each heartbeat.
  bool is_held_back_ = false;                 ///< Until then.

  std::deque<sent_request> in_flight_; ///< In order of number; heartbeats, too.
  std::uint64_t given_up_ = 0;         ///< Refusals of requests up to this number are of the past: sent before
                                       ///< the stream began.
  std::size_t in_flight_requests_ = 0; ///< With entries, like the two sums below.
  std::size_t in_flight_bytes_ = 0;
  std::size_t in_flight_entries_ = 0;
  std::uint64_t number_ = 0;
  instant last_sent_at_{};
  instant try_again_at_{}; ///< What was put off; not the next heartbeat: reads send some between.
  std::optional<instant> notice_due_;
  std::uint64_t stale_replies_ = 0;
  std::uint64_t refusals_ = 0;
};

} // namespace troupe
