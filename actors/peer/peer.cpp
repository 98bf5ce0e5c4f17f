#include "actors/peer/peer.hpp"

#include "actors/answering.hpp"
#include "actors/peer/consensus.hpp"
#include "actors/peer/forwarded_lots.hpp"
#include "actors/peer/unapplied.hpp"
#include "actors/peer/waiting_line.hpp"
#include "actors/replicator/replicator.hpp"
#include "troupe/assert.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe {

namespace {

/// Entries handed to the applier at a time.
constexpr std::size_t feed_bytes = std::size_t{1} << 20;

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
        // Numbers of an earlier boot must not be taken for ours.
        forward_number_{std::mt19937_64{parts_.options.seed}() << 20} {
    parts_.recovered = {};
    this->set_down_handler([this](caf::down_msg& m) { someone_ended(m); });
    for (const auto& part : own_actors())
      this->monitor(part);
  }

  typename Base::behavior_type make_behavior() override {
    return {
        // From other peers.
        [this](const request_vote& m) { hear(m); },
        [this](const vote_reply& m) { hear(m); },
        [this](const append_entries& m) { hear(m); },
        [this](append_reply& m) { route(m); },
        [this](const timeout_now&) {},
        [this](forward& m) { accept_forward(m); },
        [this](forward_reply& m) { pass_on_answers(m); },
        // From its owner and from clients.
        [this](const begin&) { act([&](peer_output& out) { mind_.begin(now(), out); }); },
        [this](submit& m) { accept(m); },
        [this](const start& m) { return start_agreement(m); },
        [this](const ask_state&) { return describe(); },
        [this](const stop_peer&) { stop(); },
        // From its own actors.
        [this](const persisted& m) { step(m); },
        [this](const log_read& m) { take_read_entries(m); },
        [this](const applied& m) { credit(m); },
        [this](const follower_heard& m) { step(m); },
        [this](const fetch_entries& m) { fetch(m); },
        [this](const deadline_due& m) { deadline(m); },
        [this](const forwards_due&) { expire_forwards(); },
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
    for (const auto& part : own_actors())
      caf::anon_send_exit(part, caf::exit_reason::user_shutdown);
    replicators_.clear();
    reads_.clear();
    line_ = {};
    forwarded_ = {};
    parts_ = {};
  }

private:
  struct pending_read {
    awaiting who;
    entry_block block;
  };
  struct replicator_fetch {
    peer_id follower;
    term_number term;
    std::uint32_t incarnation = 0;
    log_index from;
  };

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

  void carry_out(peer_output& out) {
    for (auto& message : out.send)
      tell(std::move(message));
    for (auto& write : out.writes)
      this->send(parts_.persister, persist_request{log_writer_actor{peer_actor{this}}, std::move(write)});
    if (out.leadership_ended)
      end_leadership(*out.leadership_ended);
    if (out.lead_from)
      begin_leadership(*out.lead_from);
    if (out.news)
      for (const auto& [id, replicator] : replicators_)
        this->send(replicator, *out.news);
    for (const auto& read : out.confirmed_reads)
      answer_read(read);
    for (const auto& read : out.failed_reads)
      fail_read(read);
    for (const auto& f : out.facts)
      spdlog::log(level_of(f.how), "peer={} group={} {}", parts_.self.value(), parts_.group.value(), f.what);
    if (out.commit_advanced)
      feed_applier();
    notice_leader_change();
    arm_flush();
    arm_deadline();
  }

  void tell(peer_message message) {
    const auto& receiver = parts_.others.at(about(message).to);
    std::visit([&](auto& m) { this->send(receiver, std::move(m)); }, message);
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
    // The entries stay in the log, and may yet be committed.
    for (const auto& overdue : line_.take_overdue(mind_.commit(), now()))
      refuse_to(this, overdue, refusal::uncertain);
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
    for (const auto& lost : line_.take_behind(commit))
      refuse_to(this, lost, refusal::uncertain);
    unapplied_.forget_behind(commit);
  }

  void someone_ended(const caf::down_msg& m) {
    const auto dead = std::find_if(replicators_.begin(), replicators_.end(),
                                   [&](const auto& r) { return r.second.address() == m.source; });
    if (dead != replicators_.end()) {
      restart_replicator(dead->first);
    } else if (is_own(m.source)) {
      parts_.on_fatal("an actor that a peer cannot live without has ended");
      this->quit(m.reason);
    }
  }

  void restart_replicator(peer_id follower) {
    spdlog::warn("peer={} group={} event=replicator_restarted follower={}", parts_.self.value(), parts_.group.value(),
                 follower.value());
    begin_replicator(follower, mind_.renew_incarnation(follower), mind_.entries().last_position());
    act([&](peer_output& out) { mind_.renew_lease(now(), out); });
  }

  [[nodiscard]] std::vector<caf::actor> own_actors() const {
    return {caf::actor_cast<caf::actor>(parts_.persister), caf::actor_cast<caf::actor>(parts_.archivist),
            caf::actor_cast<caf::actor>(parts_.applier)};
  }

  [[nodiscard]] bool is_own(const caf::actor_addr& source) const {
    const auto own = own_actors();
    return std::any_of(own.begin(), own.end(), [&](const auto& part) { return part.address() == source; });
  }

  void route(append_reply& m) {
    if (!is_mine(m.about))
      return;
    bool is_admitted = false;
    act([&](peer_output& out) { is_admitted = mind_.admit(m, now(), out); });
    if (const auto to = replicators_.find(m.about.from); is_admitted && to != replicators_.end())
      this->send(to->second, std::move(m));
  }

  // -- entries for replicators ---------------------------------------------------------------------------------------

  void fetch(const fetch_entries& m) {
    const auto& log = mind_.entries();
    if (!mind_.is_current(m.follower, m.term, m.incarnation) || m.from > log.last_index().next())
      return;
    if (m.from > log.last_index())
      hand_over(m.follower, m.from, {});
    else if (log.in_window(m.from))
      hand_over(m.follower, m.from, log.entries(m.from, log.last_index(), m.max_bytes));
    else
      read_back({parts_.group, m.from, mind_.durable_last(), m.max_bytes},
                replicator_fetch{m.follower, m.term, m.incarnation, m.from});
  }

  void hand_over(peer_id follower, log_index from, std::vector<entry_batch> batches) {
    const auto previous = from.before();
    if (const auto to = replicators_.find(follower); to != replicators_.end())
      this->send(to->second, entries_fetched{{mind_.entries().term_at(previous), previous}, std::move(batches)});
  }

  void read_back(log_range range, std::optional<replicator_fetch> for_whom) {
    const auto ticket = ++ticket_;
    fetches_.emplace(ticket, for_whom);
    this->send(parts_.persister, read_log_request{log_reader_actor{peer_actor{this}}, {ticket, range}});
  }

  void take_read_entries(const log_read& m) {
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
    } else if (is_present && mind_.is_current(fetched_for->follower, fetched_for->term, fetched_for->incarnation)) {
      hand_over(fetched_for->follower, fetched_for->from, m.batches);
    }
  }

  // -- the applier ---------------------------------------------------------------------------------------------------

  // Committed entries go to the applier in order, as far as its backlog allows (law 6).
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

  void feed(std::vector<entry_batch> batches) {
    for (const auto& batch : batches)
      backlog_bytes_ += batch.size_bytes();
    fed_ = batches.back().last();
    auto waiting = line_.take_up_to(fed_);
    for (const auto& run : waiting)
      TROUPE_ASSERT(mind_.entries().has({run.term, run.first}), "an answer belongs to the command it is given for");
    this->send(
        parts_.applier,
        apply_entries{application_listener{peer_actor{this}}, parts_.group, std::move(batches), std::move(waiting)});
  }

  void credit(const applied& m) {
    applied_ = m.up_to;
    backlog_bytes_ -= m.bytes;
    unapplied_.applied_up_to(applied_);
    feed_applier();
  }

  // -- clients -------------------------------------------------------------------------------------------------------

  start_reply start_agreement(const start& m) {
    entry_block_builder block;
    block.add(entry_kind::command, m.command.view());
    const auto result = mind_.propose(block.take(), now());
    arm_flush();
    if (!result.first)
      return {log_index{}, mind_.current_term(), false};
    return {result.first->index, result.first->term, true};
  }

  void accept(submit& m) {
    awaiting who;
    who.client = std::move(m.from);
    who.number = m.number;
    if (!mind_.is_leader() && mind_.leader() != nobody)
      return pass_on(std::move(who), m.what, std::move(m.block));
    if (const auto why = take_in(who, m.what, std::move(m.block)))
      refuse_to(this, who, *why);
    else
      this->send(who.client, submission_accepted{m.number});
  }

  void accept_forward(forward& m) {
    const auto via = parts_.others.find(m.about.from);
    if (via == parts_.others.end() || !is_mine(m.about) || !is_of_clients(m.block))
      return;
    awaiting who;
    who.via = via->second;
    who.about = {parts_.group, parts_.self, m.about.from, term_number{}};
    who.number = m.number;
    // One hop at most: who is no leader does not pass it on.
    if (const auto why = take_in(who, m.what, std::move(m.block)))
      refuse_to(this, who, *why);
  }

  /// Clients propose commands; the other kinds of entries are Raft's own.
  [[nodiscard]] static bool is_of_clients(const entry_block& block) {
    for (entry_iterator next{block.payload.view(), {}}; next != entry_iterator{}; ++next)
      if ((*next).kind != entry_kind::command)
        return false;
    return block.count > 0;
  }

  /// Takes operations in as leader; says why not, if not.
  std::optional<refusal> take_in(awaiting& who, operation what, entry_block block) {
    who.count = block.count;
    who.deadline = now() + parts_.options.client_deadline;
    const auto& limits = parts_.options.limits;
    if (what == operation::query) {
      if (block.payload.size() > limits.proposal_bytes)
        return refusal::too_large;
      const auto ticket = ++ticket_;
      const auto why = mind_.begin_read(ticket, now());
      if (!why)
        reads_.emplace(ticket, pending_read{who, std::move(block)});
      arm_flush();
      return why;
    }
    const auto bytes = block.payload.size();
    if (!unapplied_.has_room(bytes, limits.uncommitted_bytes + limits.apply_backlog_bytes))
      return refusal::busy;
    const auto result = mind_.propose(std::move(block), now());
    if (!result.first)
      return result.why;
    who.first = result.first->index;
    who.term = result.first->term;
    unapplied_.accept(mind_.entries().last_index(), bytes);
    line_.push(who);
    arm_flush();
    return std::nullopt;
  }

  void answer_read(const confirmed_read& read) {
    auto node = reads_.extract(read.ticket);
    TROUPE_ASSERT(!node.empty(), "each read ends once");
    this->send(parts_.applier, answer_queries{read.at, std::move(node.mapped().who), std::move(node.mapped().block)});
  }

  void fail_read(const failed_read& read) {
    auto node = reads_.extract(read.ticket);
    TROUPE_ASSERT(!node.empty(), "each read ends once");
    refuse_to(this, node.mapped().who, read.why);
  }

  // -- passing on to the leader --------------------------------------------------------------------------------------

  void pass_on(awaiting who, operation what, entry_block block) {
    const auto& limits = parts_.options.limits;
    if (block.payload.size() > limits.proposal_bytes)
      return refuse_to(this, who, refusal::too_large);
    if (!forwarded_.empty() && forwarded_.bytes() + block.payload.size() > limits.forwarded_bytes)
      return refuse_to(this, who, refusal::busy);
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
    this->send(parts_.others.at(mind_.leader()), std::move(message));
    this->send(who.client, submission_accepted{who.number});
    arm_forwards();
  }

  void pass_on_answers(forward_reply& m) {
    if (!is_mine(m.about))
      return;
    auto* lot = forwarded_.find(m.number, m.offset);
    if (!lot || lot->leader != m.about.from) {
      ++stale_forward_replies_;
      return;
    }
    if (m.refused != 0) {
      this->send(lot->client, submission_refused{lot->client_number, m.offset, static_cast<refusal>(m.refused)});
      forwarded_.erase(m.number);
      return;
    }
    answer_list answers{std::move(m.answers), std::move(m.ends)};
    lot->answered += static_cast<std::uint32_t>(answers.count());
    this->send(
        lot->client,
        submission_answered{lot->client_number, m.offset, std::make_shared<const answer_list>(std::move(answers))});
    if (lot->answered >= lot->count)
      forwarded_.erase(m.number);
  }

  // What was passed to a leader that leads no more may or may not have been carried out.
  void notice_leader_change() {
    const std::pair now_led_by{mind_.leader(), mind_.current_term()};
    if (std::exchange(led_by_, now_led_by) != now_led_by)
      lose_forwards([&](const auto& lot) { return std::pair{lot.leader, lot.term} != now_led_by; });
  }

  void expire_forwards() {
    is_forwards_armed_ = false;
    lose_forwards([&](const auto& lot) { return now() >= lot.deadline; });
    arm_forwards();
  }

  template <class F>
  void lose_forwards(F&& is_lost) {
    for (const auto& lot : forwarded_.take_if(is_lost))
      this->send(lot.client, submission_refused{lot.client_number, lot.answered, lot.when_lost()});
  }

  void arm_forwards() {
    if (!forwarded_.empty() && !std::exchange(is_forwards_armed_, true))
      this->delayed_send(this, parts_.options.times.election_timeout_min, forwards_due{});
  }

  // -- the rest ------------------------------------------------------------------------------------------------------

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
    state.applied = applied_;
    state.last = mind_.entries().last_index();
    state.stale_replies_dropped = mind_.counters().stale_replies_dropped + stale_forward_replies_;
    state.elections_started = mind_.counters().elections_started;
    state.leader_changes = mind_.counters().leader_changes;
    if (const auto* leading = mind_.leadership())
      for (const auto& [id, member] : leading->members)
        state.followers.push_back(
            {id, member.match, now() - member.sent_at < parts_.options.times.election_timeout_max});
    return state;
  }

  void stop() {
    act([&](peer_output& out) { mind_.stop(out); });
    lose_forwards([](const auto&) { return true; });
    // Committed perhaps, but nobody will say so any more.
    for (const auto& run : line_.take_behind(log_index{}))
      refuse_to(this, run, refusal::uncertain);
    this->quit(caf::exit_reason::user_shutdown);
  }

  [[nodiscard]] instant now() { return this->clock().now(); }

  peer_actor_parts parts_;
  consensus mind_;
  std::map<peer_id, replicator_actor> replicators_;

  bool is_flush_armed_ = false;
  std::optional<instant> armed_for_;
  std::uint64_t deadline_epoch_ = 0;

  log_index fed_;     ///< Handed to the applier.
  log_index applied_; ///< Reported by it.
  std::size_t backlog_bytes_ = 0;
  bool is_feed_reading_ = false;

  std::uint64_t ticket_ = 0;
  std::map<std::uint64_t, std::optional<replicator_fetch>>
      fetches_; ///< Read back from disk; for the applier if nothing.
  std::map<std::uint64_t, pending_read> reads_;
  waiting_line<awaiting> line_;
  unapplied unapplied_;

  std::pair<peer_id, term_number> led_by_; ///< As last looked at.
  forwarded_lots<client_actor> forwarded_;
  std::uint64_t forward_number_;
  bool is_forwards_armed_ = false;
  std::uint64_t stale_forward_replies_ = 0;
};

} // namespace

peer_actor spawn_peer(caf::actor_system& system, placement where, peer_actor_parts parts) {
  return spawn_at<peer_shell, peer_actor>(system, where, std::move(parts));
}

} // namespace troupe
