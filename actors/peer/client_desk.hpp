/// \file
/// Where a peer meets its clients: operations are taken in, passed on to the leader, answered by others or refused.
#pragma once

#include "actors/answering.hpp"
#include "actors/peer/consensus.hpp"
#include "actors/peer/forwarded_lots.hpp"
#include "actors/peer/peer.hpp"
#include "actors/peer/unapplied.hpp"
#include "actors/peer/waiting_line.hpp"
#include "messages/mutant.hpp"
#include "troupe/assert.hpp"

#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace troupe {

/// The part of a peer's shell that knows who awaits what. `Self` is the shell. Whatever is proposed or asked here waits
/// in the mind for its next flush, which the shell arms.
template <class Self>
class client_desk {
public:
  client_desk(Self* self, consensus& mind, const peer_actor_parts& parts)
      : self_{self}, mind_{mind}, parts_{parts},
        // Numbers of an earlier life must not be taken for ours, whose seed may be the same.
        forward_number_{
            std::mt19937_64{parts.options.seed ^ static_cast<std::uint64_t>(now().time_since_epoch().count())}()
            << 20} {}

  // -- what comes in -------------------------------------------------------------------------------------------------

  [[nodiscard]] start_reply begin_agreement(const start& m) {
    entry_block_builder builder;
    builder.add(entry_kind::command, m.command.view());
    auto block = builder.take();
    const auto bytes = block.payload.size();
    if (!has_room(bytes))
      return {log_index{}, mind_.current_term(), false};
    const auto result = mind_.propose(std::move(block), now());
    if (!result.first)
      return {log_index{}, mind_.current_term(), false};
    unapplied_.accept(mind_.entries().last_index(), bytes);
    return {result.first->index, result.first->term, true};
  }

  void accept(submit& m) {
    awaiting who;
    who.client = std::move(m.from);
    who.number = m.number;
    if (!mind_.is_leader() && mind_.leader() != nobody)
      return pass_on(std::move(who), m.what, std::move(m.block));
    if (const auto why = take_in(who, m.what, std::move(m.block)))
      refuse_to(self_, who, *why);
    else
      self_->send(who.client, submission_accepted{m.number});
  }

  /// `via` is the peer that passes it on. One hop at most: who is no leader does not pass it on again.
  void accept_forward(forward& m, const raft_actor& via) {
    if (!is_of_clients(m.block))
      return;
    awaiting who;
    who.via = via;
    who.about = {parts_.group, parts_.self, m.about.from, term_number{}};
    who.number = m.number;
    if (const auto why = take_in(who, m.what, std::move(m.block)))
      refuse_to(self_, who, *why);
  }

  void pass_on_answers(forward_reply& m) {
    auto* lot = forwarded_.find(m.number, m.offset);
    if (!lot || lot->leader != m.about.from) {
      ++stale_replies_;
      return;
    }
    if (m.refused != 0) {
      self_->send(lot->client, submission_refused{lot->client_number, m.offset, static_cast<refusal>(m.refused)});
      forwarded_.erase(m.number);
      return;
    }
    answer_list answers{std::move(m.answers), std::move(m.ends)};
    lot->answered += static_cast<std::uint32_t>(answers.count());
    self_->send(
        lot->client,
        submission_answered{lot->client_number, m.offset, std::make_shared<const answer_list>(std::move(answers))});
    if (lot->answered >= lot->count)
      forwarded_.erase(m.number);
  }

  // -- what becomes of it --------------------------------------------------------------------------------------------

  void answer(const confirmed_read& read) {
    auto found = take_read(read.ticket);
    self_->send(parts_.applier, answer_queries{read.at, std::move(found.who), std::move(found.block)});
  }

  void fail(const failed_read& read) { refuse_to(self_, take_read(read.ticket).who, read.why); }

  /// Who awaits commands up to `index`, which are on their way to the applier.
  [[nodiscard]] std::vector<awaiting> take_up_to(log_index index) {
    auto waiting = line_.take_up_to(index);
    for (const auto& run : waiting)
      TROUPE_ASSERT(mind_.entries().has({run.term, run.first}), "an answer belongs to the command it is given for");
    return waiting;
  }

  /// Commands up to `index` took effect by way of a snapshot: what their answers were, nobody can say.
  void lose_to_snapshot(log_index index) {
    for (const auto& run : line_.take_up_to(index))
      refuse_to(self_, run, refusal::uncertain);
    unapplied_.applied_up_to(index);
  }

  void applied_up_to(log_index index) { unapplied_.applied_up_to(index); }

  /// Leadership has ended with that commit index: what is behind it may never be committed.
  void lose_behind(log_index commit) {
    for (const auto& lost : line_.take_behind(commit))
      refuse_to(self_, lost, TROUPE_MUTANT(C2) ? refusal::no_leader : refusal::uncertain);
    unapplied_.forget_behind(commit);
  }

  /// What is overdue stays in the log, and may yet be committed.
  void refuse_overdue() {
    for (const auto& overdue : line_.take_overdue(mind_.commit(), now()))
      refuse_to(self_, overdue, refusal::uncertain);
  }

  /// What was passed to a leader that leads no more may or may not have been carried out.
  void notice_leader() {
    const std::pair now_led_by{mind_.leader(), mind_.current_term()};
    if (std::exchange(led_by_, now_led_by) != now_led_by)
      lose_forwards([&](const auto& lot) { return std::pair{lot.leader, lot.term} != now_led_by; });
  }

  void expire_forwards() {
    is_forwards_armed_ = false;
    lose_forwards([&](const auto& lot) { return now() >= lot.deadline; });
    arm_forwards();
  }

  /// The peer stops: committed or not, nobody will say so any more. Reads have been failed by the mind.
  void close() {
    lose_forwards([](const auto&) { return true; });
    for (const auto& run : line_.take_behind(log_index{}))
      refuse_to(self_, run, refusal::uncertain);
  }

  /// Lets go of every handle, saying nothing.
  void clear() {
    reads_.clear();
    read_bytes_ = 0;
    line_ = {};
    forwarded_ = {};
  }

  /// Answers to lots that are not, or no more, on their way.
  [[nodiscard]] std::uint64_t stale_replies() const { return stale_replies_; }

private:
  struct pending_read {
    awaiting who;
    entry_block block;
  };

  /// Clients propose commands; the other kinds of entries are Raft's own.
  [[nodiscard]] static bool is_of_clients(const entry_block& block) {
    for (entry_iterator next{block.payload.view(), {}}; next != entry_iterator{}; ++next)
      if ((*next).kind != entry_kind::command)
        return false;
    return block.count > 0;
  }

  [[nodiscard]] bool has_room(std::size_t bytes) const {
    const auto& limits = parts_.options.limits;
    return unapplied_.has_room(bytes, limits.uncommitted_bytes + limits.apply_backlog_bytes);
  }

  /// Takes operations in as leader; says why not, if not.
  std::optional<refusal> take_in(awaiting& who, operation what, entry_block block) {
    who.count = block.count;
    who.deadline = now() + parts_.options.client_deadline;
    const auto bytes = block.payload.size();
    if (what == operation::query) {
      if (bytes > parts_.options.limits.proposal_bytes)
        return refusal::too_large;
      if (!reads_.empty() && read_bytes_ + bytes > parts_.options.limits.waiting_read_bytes)
        return refusal::busy;
      const auto ticket = ++ticket_;
      const auto why = mind_.begin_read(ticket, now());
      if (!why) {
        read_bytes_ += bytes;
        reads_.emplace(ticket, pending_read{who, std::move(block)});
      }
      return why;
    }
    if (!has_room(bytes))
      return refusal::busy;
    const auto result = mind_.propose(std::move(block), now());
    if (!result.first)
      return result.why;
    who.first = result.first->index;
    who.term = result.first->term;
    unapplied_.accept(mind_.entries().last_index(), bytes);
    line_.push(who);
    return std::nullopt;
  }

  [[nodiscard]] pending_read take_read(std::uint64_t ticket) {
    auto node = reads_.extract(ticket);
    TROUPE_ASSERT(!node.empty(), "each read ends once");
    read_bytes_ -= node.mapped().block.payload.size();
    return std::move(node.mapped());
  }

  void pass_on(awaiting who, operation what, entry_block block) {
    const auto& limits = parts_.options.limits;
    if (block.payload.size() > limits.proposal_bytes)
      return refuse_to(self_, who, refusal::too_large);
    if (!forwarded_.empty() && forwarded_.bytes() + block.payload.size() > limits.forwarded_bytes)
      return refuse_to(self_, who, refusal::busy);
    const auto number = ++forward_number_;
    forwarded_lot<client_actor> lot;
    lot.client = who.client;
    lot.client_number = who.number;
    lot.what = what;
    lot.count = block.count;
    lot.bytes = block.payload.size();
    lot.leader = mind_.leader();
    lot.term = mind_.current_term();
    lot.deadline = now() + parts_.options.client_deadline;
    forwarded_.add(number, std::move(lot));

    forward message;
    message.about = {parts_.group, parts_.self, mind_.leader(), term_number{}};
    message.number = number;
    message.what = what;
    message.block = std::move(block);
    self_->send(parts_.others.at(mind_.leader()), std::move(message));
    self_->send(who.client, submission_accepted{who.number});
    arm_forwards();
  }

  template <class F>
  void lose_forwards(F&& is_lost) {
    for (const auto& lot : forwarded_.take_if(is_lost))
      self_->send(lot.client, submission_refused{lot.client_number, lot.answered, lot.when_lost()});
  }

  void arm_forwards() {
    if (!forwarded_.empty() && !std::exchange(is_forwards_armed_, true))
      self_->delayed_send(self_, parts_.options.times.election_timeout_min, forwards_due{});
  }

  [[nodiscard]] instant now() { return self_->clock().now(); }

  Self* self_;
  consensus& mind_;
  const peer_actor_parts& parts_;

  std::uint64_t ticket_ = 0;
  std::map<std::uint64_t, pending_read> reads_;
  std::size_t read_bytes_ = 0; ///< Of those.
  waiting_line<awaiting> line_;
  unapplied unapplied_;

  std::pair<peer_id, term_number> led_by_; ///< As last looked at.
  forwarded_lots<client_actor> forwarded_;
  std::uint64_t forward_number_;
  bool is_forwards_armed_ = false;
  std::uint64_t stale_replies_ = 0;
};

} // namespace troupe
