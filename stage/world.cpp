#include "stage/world.hpp"

#include "stage/transcript.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

using std::chrono::milliseconds;

std::string text(peer_id id) {
  return std::to_string(id.value());
}

std::vector<peer_id> first_ids(std::uint64_t nodes) {
  std::vector<peer_id> ids;
  for (std::uint64_t id = 1; id <= nodes; ++id)
    ids.emplace_back(id);
  return ids;
}

std::string_view words_for(refusal why) {
  switch (why) {
  case refusal::no_leader: return "no leader";
  case refusal::busy: return "busy";
  case refusal::too_large: return "too large";
  case refusal::uncertain: return "uncertain";
  case refusal::not_ready: return "not ready";
  case refusal::stopped: return "stopped";
  }
  return "?";
}

/// A fault without its time.
std::string in_words(const fault& f) {
  const auto line = to_string(f);
  return line.substr(line.find(' ', 3) + 1);
}

/// Words of a workload's, as an event of a story may have them.
std::string one_line(std::string words) {
  constexpr std::size_t most = 100;
  if (words.size() > most)
    words = words.substr(0, most) + "...";
  for (auto& letter : words)
    if (static_cast<unsigned char>(letter) < ' ')
      letter = ' ';
  return words;
}

struct client_ears {
  std::function<void(std::uint64_t, std::uint32_t, const answer_list&)> answered;
  std::function<void(std::uint64_t, std::uint32_t, refusal)> refused;
};

client_actor::behavior_type play_client(client_actor::pointer, client_ears ears) {
  return {
      [](const submission_accepted&) {},
      [ears](const submission_answered& m) { ears.answered(m.number, m.offset, *m.answers); },
      [ears](const submission_refused& m) { ears.refused(m.number, m.offset, m.why); },
  };
}

} // namespace

stage_world::stage_world(std::uint64_t seed, world_options options, std::unique_ptr<workload> clients)
    : options_{std::move(options)}, workload_{std::move(clients)}, chance_{seed * 0x9e3779b97f4a7c15ull + 1},
      runtime_{chance_.roll()}, network_{runtime_, chance_.fork()},
      checker_{runtime_.judge(), first_ids(options_.knobs.nodes)}, ledger_{runtime_.judge()}, trace_{options_.tells} {
  const auto& knobs = options_.knobs;
  checker_.bound_uncommitted(
      std::max(knobs.peers.limits.uncommitted_bytes, knobs.most_in_a_lot * (knobs.value_bytes + 100)));
  network_.watch([this](const peer_message& message) { checker_.leaves(message); });
  network_.believes = [this](peer_id from, peer_id to) { return believes(from, to); };
  const auto tell = [this](trace_event::kind what, std::uint64_t number, const peer_message& message) {
    const auto& [group, from, to, term] = about(message);
    const bool at_receiver = what == trace_event::kind::hears;
    trace_.note({now(), what, at_receiver ? to : from, at_receiver ? from : to, term, number, {}},
                [&] { return describe(message); });
  };
  network_.on_sent = [this, tell](std::uint64_t number, const peer_message& message) {
    tell(trace_event::kind::sends, number, message);
    observe(message);
  };
  network_.on_delivered = [this, tell](std::uint64_t number, const peer_message& message) {
    tell(trace_event::kind::hears, number, message);
    const auto& [group, from, to, term] = about(message);
    if (!is_alive(from))
      marks_.hit(sometimes::message_after_its_sender_died);
    const bool is_reply = std::holds_alternative<append_reply>(message) || std::holds_alternative<vote_reply>(message);
    if (is_reply && term < at(to).node->disk().vote().current_term)
      marks_.hit(sometimes::reply_of_an_earlier_term);
  };
  checker_.on_written = [this](peer_id id, const log_write& write) {
    if (write.truncate_from)
      marks_.hit(sometimes::conflicting_entries_cut_off);
    trace_.fold(id.value() << 32 ^ write.append.size());
  };
  network_.on_lost = [tell](std::uint64_t number, const peer_message& message) {
    tell(trace_event::kind::loses, number, message);
  };
  ledger_.on_each = [this](peer_id node, const command& what, std::string_view answer) {
    checker_.delivers(node, what.index, what.term, what.content);
    if (runtime_.judge().failed())
      return; // The story ends with what broke the promise.
    note(
        trace_event::kind::applies, node,
        [&] { return "index " + std::to_string(what.index.value()) + ": " + one_line(workload_->in_words(answer)); },
        what.term);
  };
  ledger_.on_loaded = [this](peer_id node, std::uint64_t position) {
    note(trace_event::kind::applies, node,
         [&] { return "the state behind " + std::to_string(position) + " commands"; });
  };
  ledger_.on_applied = [this](operation_id id, std::string_view content, std::string_view answer) {
    workload_->applied(id, content, answer);
    look_at_workload();
  };
  const auto members = first_ids(nodes());
  nodes_.resize(nodes());
  for (const auto id : members) {
    auto disk = std::make_unique<directory_disk>(chance_.fork(), id, members, options_.knobs.segment_bytes);
    auto& made = at(id);
    made.disk = disk.get();
    for (const auto other : members)
      if (other != id)
        made.book.emplace(other, std::nullopt);
    made.node = std::make_unique<stage_node>(
        stage_node_parts{runtime_,
                         network_,
                         checker_,
                         id,
                         group_id{},
                         configuration::of(members),
                         options_.knobs.options_of(id),
                         std::move(disk),
                         options_.knobs.latency,
                         chance_.fork(),
                         [](const applied_command&) {},
                         {},
                         [this, id](auto) { return watch(workload_->machine(), ledger_, id); },
                         [this, id](const std::string& why) { node_ended(id, at(id).life, why); }});
  }
  for (unsigned client = 0; client < options_.knobs.clients; ++client) {
    clients_.push_back(runtime_.system().spawn(
        play_client,
        client_ears{[this](auto number, auto offset, const auto& answers) { hear_answer(number, offset, answers); },
                    [this](auto number, auto offset, auto why) { hear_refusal(number, offset, why); }}));
    runtime_.adopt(caf::actor_cast<caf::strong_actor_ptr>(clients_.back()));
  }
}

stage_world::~stage_world() {
  ledger_.on_each = nullptr;
  ledger_.on_loaded = nullptr;
  for (auto& each : nodes_)
    if (each.node->alive())
      each.node->crash();
  runtime_.strike();
}

std::vector<peer_id> stage_world::ids() const {
  return first_ids(nodes_.size());
}

void stage_world::fail(const std::string& what) {
  throw story_failed{what};
}

void stage_world::note(trace_event::kind what, peer_id node, const std::function<std::string()>& words,
                       term_number term) {
  trace_.note({now(), what, node, nobody, term, 0, {}}, words);
}

// -- lives -----------------------------------------------------------------------------------------------------------

void stage_world::preload(peer_id id, const hard_state& vote, const std::vector<term_number>& entries) {
  std::vector<entry_batch> log;
  auto index = log_index{};
  for (const auto each : entries) {
    entry_block_builder block;
    block.add(entry_kind::no_op, {});
    index = index.next();
    log.push_back(entry_batch::stamp(block.take(), each, index, 0));
  }
  at(id).node->preload(vote, std::move(log));
}

void stage_world::start_all() {
  for (const auto id : ids())
    start(id);
  // They have met before anything goes wrong, as nodes do that were once set up together.
  for (const auto id : ids())
    for (const auto other : ids())
      if (id != other)
        at(id).book[other] = acquaintance{at(other).disk->disk(), at(other).disk->boot()};
  if (options_.crash_image_every > 0)
    check_now_and_then();
  let_clients_ask(true);
}

void stage_world::start(peer_id id) {
  auto& node = at(id);
  if (node.node->alive() || node.retired)
    return;
  ++node.life;
  try {
    node.node->start();
  } catch (const storage_error& refused) {
    network_.remove(id);
    if (!node.doomed)
      runtime_.judge().fail("node " + text(id)
                            + " does not start, and nothing but its power failed: " + refused.what());
    return retire(id, sometimes::damage_refused, refused.what());
  } catch (const io_error& failure) {
    if (!failure.is_lack_of_room())
      throw;
    // The program ends and says so; whoever looks after it starts it again.
    network_.remove(id);
    node.disk->lose_power(chance_);
    marks_.hit(sometimes::start_without_room);
    note(trace_event::kind::strikes, id, [] { return std::string{"has no room to start"}; });
    return runtime_.after(milliseconds{500}, [this, id, life = node.life] {
      if (at(id).life == life && at(id).downs == 0)
        start(id);
    });
  }
  node.identity = link_identity{"stage", id, node.disk->disk(), node.disk->boot()};
  const auto& report = node.node->disk();
  if (const auto lost = report.vote().lost; lost != 0 && lost != std::exchange(node.lost, lost)) {
    marks_.hit(sometimes::damage_declared);
    if (!node.doomed)
      runtime_.judge().fail("node " + text(id) + " has lost part of its log, and nothing but its power failed");
  }
  if (node.disk->was_torn())
    marks_.hit(sometimes::torn_write_undone);
  if (report.start() > log_index{})
    marks_.hit(sometimes::start_with_a_snapshot);
  note(
      trace_event::kind::starts, id,
      [&] {
        return "boot " + std::to_string(node.disk->boot()) + ", term "
            + std::to_string(report.vote().current_term.value()) + ", log " + std::to_string(report.start().value())
            + ".." + std::to_string(report.last().value());
      },
      report.vote().current_term);
  for (unsigned i = 0; i < node.pauses; ++i)
    runtime_.hold_all_of(id);
  if (node.slow_applies > 0)
    runtime_.hold(caf::actor_cast<caf::strong_actor_ptr>(node.node->applier()));
}

void stage_world::crash(peer_id id) {
  auto& node = at(id);
  if (!node.node->alive())
    return;
  const auto term = node.node->disk().vote().current_term;
  if (const auto led = leaders_.find(term); led != leaders_.end() && led->second == id) {
    if (node.node->disk().last_written() > checker_.committed())
      marks_.hit(sometimes::leader_crashes_with_open_commands);
  } else if (node.node->disk().vote().voted_for == id) {
    marks_.hit(sometimes::candidate_crashes);
  } else if (node.node->disk().last_written() > node.node->disk().last()) {
    marks_.hit(sometimes::follower_crashes_before_its_sync);
  }
  note(
      trace_event::kind::crashes, id, [] { return std::string{}; }, term);
  node.node->crash();
  node.identity.reset();
  cut_off_clients_of(id);
}

bool stage_world::is_alive(peer_id id) const {
  return at(id).node->alive();
}

void stage_world::node_ended(peer_id id, std::uint64_t life, const std::string& why) {
  // It is in the middle of a message: its end is for later.
  runtime_.after(duration::zero(), [this, id, life, why] {
    if (at(id).life != life || !is_alive(id))
      return;
    if (at(id).failed_in != life)
      return runtime_.judge().fail("node " + text(id) + " ended itself: " + why);
    // A disk that failed once is not asked again.
    marks_.hit(sometimes::sync_failed);
    note(trace_event::kind::strikes, id, [&] { return "ends itself: " + why; });
    at(id).has_ended = true;
    go_down(id);
  });
}

void stage_world::retire(peer_id id, sometimes mark, const std::string& why) {
  auto& node = at(id);
  if (node.retired)
    return;
  node.retired = true;
  marks_.hit(mark);
  note(trace_event::kind::strikes, id, [&] { return "takes no part any more: " + why; });
  crash(id);
}

// Both ends of a link judge each other by what they say of themselves, as at production's doors; who is told that he
// has forgotten his votes ends.
bool stage_world::believes(peer_id from, peer_id to) {
  auto& speaker = at(from);
  auto& listener = at(to);
  if (!speaker.identity || !listener.identity)
    return true; // On its way when its sender died, or to nobody: not for this to say.
  const auto key = std::pair{from.value() << 32 | speaker.life, to.value() << 32 | listener.life};
  const auto [known, is_new] = belief_.emplace(key, true);
  if (!is_new)
    return known->second;
  const auto words = introduce(*speaker.identity, to);
  if (const auto notice = judge(*listener.identity, listener.book, words)) {
    known->second = false;
    const bool is_old = notice->reason == link_refusal::old_disk;
    if (is_old || notice->reason == link_refusal::changed_disk)
      runtime_.after(duration::zero(), [this, from, life = speaker.life, is_old, said = notice->words] {
        if (at(from).life == life)
          retire(from, is_old ? sometimes::old_copy_refused : sometimes::wiped_disk_refused, said);
      });
    return false;
  }
  listener.book[from] = acquaintance{words.disk, words.boot};
  return true;
}

void stage_world::check_now_and_then() {
  runtime_.after_steps(options_.crash_image_every, [this] {
    const auto id = peer_id{1 + chance_.below(nodes_.size())};
    if (is_alive(id)) {
      check_crash_image(id);
      check_bookkeeping(id);
      if (at(id).lost != 0 && !has_loss(id)) {
        marks_.hit(sometimes::damage_repaired);
        at(id).lost = 0;
      }
    }
    check_now_and_then();
  });
}

// I17: production's recovery, on what would be there. I16: and no more of it than there should be.
void stage_world::check_crash_image(peer_id id) {
  auto& node = at(id);
  auto copy = node.node->disk(); // A model that nobody listens to.
  copy.on_durable = copy.on_written = nullptr;
  copy.on_recovered = nullptr;
  try {
    if (const auto loss = copy.recovered(node.disk->recover_copy(group_id{}, chance_.roll())))
      runtime_.judge().fail("I17: if node " + text(id) + " crashed now it would not be what it has promised: " + *loss);
  } catch (const storage_error& refused) {
    runtime_.judge().fail("I17: if node " + text(id) + " crashed now it could not start: " + refused.what());
  } catch (const io_error& failure) {
    if (!failure.is_lack_of_room())
      throw;
  }
  // Beside those that are kept: one that is written, and what followers are being sent. None goes while the log's disk
  // hangs, for none may go before the log says so durably.
  if (node.stalls > 0 || runtime_.now() < node.stalled_until + std::chrono::seconds{1})
    return;
  // A leader keeps what it sends, and all behind it, as long as the follower is waited for.
  if (runtime_.now() < node.led_until + 12 * options_.knobs.options_of(id).times.election_timeout_max)
    return;
  if (const auto kept = options_.knobs.peers.snapshots.kept; node.disk->snapshots() > kept + nodes_.size() + 3)
    runtime_.judge().fail("I16: " + std::to_string(node.disk->snapshots()) + " snapshots lie on the disk of node "
                          + text(id) + ", and " + std::to_string(kept) + " are to be kept");
}

// I7: what a leader believes of a follower is on that one's disk, as long as it follows.
void stage_world::check_bookkeeping(peer_id id) {
  if (at(id).pauses > 0)
    return;
  const auto mine = state(id);
  if (!mine || !mine->is_leader)
    return;
  const auto& own = at(id).node->disk();
  for (const auto& follower : mine->followers) {
    const auto& theirs = at(follower.id).node->disk();
    // A loss counts from when the leader has heard of it.
    if (at(follower.id).doomed || theirs.vote().lost != 0 || follower.match == log_index{} || theirs.vote().current_term != mine->term)
      continue;
    const auto* there = theirs.durable_at(follower.match);
    const auto* here = own.written_at(follower.match);
    if (there == nullptr || (here != nullptr && here->term != there->term))
      runtime_.judge().fail("I7: leader " + text(id) + " counts on node " + text(follower.id) + " up to "
                            + std::to_string(follower.match.value()) + ", and its disk "
                            + (there == nullptr ? "ends at " + std::to_string(theirs.last().value())
                                                : std::string{"has another entry there"}));
  }
}

// -- what is to be seen ----------------------------------------------------------------------------------------------

void stage_world::observe(const peer_message& message) {
  const auto& envelope = about(message);
  if (const auto* append = std::get_if<append_entries>(&message)) {
    note_leader(envelope.from, envelope.term);
    at(envelope.from).led_until = runtime_.now();
    if (append->commit > log_index{} && append->previous.term < envelope.term
        && append->commit > append->previous.index)
      marks_.hit(sometimes::old_entry_committed_by_a_new_one);
  } else if (const auto* reply = std::get_if<append_reply>(&message)) {
    if (!reply->success && reply->conflict.term == term_number{})
      marks_.hit(sometimes::append_refused_by_a_short_log);
    else if (!reply->success)
      marks_.hit(sometimes::append_refused_by_another_term);
    if (reply->is_full)
      marks_.hit(sometimes::full_follower);
  } else if (const auto* vote = std::get_if<vote_reply>(&message)) {
    if (!vote->granted)
      marks_.hit(vote->pre_vote ? sometimes::pre_vote_refused : sometimes::vote_refused);
  } else if (const auto* request = std::get_if<request_vote>(&message)) {
    if (const auto led = leaders_.find(at(envelope.from).node->disk().vote().current_term); request->pre_vote
        && led != leaders_.end() && led->second == envelope.from && at(envelope.from).life == led_in_[led->first])
      marks_.hit(sometimes::leader_steps_down_in_its_term);
    if (!request->pre_vote && !leaders_.contains(envelope.term.before()) && envelope.term > term_number{1})
      marks_.hit(sometimes::election_without_winner);
  } else if (const auto* piece = std::get_if<install_snapshot>(&message)) {
    note_leader(envelope.from, envelope.term);
    marks_.hit(sometimes::snapshot_sent);
    if (piece->bytes.size() == 0)
      questions_.emplace(envelope.to, piece->number);
  } else if (const auto* stored = std::get_if<snapshot_reply>(&message)) {
    if (stored->is_installed)
      marks_.hit(sometimes::snapshot_installed);
    else if (questions_.erase({envelope.from, stored->number}) > 0 && stored->received_bytes > 0)
      marks_.hit(sometimes::snapshot_resumed);
  } else if (std::holds_alternative<timeout_now>(message)) {
    marks_.hit(sometimes::leadership_handed_over);
  } else if (std::holds_alternative<forward>(message)) {
    marks_.hit(sometimes::command_passed_on);
  }
}

void stage_world::note_leader(peer_id id, term_number term) {
  if (!leaders_.emplace(term, id).second) {
    if (leaders_.rbegin()->first > term)
      marks_.hit(sometimes::two_leaders_at_once);
    return;
  }
  ++leader_changes_;
  led_in_[term] = at(id).life;
  note(
      trace_event::kind::rises, id, [&] { return "leads term " + std::to_string(term.value()); }, term);
}

// -- faults ----------------------------------------------------------------------------------------------------------

void stage_world::follow(const fault_plan& plan) {
  for (const auto& f : plan)
    runtime_.after(f.at, [this, f, epoch = fault_epoch_] {
      if (epoch == fault_epoch_)
        strike(f);
    });
}

void stage_world::strike(const fault& f) {
  if (f.what != fault_kind::crash || f.amount == 0)
    return befall(f);
  runtime_.after_steps(f.amount, [this, f, epoch = fault_epoch_] {
    if (epoch != fault_epoch_)
      return;
    marks_.hit(sometimes::crash_between_messages);
    befall(f);
  });
}

void stage_world::befall(const fault& f) {
  const auto number = ++fault_number_;
  present_faults_.emplace(number, f);
  begin_fault(f);
  if (f.lasts == for_good)
    return;
  runtime_.after(f.lasts, [this, f, number, epoch = fault_epoch_] {
    if (present_faults_.erase(number) > 0 && epoch == fault_epoch_)
      end_fault(f);
  });
}

void stage_world::end_faults(const std::function<bool(const fault&)>& which) {
  std::vector<fault> over;
  for (const auto& [number, f] : present_faults_)
    if (which(f))
      over.push_back(f);
  std::erase_if(present_faults_, [&](const auto& each) { return which(each.second); });
  for (const auto& f : over) {
    note(trace_event::kind::strikes, f.node, [&] { return in_words(f) + " is over"; });
    end_fault(f);
  }
}

void stage_world::cut(peer_id from, peer_id to, bool is_cut) {
  auto& count = cuts_[{from, to}];
  count += is_cut ? 1 : -1;
  network_.cut(from, to, count > 0);
}

void stage_world::go_down(peer_id id) {
  ++at(id).downs;
  crash(id);
}

void stage_world::come_up(peer_id id) {
  auto& node = at(id);
  if (node.downs > 0 && --node.downs == 0)
    start(id);
}

// A copy looks like the node itself to a peer that has not seen a later boot than the copy's next one: no promise
// covers that (README, O3). With copies that some peer would believe, terms do get two votes of one node.
bool stage_world::all_have_seen_later(peer_id id, std::uint64_t boot) const {
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const world_node& other) {
    const auto met = other.book.find(id);
    return met == other.book.end() || (met->second && met->second->boot > boot);
  });
}

void stage_world::begin_fault(const fault& f) {
  if ((f.node != nobody && !exists(f.node)) || (f.other != nobody && !exists(f.other)))
    return;
  note(trace_event::kind::strikes, f.node, [&] { return in_words(f); });
  auto* node = f.node == nobody ? nullptr : &at(f.node);
  switch (f.what) {
  case fault_kind::crash: go_down(f.node); break;
  case fault_kind::pause:
    if (++node->pauses == 1)
      runtime_.hold_all_of(f.node);
    break;
  case fault_kind::cut: cut(f.node, f.other, true); break;
  case fault_kind::isolate:
    for (const auto other : ids())
      if (other != f.node) {
        cut(f.node, other, true);
        cut(other, f.node, true);
      }
    break;
  case fault_kind::split:
    for (const auto one : f.side)
      for (const auto other : ids())
        if (exists(one) && std::find(f.side.begin(), f.side.end(), other) == f.side.end()) {
          cut(one, other, true);
          cut(other, one, true);
        }
    break;
  case fault_kind::network:
    ++bad_networks_;
    network_.set_quality(f.quality);
    break;
  case fault_kind::way: network_.set_quality(f.node, f.other, f.quality); break;
  case fault_kind::stall:
    if (leader() == f.node)
      marks_.hit(sometimes::stalled_leader);
    ++node->stalls;
    node->node->valve().stalled = true;
    break;
  case fault_kind::fail_sync:
    if (++node->failing_syncs == 1)
      node->node->valve().break_sync = [node](bool fails) {
        node->disk->fail_sync(fails);
        node->failed_in = fails ? node->life : 0;
      };
    break;
  case fault_kind::slow_disk: node->node->valve().extra = std::chrono::microseconds{f.amount}; break;
  case fault_kind::fill:
    ++node->fills;
    node->disk->limit_to(f.amount);
    break;
  case fault_kind::rot:
    go_down(f.node);
    node->doomed = true;
    if (const auto where = node->disk->rot(chance_))
      note(trace_event::kind::strikes, f.node, [&] { return "a bit flips: " + *where; });
    break;
  case fault_kind::wipe:
    go_down(f.node);
    if (!node->retired) {
      node->disk->wipe();
      node->doomed = true;
      node->node->forgive();
    }
    break;
  case fault_kind::back_up:
    if (!node->retired && node->disk->boot() > 0) {
      node->disk->back_up();
      node->backup_boot = node->disk->boot();
    }
    break;
  case fault_kind::put_back:
    if (node->retired || !node->disk->has_backup() || !all_have_seen_later(f.node, node->backup_boot + 1))
      break;
    go_down(f.node);
    node->disk->put_back();
    node->doomed = true;
    node->node->forgive();
    break;
  case fault_kind::slow_apply:
    if (++node->slow_applies == 1 && node->node->alive())
      runtime_.hold(caf::actor_cast<caf::strong_actor_ptr>(node->node->applier()));
    break;
  }
}

void stage_world::end_fault(const fault& f) {
  if ((f.node != nobody && !exists(f.node)) || (f.other != nobody && !exists(f.other)))
    return;
  auto* node = f.node == nobody ? nullptr : &at(f.node);
  switch (f.what) {
  case fault_kind::crash:
  case fault_kind::rot:
  case fault_kind::wipe: come_up(f.node); break;
  case fault_kind::put_back:
    if (node->downs > 0)
      come_up(f.node);
    break;
  case fault_kind::pause:
    if (node->pauses > 0 && --node->pauses == 0) {
      if (leaders_.empty() ? false
                           : leaders_.rbegin()->second != f.node && node->node->alive()
                  && leaders_.contains(node->node->disk().vote().current_term)
                  && leaders_.at(node->node->disk().vote().current_term) == f.node)
        marks_.hit(sometimes::leader_paused_past_its_term);
      runtime_.release_all_of(f.node);
    }
    break;
  case fault_kind::cut: cut(f.node, f.other, false); break;
  case fault_kind::isolate:
    for (const auto other : ids())
      if (other != f.node) {
        cut(f.node, other, false);
        cut(other, f.node, false);
      }
    break;
  case fault_kind::split:
    for (const auto one : f.side)
      for (const auto other : ids())
        if (exists(one) && std::find(f.side.begin(), f.side.end(), other) == f.side.end()) {
          cut(one, other, false);
          cut(other, one, false);
        }
    break;
  case fault_kind::network:
    if (bad_networks_ > 0 && --bad_networks_ == 0)
      network_.set_quality(way_quality{});
    break;
  case fault_kind::way: network_.set_quality(f.node, f.other, way_quality{}); break;
  case fault_kind::stall:
    if (node->stalls > 0 && --node->stalls == 0) {
      node->node->valve().open();
      node->stalled_until = runtime_.now();
    }
    break;
  case fault_kind::fail_sync:
    if (node->failing_syncs == 0 || --node->failing_syncs > 0)
      break;
    node->node->valve().break_sync = nullptr;
    if (node->failed_in == node->life && node->node->alive())
      runtime_.judge().fail("node " + text(f.node) + " goes on after a sync of its disk has failed");
    if (std::exchange(node->has_ended, false))
      come_up(f.node);
    break;
  case fault_kind::slow_disk: node->node->valve().extra = {}; break;
  case fault_kind::fill:
    if (node->fills > 0 && --node->fills == 0)
      node->disk->limit_to(std::nullopt);
    break;
  case fault_kind::back_up: break;
  case fault_kind::slow_apply:
    if (node->slow_applies > 0 && --node->slow_applies == 0 && node->node->alive())
      runtime_.release(caf::actor_cast<caf::strong_actor_ptr>(node->node->applier()));
    break;
  }
}

// -- clients ---------------------------------------------------------------------------------------------------------

void stage_world::let_clients_ask(bool asking) {
  ++asking_epoch_;
  if (asking)
    for (unsigned client = 0; client < clients_.size(); ++client)
      client_turn(client, asking_epoch_);
}

void stage_world::client_turn(unsigned client, std::uint64_t epoch) {
  const auto together = (1.0 + options_.knobs.most_in_a_lot) / 2;
  const auto mean = 1e9 * together * static_cast<double>(clients_.size()) / options_.knobs.operations_per_second;
  const auto pause = duration{static_cast<std::int64_t>(chance_.below(static_cast<std::uint64_t>(2 * mean) + 1))};
  runtime_.after(pause, [this, client, epoch] {
    if (epoch != asking_epoch_)
      return;
    const auto id = peer_id{1 + chance_.below(nodes_.size())};
    if (asked_nodes_.empty() || asked_nodes_.contains(id))
      ask(client, id);
    client_turn(client, epoch);
  });
}

void stage_world::ask_once(peer_id id) {
  ask(static_cast<unsigned>(chance_.below(clients_.size())), id);
}

std::optional<operation_id> stage_world::ask_once(peer_id id, const workload::request& request) {
  if (!is_alive(id))
    return std::nullopt;
  const auto client = static_cast<unsigned>(chance_.below(clients_.size()));
  lot_draft draft;
  const auto operation = add(draft, client, id, request);
  submit(std::move(draft), client, id);
  return operation;
}

void stage_world::ask(unsigned client, peer_id id) {
  if (!is_alive(id))
    return;
  lot_draft draft;
  for (auto left = 1 + chance_.below(options_.knobs.most_in_a_lot); left > 0; --left) {
    const auto request = workload_->next(client, chance_);
    if (!draft.operations.empty() && draft.what != request.what)
      submit(std::exchange(draft, {}), client, id); // Commands and queries do not mix.
    (void)add(draft, client, id, request);
  }
  submit(std::move(draft), client, id);
}

operation_id stage_world::add(lot_draft& draft, unsigned client, peer_id id, const workload::request& request) {
  const auto [operation, content] = ledger_.asks(request.what, request.content, runtime_.now());
  workload_->asked(operation, client, request);
  look_at_workload();
  note(trace_event::kind::asks, id, [&, named = operation] {
    return "client " + std::to_string(client + 1) + " asks " + std::to_string(named.value()) + ": "
        + one_line(request.words);
  });
  trace_.fold(operation.value());
  draft.what = request.what;
  draft.operations.push_back(operation);
  draft.block.add(entry_kind::command, content);
  return operation;
}

void stage_world::submit(lot_draft draft, unsigned client, peer_id id) {
  auto& node = at(id);
  const auto number = ++lot_number_;
  lots_[number] = {id, node.life, std::move(draft.operations), 0};
  runtime_.tell(node.node->peer(), troupe::submit{clients_[client], number, draft.what, draft.block.take()});
}

void stage_world::hear_answer(std::uint64_t number, std::uint32_t offset, const answer_list& answers) {
  const auto found = lots_.find(number);
  if (found == lots_.end())
    return;
  auto& lot = found->second;
  for (std::size_t i = 0; i < answers.count() && offset + i < lot.operations.size(); ++i) {
    const auto id = lot.operations[offset + i];
    const auto answer = ledger_.is_answered(id, answers.at(i), runtime_.now());
    note(trace_event::kind::tells, lot.at,
         [&] { return "answers " + std::to_string(id.value()) + ": " + one_line(workload_->in_words(answer)); });
    trace_.fold(id.value());
    workload_->answered(id, answer);
    look_at_workload();
    ++lot.ended;
  }
  if (lot.ended == lot.operations.size())
    lots_.erase(found);
}

void stage_world::hear_refusal(std::uint64_t number, std::uint32_t offset, refusal why) {
  const auto found = lots_.find(number);
  if (found == lots_.end())
    return;
  const auto lot = std::move(found->second);
  lots_.erase(found);
  if (why == refusal::busy) {
    marks_.hit(sometimes::command_refused_busy);
    if (leader() == lot.at && at(lot.at).fills > 0)
      marks_.hit(sometimes::full_leader);
  }
  if (why == refusal::uncertain)
    marks_.hit(sometimes::command_uncertain);
  if (why == refusal::not_ready)
    marks_.hit(sometimes::read_not_ready);
  if (why == refusal::no_leader)
    marks_.hit(sometimes::minority_serves_nobody);
  for (auto i = static_cast<std::size_t>(offset); i < lot.operations.size(); ++i) {
    const auto id = lot.operations[i];
    note(trace_event::kind::tells, lot.at,
         [&] { return "refuses " + std::to_string(id.value()) + ": " + std::string{words_for(why)}; });
    ledger_.is_refused(id, why, runtime_.now());
    if (why == refusal::uncertain)
      workload_->lost(id);
    else
      workload_->refused(id);
    look_at_workload();
  }
}

void stage_world::cut_off_clients_of(peer_id id) {
  std::erase_if(lots_, [&](const auto& entry) {
    const auto& lot = entry.second;
    if (lot.at != id)
      return false;
    for (auto i = lot.ended; i < lot.operations.size(); ++i) {
      ledger_.is_cut_off(lot.operations[i]);
      workload_->lost(lot.operations[i]);
    }
    return true;
  });
  look_at_workload();
}

void stage_world::look_at_workload() {
  if (auto trouble = workload_->trouble())
    runtime_.judge().fail(*std::move(trouble));
}

// -- the second phase ------------------------------------------------------------------------------------------------

std::vector<peer_id> stage_world::able() const {
  std::vector<peer_id> all;
  for (const auto id : ids())
    if (!at(id).retired && !at(id).doomed)
      all.push_back(id);
  return all;
}

std::optional<peer_state> stage_world::state(peer_id id) {
  return at(id).node->state();
}

peer_id stage_world::leader() {
  for (auto led = leaders_.rbegin(); led != leaders_.rend(); ++led)
    if (const auto& node = at(led->second); node.node->alive() && node.node->disk().vote().current_term == led->first)
      return led->second;
  return nobody;
}

void stage_world::heal(const std::set<peer_id>& core) {
  ++fault_epoch_; // Faults that were to end later are over, or not, by decree.
  present_faults_.clear();
  network_.set_quality(way_quality{});
  const auto cut = [this](peer_id from, peer_id to, bool is_cut) {
    cuts_[{from, to}] = is_cut ? 1 : 0;
    network_.cut(from, to, is_cut);
  };
  for (const auto one : core)
    for (const auto other : core)
      if (one != other)
        cut(one, other, false);
  // Of the rest each is cut off, or can be heard only, or can hear only: who hears nobody must not lead (E8).
  for (const auto other : ids()) {
    if (core.contains(other))
      continue;
    const auto way = chance_.below(3);
    for (const auto one : core) {
      cut(other, one, way != 1);
      cut(one, other, way != 2);
    }
  }
  for (const auto id : core) {
    auto& node = at(id);
    node.pauses = node.slow_applies = node.stalls = node.fills = node.downs = node.failing_syncs = 0;
    node.has_ended = false;
    node.node->valve().break_sync = nullptr;
    runtime_.release_all_of(id);
    node.disk->limit_to(std::nullopt);
    node.node->valve().extra = {};
    node.node->valve().open();
    if (node.node->alive())
      runtime_.release(caf::actor_cast<caf::strong_actor_ptr>(node.node->applier()));
    else
      start(id);
  }
}

run_result play(std::uint64_t seed, const world_options& options, const workload_maker& clients,
                const std::function<void(stage_world& world)>& story) {
  run_result result;
  stage_world world{seed, options, clients(options.knobs)};
  try {
    story(world);
    world.runtime().judge().demand();
  } catch (const story_failed& failure) {
    result.violation = failure.what();
  }
  result.virtual_time = world.runtime().now() - world.runtime().started_at();
  result.steps = world.runtime().steps();
  result.messages = world.network().counts().sent;
  result.operations = world.ledger().tally();
  result.marks = world.marks();
  if (result.violation)
    world.trace().note({result.virtual_time, trace_event::kind::breaks, nobody, nobody, {}, 0, {}},
                       [&] { return *result.violation; });
  result.hash = world.trace().hash();
  result.events = world.trace().take();
  return result;
}

run_result play(std::uint64_t seed, const run_options& options, const workload_maker& clients) {
  return play(seed, options.world, clients, [&](stage_world& world) {
    for (std::size_t i = 0; i < options.pasts.size(); ++i)
      world.preload(peer_id{i + 1}, options.pasts[i].vote, options.pasts[i].log);
    world.start_all();
    if (!options.pasts.empty())
      world.demand_leader_of_first_quorum();
    world.follow(options.plan);
    world.runtime().run_for(options.lasts);
    if (options.demands_liveness)
      world.demand_liveness();
  });
}

} // namespace troupe
