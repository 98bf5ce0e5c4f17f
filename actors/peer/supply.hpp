/// \file
/// Where a peer's log goes: committed entries to the applier, any entries to the replicators that ask; from memory, or
/// read back from disk.
#pragma once

#include "actors/peer/client_desk.hpp"
#include "actors/peer/consensus.hpp"
#include "actors/peer/peer.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

/// The part of a peer's shell that hands entries out. `Self` is the shell.
template <class Self>
class log_supply {
public:
  log_supply(Self* self, consensus& mind, const peer_actor_parts& parts, client_desk<Self>& desk)
      : self_{self}, mind_{mind}, parts_{parts}, desk_{desk} {}

  /// Committed entries go to the applier in order, as far as its backlog allows (law 6).
  void feed_applier() {
    const auto& log = mind_.entries();
    while (fed_ < mind_.commit() && backlog_bytes_ < parts_.options.limits.apply_backlog_bytes && !is_feed_reading_) {
      if (log.in_window(fed_.next())) {
        feed(log.entries(fed_.next(), mind_.commit(), feed_bytes));
      } else {
        is_feed_reading_ = true;
        // A commit index may be ahead of this peer's own disk.
        const auto upto = std::min(mind_.commit(), mind_.durable_last());
        read_back({parts_.group, fed_.next(), upto, feed_bytes}, std::nullopt);
      }
    }
    // What is durable can be read back, by a slow applier, too.
    mind_.trim_log(mind_.durable_last().next());
  }

  void credit(const applied& m) {
    applied_ = std::max(applied_, m.up_to);
    backlog_bytes_ -= m.bytes;
    desk_.applied_up_to(applied_);
    feed_applier();
  }

  [[nodiscard]] log_index applied_index() const { return applied_; }

  /// A replicator wants entries: `hand_over(follower, entries_fetched)` once they are there.
  template <class F>
  void fetch(const fetch_entries& m, F&& hand_over) {
    const auto& log = mind_.entries();
    if (!mind_.is_current(m.follower, m.term, m.incarnation) || m.from > log.last_index().next())
      return;
    if (m.from <= log.base().index)
      hand_over(m.follower, entries_fetched{{}, {}, mind_.snapshot()});
    else if (m.from > log.last_index())
      hand_over(m.follower, entries_from(m.from, {}));
    else if (log.in_window(m.from))
      hand_over(m.follower, entries_from(m.from, log.entries(m.from, log.last_index(), m.max_bytes)));
    else
      read_back({parts_.group, m.from, mind_.durable_last(), m.max_bytes}, m);
  }

  template <class F>
  void take(const log_read& m, F&& hand_over) {
    const auto found = fetches_.find(m.ticket);
    if (found == fetches_.end())
      return;
    const auto fetched_for = found->second;
    fetches_.erase(found);
    // The log may have changed while the disk was read.
    const auto& log = mind_.entries();
    const bool is_present = !m.batches.empty()
        && std::all_of(m.batches.begin(), m.batches.end(), [&](const auto& b) { return log.has(b.last_position()); });
    if (!fetched_for) {
      is_feed_reading_ = false;
      if (is_present && m.batches.front().first() == fed_.next())
        feed(m.batches);
      feed_applier();
    } else if (!is_present || fetched_for->from <= log.base().index) {
      fetch(*fetched_for, hand_over); // What was read is forgotten, or replaced: what is there now?
    } else if (mind_.is_current(fetched_for->follower, fetched_for->term, fetched_for->incarnation)) {
      hand_over(fetched_for->follower, entries_from(fetched_for->from, m.batches));
    }
  }

  /// The state machine goes on from a snapshot.
  void install(const snapshot_mark& what) {
    TROUPE_ASSERT(fed_ <= what.at.index, "a state machine never goes back (S4)",
                  "a state at entry " + std::to_string(what.at.index.value()) + " is to follow entry "
                      + std::to_string(fed_.value()));
    fed_ = what.at.index;
    self_->send(parts_.applier, load_snapshot{application_listener{peer_actor{self_}}, parts_.group, what});
  }

  /// Handed to the state machine, if not yet through it.
  [[nodiscard]] log_index fed_index() const { return fed_; }

private:
  /// Entries handed to the applier at a time.
  static constexpr std::size_t feed_bytes = std::size_t{1} << 20;

  void feed(std::vector<entry_batch> batches) {
    for (const auto& batch : batches)
      backlog_bytes_ += batch.size_bytes();
    fed_ = batches.back().last();
    auto waiting = desk_.take_up_to(fed_);
    self_->send(
        parts_.applier,
        apply_entries{application_listener{peer_actor{self_}}, parts_.group, std::move(batches), std::move(waiting)});
  }

  [[nodiscard]] entries_fetched entries_from(log_index from, std::vector<entry_batch> batches) const {
    const auto previous = from.before();
    return {{mind_.entries().term_at(previous), previous}, std::move(batches)};
  }

  void read_back(log_range range, std::optional<fetch_entries> for_whom) {
    const auto ticket = ++ticket_;
    fetches_.emplace(ticket, for_whom);
    self_->send(parts_.persister, read_log_request{log_reader_actor{peer_actor{self_}}, {ticket, range}});
  }

  Self* self_;
  consensus& mind_;
  const peer_actor_parts& parts_;
  client_desk<Self>& desk_;

  log_index fed_;     ///< Handed to the applier.
  log_index applied_; ///< Reported by it.
  std::size_t backlog_bytes_ = 0;
  bool is_feed_reading_ = false;
  std::uint64_t ticket_ = 0;
  /// Being read back from disk; for the applier if nothing.
  std::map<std::uint64_t, std::optional<fetch_entries>> fetches_;
};

} // namespace troupe
