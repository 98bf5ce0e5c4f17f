#include "stage/world.hpp"

#include "stage/log_listener.hpp"
#include "stage/state_words.hpp"

#include "stage/transcript.hpp"

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

} // namespace

stage_world::stage_world(std::uint64_t seed, world_options options, std::unique_ptr<workload> clients)
    : options_{std::move(options)}, workload_{std::move(clients)}, chance_{seed * 0x9e3779b97f4a7c15ull + 1},
      runtime_{chance_.roll()}, network_{runtime_, chance_.fork()}, checker_{runtime_.judge(),
                                                                             first_ids(options_.knobs.nodes)},
      windows_{runtime_.judge(), options_.knobs.peers.limits}, ledger_{runtime_.judge(), runtime_.started_at()},
      trace_{options_.tells}, clients_{{runtime_, chance_, options_.knobs, *workload_, ledger_, trace_, marks_,
                                        [this](peer_id id) { return is_alive(id) ? &at(id).node->peer() : nullptr; },
                                        [this](peer_id id) { return leader() == id && at(id).fills > 0; },
                                        [this](peer_id id) { return at(id).overtaken; }},
                                       options_.gate,
                                       dice{~seed * 0x9e3779b97f4a7c15ull}} {
  const auto& knobs = options_.knobs;
  checker_.bound_uncommitted(
      std::max(knobs.peers.limits.uncommitted_bytes, knobs.most_in_a_lot * (knobs.value_bytes + 100)));
  network_.watch([this](const peer_message& message) { checker_.leaves(message); });
  // Without both there is no link.
  network_.believes = [this](peer_id from, peer_id to) {
    const auto hears = believes(from, to);
    return believes(to, from) && hears;
  };
  const auto tell = [this](trace_event::kind what, std::uint64_t number, const peer_message& message) {
    const auto& [group, from, to, term] = about(message);
    const bool at_receiver = what == trace_event::kind::hears;
    trace_.note({now(), what, at_receiver ? to : from, at_receiver ? from : to, term, number, {}},
                [&] { return describe(message); });
  };
  network_.on_sent = [this, tell](std::uint64_t number, const peer_message& message) {
    observe(message); // Who rises says so with its first message, and has risen before.
    if (const auto* append = std::get_if<append_entries>(&message))
      windows_.leaves(*append);
    else if (const auto* piece = std::get_if<install_snapshot>(&message))
      windows_.leaves(*piece);
    tell(trace_event::kind::sends, number, message);
  };
  network_.on_delivered = [this, tell](std::uint64_t number, const peer_message& message) {
    tell(trace_event::kind::hears, number, message);
    const auto& [group, from, to, term] = about(message);
    if (!is_alive(from))
      marks_.hit(sometimes::message_after_its_sender_died);
    if (const auto* append = std::get_if<append_entries>(&message))
      at(to).told_commit = std::max(at(to).told_commit, append->commit);
    if (const auto* reply = std::get_if<append_reply>(&message))
      windows_.arrives(*reply);
    if (std::holds_alternative<forward>(message)) {
      auto& last = at(from).passed_on[to];
      at(from).overtaken += number < last ? 1 : 0;
      last = std::max(last, number);
    }
    const bool is_reply = std::holds_alternative<append_reply>(message) || std::holds_alternative<vote_reply>(message);
    if (is_reply && term < at(to).node->disk().vote().current_term)
      marks_.hit(sometimes::reply_of_an_earlier_term);
  };
  checker_.on_written = [this](peer_id id, const log_write& write) {
    if (write.truncate_from)
      marks_.hit(sometimes::conflicting_entries_cut_off);
    trace_.fold(id.value() << 32 ^ write.append.size());
  };
  checker_.on_durable = [this](peer_id id, const log_write& write) { note_write(id, write); };
  network_.on_lost = [tell](std::uint64_t number, const peer_message& message) {
    tell(trace_event::kind::loses, number, message);
  };
  ledger_.on_each = [this](peer_id node, operation_id id, const command& what, std::string_view answer) {
    checker_.delivers(node, what.index, what.term, what.content);
    if (runtime_.judge().failed())
      return; // The story ends with what broke the promise.
    at(node).applied = what.index;
    note(
        trace_event::kind::applies, node,
        [&] {
          return "index " + std::to_string(what.index.value()) + ", operation " + std::to_string(id.value()) + ": "
              + one_line(workload_->in_words(answer));
        },
        what.term);
  };
  ledger_.on_loaded = [this](peer_id node, std::uint64_t position) {
    at(node).applied = ledger_.index_at(position);
    note(trace_event::kind::applies, node, [&] {
      return "the state behind " + std::to_string(position) + " commands, the last at index "
          + std::to_string(at(node).applied.value());
    });
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

void stage_world::overhear(std::string_view line) {
  const auto node = runtime_.player();
  constexpr std::string_view event = "event=";
  if (const auto at = line.find(event); node != nobody && at != line.npos) // The story says whose it is.
    trace_.remark({now(), trace_event::kind::logs, node, nobody, {}, 0, std::string{line.substr(at)}});
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
  prepares_ = true;
  at(id).node->preload(vote, std::move(log));
  prepares_ = false;
}

void stage_world::start_all() {
  for (const auto id : ids())
    start(id);
  // They have met before anything goes wrong, as nodes do that were once set up together.
  for (const auto id : ids())
    for (const auto other : ids())
      if (id != other)
        at(id).book[other] = met(std::nullopt, introduce(*at(other).identity, id));
  if (options_.crash_image_every > 0)
    check_now_and_then();
  clients_.let_ask(true);
}

void stage_world::start(peer_id id) {
  auto& node = at(id);
  if (node.node->alive() || node.retired)
    return;
  ++node.life;
  node.told_commit = node.applied = {};
  try {
    node.node->start();
  } catch (const storage_error& refused) {
    network_.remove(id);
    if (!node.doomed && !node.lied)
      runtime_.judge().fail("node " + text(id)
                            + " does not start, and nothing but its power failed: " + refused.what());
    return retire(id, node.lied ? sometimes::lie_refused : sometimes::damage_refused, refused.what());
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
  node.identity = link_identity{"stage", id, node.disk->disk(), node.disk->boot(), node.disk->lives()};
  if (node.lied && !survives_lie(id))
    return;
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
        return "boot " + std::to_string(node.disk->boot()) + ", " + in_words(report.vote()) + ", log "
            + std::to_string(report.start().value()) + ".." + std::to_string(report.last().value());
      },
      report.vote().current_term);
  clients_.welcome(id);
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
  node.in_last_life = std::exchange(node.identity, std::nullopt);
  clients_.cut_off(id);
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

// -- the second phase ------------------------------------------------------------------------------------------------

std::vector<peer_id> stage_world::able() const {
  std::vector<peer_id> all;
  for (const auto id : ids())
    if (!at(id).retired && !at(id).doomed && !at(id).lied && !has_loss(id))
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

std::vector<node_standing> stage_world::standings() {
  std::vector<node_standing> all;
  const auto lead = leader();
  for (const auto id : ids()) {
    const auto& disk = at(id).node->disk();
    const auto position = [](log_index index, const logged_entry* entry) {
      return log_position{entry == nullptr ? term_number{} : entry->term, index};
    };
    all.push_back({id,
                   at(id).retired                                                          ? "out"
                       : !is_alive(id)                                                     ? "down"
                       : id == lead && led_in_.at(disk.vote().current_term) == at(id).life ? "leads"
                                                                                           : "lives",
                   disk.vote(), position(disk.start(), disk.durable_at(disk.start())),
                   position(disk.last_written(), disk.written_at(disk.last_written())),
                   position(disk.last(), disk.durable_at(disk.last())), at(id).told_commit, at(id).applied});
  }
  return all;
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
      if (one != other) {
        cut(one, other, false);
        network_.renew_if_stuck(one, other, slowest_timeout());
      }
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
  std::optional<log_listener> listener;
  if (options.tells)
    listener.emplace([&](std::string_view line) { world.overhear(line); });
  try {
    story(world);
    world.runtime().judge().demand();
  } catch (const story_failed& failure) {
    result.violation = failure.what();
  }
  const auto breaker = world.at_fault();
  result.virtual_time = world.runtime().now() - world.runtime().started_at();
  result.steps = world.runtime().steps();
  result.messages = world.network().counts().sent;
  result.operations = world.ledger().tally();
  result.marks = world.marks();
  if (result.violation)
    world.trace().note({result.virtual_time, trace_event::kind::breaks, breaker, nobody, {}, 0, {}},
                       [&] { return *result.violation; });
  if (options.tells) {
    result.details = world.runtime().judge().details();
    result.standings = world.standings();
  }
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
