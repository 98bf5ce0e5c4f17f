#include "actors/peer/peer.hpp"

#include "actors/logging.hpp"
#include "actors/peer/client_desk.hpp"
#include "actors/peer/consensus.hpp"
#include "actors/peer/snapshot_desk.hpp"
#include "actors/peer/supply.hpp"
#include "actors/replicator/replicator.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe {

namespace {

spdlog::level::level_enum level_of(fact::weight how) {
  switch (how) {
  case fact::weight::debug: return spdlog::level::debug;
  case fact::weight::info: return spdlog::level::info;
  case fact::weight::warn: break;
  }
  return spdlog::level::warn;
}

template <class Base>
class peer_shell : public Base {
public:
  peer_shell(caf::actor_config& config, peer_actor_parts parts)
      : Base{config}, parts_{std::move(parts)}, mind_{parts_.self, parts_.group, parts_.members, parts_.recovered,
                                                      parts_.options},
        desk_{this, mind_, parts_}, supply_{this, mind_, parts_, desk_}, snapshots_{this, mind_, parts_} {
    parts_.recovered = {};
    this->set_down_handler([this](caf::down_msg& m) { someone_ended(m); });
    for (const auto& part : parts_it_needs())
      this->monitor(part);
    owned_ = parts_it_needs();
    if (parts_.is_disk_shared)
      owned_.resize(1);
  }

  typename Base::behavior_type make_behavior() override {
    return {
        // From other peers.
        [this](const request_vote& m) { hear(m); },
        [this](const vote_reply& m) { hear(m); },
        [this](const append_entries& m) { hear(m); },
        [this](append_reply& m) { route(m); },
        [this](const install_snapshot& m) { hear(m); },
        [this](snapshot_reply& m) {
          snapshots_.hear(m);
          route(m);
        },
        [this](const timeout_now& m) { hear(m); },
        [this](forward& m) { accept_forward(m); },
        [this](forward_reply& m) {
          if (is_mine(m.about))
            desk_.pass_on_answers(m);
        },
        // From its owner and from clients.
        [this](const begin& m) { begin_to_play(m); },
        [this](submit& m) { accept(m); },
        [this](const start& m) {
          const auto reply = desk_.begin_agreement(m);
          arm_flush();
          return reply;
        },
        [this](const ask_state&) { return describe(); },
        [this](const take_snapshot& m) { snapshots_.offer(m, supply_.fed_index()); },
        [this](const stop_peer&) { stop(); },
        // From its own actors.
        [this](const persisted& m) { step(m); },
        [this](const disk_room& m) { step(m); },
        [this](const log_read& m) { supply_.take(m, hands_over()); },
        [this](const applied& m) { note_applied(m); },
        [this](const picture_taken& m) { snapshots_.take(m); },
        [this](const snapshot_written& m) { snapshots_.take(m); },
        [this](const snapshot_checked& m) { snapshots_.take(m); },
        [this](const piece_read& m) { snapshots_.take(m, hands_over()); },
        [this](const piece_stored& m) { step(m); },
        [this](const reception_failed& m) { step(m); },
        [this](const follower_heard& m) { step(m); },
        [this](const fetch_entries& m) { supply_.fetch(m, hands_over()); },
        [this](const fetch_piece& m) { snapshots_.fetch(m); },
        [this](const deadline_due& m) { deadline(m); },
        [this](const forwards_due&) { desk_.expire_forwards(); },
        [this](const flush_due&) {
          is_flush_armed_ = false;
          act([&](peer_output& out) { mind_.flush(now(), out); });
        },
    };
  }

  void on_exit() override {
    // Not links: a kill would run through them both ways, past every handler.
    for (auto& [id, replicator] : replicators_)
      caf::anon_send_exit(replicator, caf::exit_reason::user_shutdown);
    for (const auto& part : owned_)
      caf::anon_send_exit(part, caf::exit_reason::user_shutdown);
    // A shared disk lives on, and would keep what watches it. This goes behind the last write.
    if (parts_.is_disk_shared)
      caf::anon_send(parts_.persister, release_log{parts_.group});
    for (const auto& part : parts_it_needs())
      this->demonitor(part.address());
    owned_.clear();
    replicators_.clear();
    desk_.clear();
    parts_ = {};
  }

  /// What a snapshot stands for goes, from memory and disk.
  void forget_log(log_index up_to, log_index oldest_snapshot) {
    act([&](peer_output& out) { mind_.forget_up_to(up_to, oldest_snapshot, now(), out); });
  }

private:
  // -- the mind ------------------------------------------------------------------------------------------------------

  template <class F>
  void act(F&& event) {
    peer_output out;
    event(out);
    carry_out(out);
  }

  template <class Event>
  void step(const Event& event) {
    act([&](peer_output& out) { mind_.handle(event, now(), out); });
  }

  /// Whether a peer's message is for this peer at all, and of somebody who can be answered. Links carry the messages of
  /// every group.
  [[nodiscard]] bool is_mine(const envelope& about) const {
    return about.group == parts_.group && about.to == parts_.self && parts_.others.contains(about.from);
  }

  template <class Message>
  void hear(const Message& message) {
    if (is_mine(message.about))
      step(message);
  }

  void begin_to_play(const begin& m) {
    if (is_stopping_)
      return;
    for (const auto& [id, other] : m.others)
      if (id != parts_.self)
        introduce(id, other);
    if (!std::exchange(has_begun_, true))
      act([&](peer_output& out) { mind_.begin(now(), out); });
  }

  void introduce(peer_id id, const raft_actor& other) {
    auto& known = parts_.others[id];
    if (known == other)
      return;
    known = other;
    // Whoever is new here, or has been made anew, is to be replicated to under this handle.
    if (auto old = replicators_.extract(id))
      this->send_exit(old.mapped(), caf::exit_reason::user_shutdown);
    if (mind_.is_leader() && mind_.members().is_member(id))
      restart_replicator(id);
  }

  void carry_out(peer_output& out) {
    for (auto& message : out.send)
      tell(std::move(message));
    for (auto& write : out.writes)
      this->send(parts_.persister, persist_request{log_writer_actor{peer_actor{this}}, std::move(write)});
    for (auto& piece : out.pieces)
      snapshots_.store(piece);
    if (out.leadership_ended)
      end_leadership(*out.leadership_ended);
    if (out.lead_from)
      begin_leadership(*out.lead_from);
    if (out.renew)
      renew_replicator(*out.renew);
    if (out.news)
      for (const auto& [id, replicator] : replicators_)
        this->send(replicator, *out.news);
    for (const auto& read : out.confirmed_reads)
      desk_.answer(read);
    for (const auto& read : out.failed_reads)
      desk_.fail(read);
    for (const auto& f : out.facts)
      logs().log(level_of(f.how), "peer={} group={} {}", parts_.self.value(), parts_.group.value(), f.what);
    if (out.install)
      install(*out.install);
    if (out.commit_advanced)
      supply_.feed_applier();
    desk_.notice_leader();
    arm_flush();
    arm_deadline();
  }

  void install(const snapshot_mark& what) {
    desk_.lose_to_snapshot(what.at.index);
    snapshots_.installed(what);
    supply_.install(what);
  }

  void note_applied(const applied& m) {
    supply_.credit(m);
    snapshots_.note_applied(m.up_to, m.bytes);
    propose_hash(m);
  }

  // Each so many entries the leader has everyone hash the state, and tells what it had itself the time before (S13).
  void propose_hash(const applied& m) {
    if (m.hashed && m.hashed->index > hashed_.index)
      hashed_ = *m.hashed;
    const auto every = parts_.options.state_hash_entries;
    if (!parts_.is_state_hashed || every == 0 || !mind_.is_leader() || m.up_to < hash_due_)
      return;
    hash_due_ = m.up_to + every;
    entry_block_builder place;
    place.add(entry_kind::state_hash, encode(hashed_));
    (void)mind_.propose(place.take(), now());
    arm_flush();
  }

  void tell(peer_message message) {
    // A member that nobody has introduced yet cannot be told.
    if (const auto to = parts_.others.find(about(message).to); to != parts_.others.end())
      std::visit([&](auto& m) { this->send(to->second, std::move(m)); }, message);
  }

  // -- timers --------------------------------------------------------------------------------------------------------

  // Runs behind everything that is in the mailbox by now: what arrives together leaves together.
  void arm_flush() {
    if (mind_.wants_flush() && !std::exchange(is_flush_armed_, true))
      this->send(this, flush_due{});
  }

  void arm_deadline() {
    const auto due = mind_.next_deadline();
    if (due == instant::max() || (armed_for_ && *armed_for_ <= due))
      return; // The timer that is armed looks again when it fires.
    armed_for_ = due;
    this->delayed_send(this, std::max(due - now(), duration::zero()), deadline_due{++deadline_epoch_});
  }

  void deadline(const deadline_due& m) {
    if (m.epoch != deadline_epoch_)
      return; // A sooner one was armed since.
    armed_for_.reset();
    act([&](peer_output& out) { mind_.tick(now(), out); });
    desk_.refuse_overdue();
    snapshots_.look();
  }

  // -- clients -------------------------------------------------------------------------------------------------------

  void accept(submit& m) {
    if (is_stopping_) {
      this->send(m.from, submission_refused{m.number, 0, refusal::stopped});
      return;
    }
    desk_.accept(m);
    arm_flush();
  }

  void accept_forward(forward& m) {
    if (is_mine(m.about) && !is_stopping_)
      desk_.accept_forward(m, parts_.others.at(m.about.from));
    arm_flush();
  }

  // -- leadership ----------------------------------------------------------------------------------------------------

  void begin_leadership(log_position probe_from) {
    for (const auto& [id, handle] : parts_.others)
      if (mind_.members().is_member(id))
        begin_replicator(id, 1, probe_from);
  }

  void begin_replicator(peer_id follower, std::uint32_t incarnation, log_position probe_from) {
    replicator_parts parts;
    parts.about = {parts_.group, parts_.self, follower, mind_.current_term()};
    parts.incarnation = incarnation;
    parts.probe_from = probe_from;
    parts.repair = mind_.repair_of(follower);
    parts.options = parts_.options;
    parts.leader = peer_actor{this};
    parts.follower = parts_.others.at(follower);
    auto replicator = spawn_replicator(this->system(), parts_.replicators, std::move(parts));
    this->monitor(replicator);
    replicators_.insert_or_assign(follower, std::move(replicator));
  }

  void end_leadership(log_index commit) {
    for (auto& [id, replicator] : std::exchange(replicators_, {}))
      this->send_exit(replicator, caf::exit_reason::user_shutdown);
    desk_.lose_behind(commit);
  }

  void restart_replicator(peer_id follower) {
    logs().info("peer={} group={} event=replicator_restarted follower={}", parts_.self.value(), parts_.group.value(),
                follower.value());
    begin_replicator(follower, mind_.renew_incarnation(follower), mind_.entries().last_position());
    act([&](peer_output& out) { mind_.renew_lease(now(), out); });
  }

  void renew_replicator(peer_id follower) {
    if (const auto old = replicators_.extract(follower))
      this->send_exit(old.mapped(), caf::exit_reason::user_shutdown);
    restart_replicator(follower);
  }

  template <class Reply>
  void route(Reply& m) {
    if (!is_mine(m.about))
      return;
    bool is_admitted = false;
    act([&](peer_output& out) { is_admitted = mind_.admit(m, now(), out); });
    if (const auto to = replicators_.find(m.about.from); is_admitted && to != replicators_.end())
      this->send(to->second, std::move(m));
  }

  [[nodiscard]] auto hands_over() {
    return [this](peer_id follower, auto fetched) {
      if (const auto to = replicators_.find(follower); to != replicators_.end())
        this->send(to->second, std::move(fetched));
    };
  }

  // -- its own actors, and its end -----------------------------------------------------------------------------------

  [[nodiscard]] std::vector<caf::actor> parts_it_needs() const {
    return {caf::actor_cast<caf::actor>(parts_.applier), caf::actor_cast<caf::actor>(parts_.persister),
            caf::actor_cast<caf::actor>(parts_.archivist)};
  }

  void someone_ended(const caf::down_msg& m) {
    const auto is_it = [&](const auto& part) { return part.address() == m.source; };
    const auto dead =
        std::find_if(replicators_.begin(), replicators_.end(), [&](const auto& r) { return is_it(r.second); });
    if (dead != replicators_.end())
      return restart_replicator(dead->first);
    std::erase_if(owned_, is_it);
    const auto needed = parts_it_needs();
    if (is_stopping_) {
      end_if_last();
    } else if (std::none_of(needed.begin(), needed.end(), is_it)) {
      return; // A replicator of an earlier leadership.
    } else if (m.reason == caf::exit_reason::user_shutdown && parts_.may_be_closed) {
      // Its service has ended, or the disk it shares was closed: by those who own them.
      logs().warn("peer={} group={} event=stopped why=\"its service or its disk was closed\"", parts_.self.value(),
                  parts_.group.value());
      stop();
    } else {
      parts_.on_fatal("an actor that a peer cannot live without has ended");
      this->quit(m.reason);
    }
  }

  /// Nothing is said from here on. The peer itself ends last: then nothing is left of it (N8).
  void stop() {
    if (std::exchange(is_stopping_, true))
      return;
    act([&](peer_output& out) { mind_.stop(out); });
    desk_.close();
    for (const auto& part : owned_)
      this->send_exit(part, caf::exit_reason::user_shutdown);
    end_if_last();
  }

  void end_if_last() {
    if (owned_.empty())
      this->quit(caf::exit_reason::user_shutdown);
  }

  [[nodiscard]] peer_state describe() {
    peer_state state;
    state.id = parts_.self;
    state.role = mind_.is_stopped() ? "stopped"
        : mind_.is_leader()         ? "leader"
        : mind_.is_candidate()      ? "candidate"
                                    : "follower";
    state.term = mind_.current_term();
    state.is_leader = mind_.is_leader();
    state.leader = mind_.leader();
    state.commit = mind_.commit();
    state.applied = supply_.applied_index();
    state.last = mind_.entries().last_index();
    state.log_start = mind_.entries().base().index;
    if (const auto& newest = mind_.snapshot()) {
      state.snapshot = newest->at.index;
      state.snapshot_bytes = newest->size_bytes;
    }
    state.is_disk_full = mind_.is_disk_full();
    state.has_say = mind_.has_say();
    state.stale_replies_dropped = mind_.counters().stale_replies_dropped + desk_.stale_replies();
    state.elections_started = mind_.counters().elections_started;
    state.leader_changes = mind_.counters().leader_changes;
    if (!mind_.is_leader())
      state.longest_leader_silence = mind_.counters().longest_leader_silence;
    if (const auto* leading = mind_.leadership())
      for (const auto& [id, member] : leading->members)
        state.followers.push_back(
            {id, member.match, now() - member.sent_at < parts_.options.times.election_timeout_max, member.has_say});
    return state;
  }

  [[nodiscard]] instant now() { return this->clock().now(); }

  peer_actor_parts parts_;
  consensus mind_;
  client_desk<peer_shell> desk_;
  log_supply<peer_shell> supply_;
  snapshot_desk<peer_shell> snapshots_;
  hashed_place hashed_; ///< The newest this peer knows of its own state,
  log_index hash_due_;  ///< and when the leader asks for the next.
  std::map<peer_id, replicator_actor> replicators_;

  bool is_flush_armed_ = false;
  std::optional<instant> armed_for_;
  std::uint64_t deadline_epoch_ = 0;

  bool has_begun_ = false;
  bool is_stopping_ = false;
  std::vector<caf::actor> owned_; ///< Actors that live and end with the peer.
};

} // namespace

peer_actor spawn_peer(caf::actor_system& system, placement where, peer_actor_parts parts) {
  return spawn_at<peer_shell, peer_actor>(system, where, std::move(parts));
}

} // namespace troupe
