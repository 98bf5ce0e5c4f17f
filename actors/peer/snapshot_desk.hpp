/// \file
/// Where a peer deals with snapshots (paper §7): when to take one, what may be forgotten then, who is being sent one.
#pragma once

#include "actors/log_quotes.hpp"
#include "actors/logging.hpp"
#include "actors/peer/consensus.hpp"
#include "actors/peer/peer.hpp"
#include "actors/peer/snapshot_policy.hpp"
#include "messages/snapshot_content.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

/// The part of a peer's shell that looks after snapshots. `Self` is the shell. One of its own is under way at a time:
/// asked for, written, and, where an older one is kept, that one read back before the log goes.
template <class Self>
class snapshot_desk {
public:
  snapshot_desk(Self* self, consensus& mind, const peer_actor_parts& parts)
      : self_{self}, mind_{mind}, parts_{parts}, known_{parts.recovered.snapshots},
        oldest_needed_{parts.recovered.start.oldest_snapshot} {}

  // -- taking them
  // -----------------------------------------------------------------------------------------------------

  /// The state machine has come further, by entries of so many bytes.
  void note_applied(log_index applied, std::size_t bytes) {
    since_.bytes += bytes;
    const auto newest = mind_.snapshot() ? mind_.snapshot()->at.index : log_index{};
    since_.entries = applied > newest ? applied - newest : 0;
    take_if_due();
  }

  /// The service offers one. It means it: while another is under way, the newest offer waits.
  void offer(const take_snapshot& m, log_index fed) {
    if (m.index > fed || !is_of_use(m.index))
      return;
    if (!offered_ || m.index > offered_->index)
      offered_ = m;
    take_offered();
  }

  void take(const picture_taken& m) {
    is_busy_ = false;
    // Another snapshot may have taken the log's place meanwhile.
    if (m.view && m.index >= mind_.entries().base().index && !mind_.is_stopped())
      write(m.index, m.view);
  }

  void take(const snapshot_written& m) {
    is_busy_ = false;
    conclude(m);
    take_offered();
  }

  void take(const snapshot_checked& m) {
    is_busy_ = false;
    conclude(m);
    take_offered();
  }

  /// Looks again at what was put off.
  void look() { take_if_due(); }

  // -- from and to other peers
  // -----------------------------------------------------------------------------------------

  /// A snapshot of another peer takes the place of all that were known.
  void installed(const snapshot_mark& what) {
    std::erase_if(known_, [&](const snapshot_mark& each) { return each.at.index <= what.at.index; });
    known_.insert(known_.begin(), what);
    since_ = {};
  }

  void store(snapshot_piece& piece) { ask(std::move(piece)); }

  void fetch(const fetch_piece& m) {
    if (!mind_.is_current(m.follower, m.term, m.incarnation))
      return;
    sending_[m.follower] = {m.index, m.term, now()};
    ask(m);
  }

  /// A follower that answers is still being sent what it was sent last.
  void hear(const snapshot_reply& m) {
    const auto found = sending_.find(m.about.from);
    if (found == sending_.end() || found->second.index != m.at.index || found->second.term != m.about.term)
      return;
    found->second.asked_at = now();
    if (m.is_installed)
      logs().info("peer={} group={} event=snapshot_sent index={} follower={}", parts_.self.value(),
                  parts_.group.value(), m.at.index.value(), m.about.from.value());
  }

  /// `hand_over(follower, piece_fetched)` if its replicator is still there.
  template <class F>
  void take(const piece_read& m, F&& hand_over) {
    const auto& who = m.for_whom;
    if (!m.trouble.empty()) {
      logs().warn("peer={} group={} event=snapshot_not_readable index={} follower={} why={}", parts_.self.value(),
                  parts_.group.value(), who.index.value(), who.follower.value(), in_log_quotes(m.trouble));
      replace_soon(who.index);
    }
    if (mind_.is_current(who.follower, who.term, who.incarnation))
      hand_over(who.follower, piece_fetched{who.index, who.offset, m.bytes});
  }

private:
  static constexpr auto retry_after = std::chrono::seconds{1};

  void conclude(const snapshot_written& m) {
    if (!m.trouble.empty()) {
      logs().warn("peer={} group={} event=snapshot_not_written index={} why={}", parts_.self.value(),
                  parts_.group.value(), m.what.at.index.value(), in_log_quotes(m.trouble));
      retry_at_ = now() + retry_after;
      return;
    }
    logs().info("peer={} group={} event=snapshot index={} bytes={}", parts_.self.value(), parts_.group.value(),
                m.what.at.index.value(), m.what.size_bytes);
    mind_.note_snapshot(m.what);
    if (!known_.empty() && known_.back().at.index > m.what.at.index)
      return; // One that was received meanwhile reaches further.
    if (!known_.empty() && known_.back().at.index == m.what.at.index)
      known_.pop_back(); // Written anew, for it could not be read.
    known_.push_back(m.what);
    since_.bytes -= std::min(since_.bytes, pictured_bytes_);
    bytes_before_newest_ = pictured_bytes_;
    forget_after_check();
  }

  void conclude(const snapshot_checked& m) {
    if (m.trouble.empty())
      return forget(planned_);
    // The log stays for another round, and goes when the next oldest is good.
    logs().error("peer={} group={} event=snapshot_damaged index={} why={}", parts_.self.value(), parts_.group.value(),
                 m.index.value(), in_log_quotes(m.trouble));
    std::erase_if(known_, [&](const snapshot_mark& each) { return each.at.index == m.index; });
  }

  /// Is it behind the newest, and of an entry whose term is known?
  [[nodiscard]] bool is_of_use(log_index index) const {
    const auto newest = mind_.snapshot() ? mind_.snapshot()->at.index : log_index{};
    return index > newest && index >= mind_.entries().base().index && !mind_.is_stopped();
  }

  void take_offered() {
    if (is_busy_ || !offered_)
      return;
    // A leader's snapshot may have come meanwhile.
    if (const auto offer = *std::exchange(offered_, std::nullopt); is_of_use(offer.index))
      write(offer.index, view_of(std::string{offer.state.view()}));
  }

  void take_if_due() {
    if (is_busy_ || !parts_.takes_pictures || now() < retry_at_)
      return;
    const auto newest_bytes = mind_.snapshot() ? mind_.snapshot()->size_bytes : 0;
    if (is_snapshot_due(parts_.options.snapshots, since_, newest_bytes))
      ask_for_picture();
  }

  void ask_for_picture() {
    is_busy_ = true;
    self_->send(parts_.applier, take_picture{application_listener{peer_actor{self_}}, parts_.group});
  }

  /// A newest snapshot that cannot be read is of no use to anyone: the state is still there.
  void replace_soon(log_index index) {
    if (!is_busy_ && parts_.takes_pictures && mind_.snapshot() && mind_.snapshot()->at.index == index
        && now() >= retry_at_) {
      retry_at_ = now() + retry_after;
      ask_for_picture();
    }
  }

  void write(log_index index, std::shared_ptr<state_view> view) {
    is_busy_ = true;
    pictured_bytes_ = since_.bytes;
    const snapshot_mark what{{mind_.entries().term_at(index), index}, mind_.entries().last_time(), 0};
    ask(write_snapshot{parts_.group, what, encode(snapshot_head{mind_.members(), {}, 1}), std::move(view)});
  }

  void forget_after_check() {
    auto plan = plan_forgetting(parts_.options.snapshots, known_, bytes_before_newest_, pinned());
    if (!plan)
      return;
    // Snapshots go, too, where the log stays; the first of its entries must, to say so.
    plan->up_to = std::max({plan->up_to, mind_.entries().base().index, log_index{1}});
    if (plan->up_to == mind_.entries().base().index && oldest_needed_ >= plan->oldest_snapshot)
      return;
    // What stands for the log alone from now on must read back; the newest was just written.
    if (plan->oldest_snapshot < known_.back().at.index) {
      is_busy_ = true;
      planned_ = *plan;
      ask(check_snapshot{parts_.group, plan->oldest_snapshot});
    } else {
      forget(*plan);
    }
  }

  void forget(const forgetting& plan) {
    if (mind_.is_stopped())
      return;
    std::erase_if(known_, [&](const snapshot_mark& each) { return each.at.index < plan.oldest_snapshot; });
    oldest_needed_ = plan.oldest_snapshot;
    self_->forget_log(plan.up_to, plan.oldest_snapshot);
  }

  /// The oldest snapshot that a follower is being sent and still asks for, or has, and has nothing behind it yet.
  [[nodiscard]] std::optional<log_index> pinned() {
    const auto* leading = mind_.leadership();
    if (!leading)
      sending_.clear();
    const auto patience = 10 * parts_.options.times.election_timeout_max;
    std::erase_if(sending_, [&](const auto& each) {
      const auto& [follower, what] = each;
      const auto match = leading->members.at(follower).match;
      return what.term != mind_.current_term() || now() - what.asked_at > patience || match > what.index
          || match == mind_.entries().last_index();
    });
    std::optional<log_index> oldest;
    for (const auto& [follower, what] : sending_)
      if (!oldest || what.index < *oldest)
        oldest = what.index;
    return oldest;
  }

  template <class What>
  void ask(What what) {
    self_->send(parts_.persister, snapshot_errand{snapshot_listener{peer_actor{self_}}, parts_.group, std::move(what)});
  }

  [[nodiscard]] instant now() { return self_->clock().now(); }

  struct sending {
    log_index index;
    term_number term;
    instant asked_at;
  };

  Self* self_;
  consensus& mind_;
  const peer_actor_parts& parts_;
  std::vector<snapshot_mark> known_; ///< Durable, oldest first. Since a start not all: the one it began with, and on.
  log_index oldest_needed_;          ///< As the log's start says: what is below lies on the disk no longer than that.
  log_growth since_;                 ///< The newest of them.
  std::size_t pictured_bytes_ = 0;   ///< Of it, what the snapshot that is being written stands for, or a little more.
  std::size_t bytes_before_newest_ = 0; ///< Of the log, between the newest snapshot and the one before.
  bool is_busy_ = false;
  forgetting planned_;                   ///< Once what it rests on is read back.
  std::optional<take_snapshot> offered_; ///< By the service, while another was under way.
  instant retry_at_{};
  std::map<peer_id, sending> sending_;
};

} // namespace troupe
