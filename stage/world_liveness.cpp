// The second phase of a run: what a healed quorum owes (L1 to L5, L7). See world.hpp.
#include "stage/world.hpp"

#include <algorithm>

namespace troupe {

namespace {

using std::chrono::milliseconds;

/// Operations that a gate may let wait for each other.
constexpr unsigned most_behind_a_gate = 100;

std::string in_ms(duration span) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(span).count()) + " ms";
}

} // namespace

std::set<peer_id> stage_world::draw_quorum(std::vector<peer_id> candidates) {
  const auto quorum = nodes_.size() / 2 + 1;
  const auto size = quorum + chance_.below(candidates.size() - quorum + 1);
  std::set<peer_id> drawn;
  while (drawn.size() < size) {
    const auto at_random = chance_.below(candidates.size());
    drawn.insert(candidates[at_random]);
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(at_random));
  }
  return drawn;
}

duration stage_world::slowest_timeout() const {
  auto slowest = duration::zero();
  for (const auto id : ids())
    slowest = std::max<duration>(slowest, options_.knobs.options_of(id).times.election_timeout_max);
  return slowest;
}

// Nothing of its term is committed before what others left uncommitted in front of it. With requests of one entry and
// one of them under way at a time each takes a follower's sync and a way there and back.
duration stage_world::time_for_backlog(const std::set<peer_id>& core) const {
  auto last = checker_.committed();
  for (const auto id : core)
    last = std::max(last, at(id).node->disk().last_written());
  const auto entries = static_cast<std::int64_t>(last.value() - checker_.committed().value());
  return entries * (options_.knobs.latency.most + 2 * way_quality{}.most_delay);
}

// L1: a leader that has committed in its own term, soon.
void stage_world::await_leader(const std::set<peer_id>& core, const std::string& what) {
  const auto slowest = slowest_timeout();
  const auto began_at = runtime_.now();
  const auto allowed = 10 * slowest + time_for_backlog(core);
  const auto committed_before = checker_.committed();
  const auto is_served = [&] {
    const auto id = leader();
    return id != nobody && core.contains(id) && checker_.committed() > committed_before
        && checker_.commit_of_term(at(id).node->disk().vote().current_term);
  };
  while (!is_served() && runtime_.now() < began_at + allowed) {
    for (const auto id : core)
      clients_.ask_once(id);
    (void)runtime_.run_until(runtime_.now() + slowest / 10, is_served);
  }
  if (!is_served())
    fail("L1: " + in_ms(allowed) + " after a quorum was " + what + " it has no leader that has committed in its term");
}

void stage_world::demand_leader_of_first_quorum() {
  const auto first = draw_quorum(ids());
  for (const auto id : ids())
    if (!first.contains(id))
      go_down(id);
  await_leader(first, "started");
  for (const auto id : ids())
    if (!first.contains(id))
      come_up(id);
}

void stage_world::demand_liveness() {
  clients_.let_ask(false);
  auto candidates = able();
  const auto quorum = nodes_.size() / 2 + 1;
  if (candidates.size() < quorum)
    fail("fewer nodes than a quorum were left able to take part: the plan went too far");
  const auto core = draw_quorum(std::move(candidates));
  heal(core);
  note(trace_event::kind::strikes, nobody, [&] {
    std::string line = "a quorum is healed:";
    for (const auto id : core)
      line += ' ' + std::to_string(id.value());
    return line;
  });
  const auto slowest = slowest_timeout();
  auto deadline = duration::zero();
  for (const auto id : ids()) {
    const auto own = options_.knobs.options_of(id);
    deadline = std::max(deadline, own.client_deadline + own.times.election_timeout_min + own.times.heartbeat);
  }

  await_leader(core, "healed");

  // L2, L4, L7: it stays, and serves. A node may still be far behind, and another lead for that: the first timeouts do
  // not count.
  runtime_.run_for(2 * slowest);
  const auto changes = leader_changes_;
  const auto sent = network_.counts().sent;
  const auto before = ledger_.tally();
  clients_.let_ask_only(core);
  clients_.let_ask(true);
  const auto window = std::min<duration>(20 * slowest, std::chrono::seconds{20});
  runtime_.run_for(window);
  clients_.let_ask(false);
  if (leader_changes_ > changes + 1)
    fail("L2: a healed quorum changed its leader " + std::to_string(leader_changes_ - changes) + " times within "
         + in_ms(window));
  runtime_.run_for(5 * slowest);
  const auto after = ledger_.tally();
  const auto served = after.answered - before.answered;
  if (after.asked - before.asked > 20 && served == 0)
    fail("L4: a healed quorum served none of " + std::to_string(after.asked - before.asked) + " operations");
  const auto per_operation = (network_.counts().sent - sent) / std::max<std::uint64_t>(served, 1);
  const auto beats = static_cast<std::uint64_t>((window + 5 * slowest) / options_.knobs.peers.times.heartbeat);
  if (served > 20 && per_operation > 50 * nodes_.size() + 4 * nodes_.size() * beats / served)
    fail("L7: " + std::to_string(per_operation) + " messages per operation in a healed quorum");

  // L2 again: who was away for a while, and is one more than needed, comes back and deposes nobody (E6).
  if (core.size() > quorum)
    demand_quiet_return(core, slowest);

  demand_repair(core, slowest);

  // L5: whatever was ever asked has ended, wherever.
  for (const auto id : ids())
    if (!core.contains(id)) {
      auto& node = at(id);
      node.pauses = node.slow_applies = 0;
      runtime_.release_all_of(id);
      if (node.node->alive())
        runtime_.release(caf::actor_cast<caf::strong_actor_ptr>(node.node->applier()));
    }
  runtime_.run_for(deadline);
  // Before a gate, each may have to wait for the end of the one ahead of it.
  for (unsigned turns = most_behind_a_gate; clients_.have_gates() && turns > 0 && ledger_.overdue(runtime_.now(), {});
       --turns)
    runtime_.run_for(deadline);
  if (const auto late = ledger_.overdue(runtime_.now(), deadline))
    fail("L5: " + *late);

  // L3: the quorum has come to one state.
  const auto equal = [&] {
    for (const auto id : core) {
      const auto mine = state(id);
      if (!mine || mine->applied != mine->commit || mine->commit < checker_.committed())
        return false;
    }
    return true;
  };
  const auto patience = runtime_.now() + 20 * slowest;
  while (!equal() && runtime_.now() < patience)
    runtime_.run_for(slowest);
  for (const auto id : core) {
    const auto mine = state(id);
    if (!mine || mine->applied < checker_.committed())
      fail("L3: node " + std::to_string(id.value()) + " has applied up to "
           + (mine ? std::to_string(mine->applied.value()) : std::string{"nothing"}) + " of "
           + std::to_string(checker_.committed().value()) + " that are committed");
  }
  if (auto trouble = workload_->final_trouble())
    fail(*trouble);
}

// L6: whoever lost part of its log is repaired, and has a say again.
void stage_world::demand_repair(const std::set<peer_id>& core, duration slowest) {
  auto healed = core;
  for (const auto id : ids())
    if (at(id).node->alive() && has_loss(id) && !at(id).lied)
      healed.insert(id);
  if (healed.size() == core.size())
    return;
  heal(healed);
  const auto waits = [&] {
    return std::any_of(healed.begin(), healed.end(), [&](peer_id id) { return at(id).node->disk().vote().lost != 0; });
  };
  const auto patience = runtime_.now() + 20 * slowest;
  while (waits() && runtime_.now() < patience)
    runtime_.run_for(slowest / 4);
  if (waits())
    fail("L6: a node that lost part of its log is not repaired " + in_ms(20 * slowest) + " after it was healed");
}

void stage_world::demand_quiet_return(const std::set<peer_id>& core, duration slowest) {
  const auto led_by = leader();
  auto others = core;
  others.erase(led_by);
  const auto away = *std::next(others.begin(), static_cast<std::ptrdiff_t>(chance_.below(others.size())));
  const auto before = leader_changes_;
  const auto cut_off = [&](bool is_cut) {
    for (const auto other : core)
      if (other != away) {
        network_.cut(away, other, is_cut);
        network_.cut(other, away, is_cut);
      }
  };
  note(trace_event::kind::strikes, away, [] { return std::string{"is away for a while"}; });
  clients_.let_ask(chance_.chance(50)); // With and without news that it lacks when it comes back.
  cut_off(true);
  runtime_.run_for(3 * slowest);
  cut_off(false);
  runtime_.run_for(2 * slowest);
  clients_.let_ask(false);
  if (leader_changes_ != before)
    fail("L2: node " + std::to_string(away.value()) + " was away for " + in_ms(3 * slowest)
         + ", and the others changed their leader " + std::to_string(leader_changes_ - before) + " times for that");
}

} // namespace troupe
