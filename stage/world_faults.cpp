// What a plan has befall nodes, their disks and the ways between them. See world.hpp.
#include "stage/world.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

/// A fault without its time.
std::string in_words(const fault& f) {
  const auto line = to_string(f);
  return line.substr(line.find(' ', 3) + 1);
}

} // namespace

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

// A copy looks like the node itself to a peer that has not seen a later boot than the copy's: no promise covers that
// (README, O3). With copies that some peer would believe, terms do get two votes of one node.
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
  case fault_kind::lie: begin_lying(f.node); break;
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
      node->doomed = node->is_impostor = true;
      node->node->forgive();
    }
    break;
  case fault_kind::back_up:
    if (!node->retired && !node->lied && node->disk->boot() > 0) {
      node->disk->back_up();
      node->backup_boot = node->disk->boot();
    }
    break;
  case fault_kind::put_back:
    if (node->retired || !node->disk->has_backup() || !all_have_seen_later(f.node, node->backup_boot))
      break;
    go_down(f.node);
    node->disk->put_back();
    node->doomed = node->is_impostor = true;
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
      runtime_.judge().fail("node " + std::to_string(f.node.value()) + " goes on after a sync of its disk has failed");
    if (std::exchange(node->has_ended, false))
      come_up(f.node);
    break;
  case fault_kind::slow_disk: node->node->valve().extra = {}; break;
  case fault_kind::fill:
    if (node->fills > 0 && --node->fills == 0)
      node->disk->limit_to(std::nullopt);
    break;
  case fault_kind::lie: end_lying(f.node); break;
  case fault_kind::back_up: break;
  case fault_kind::slow_apply:
    if (node->slow_applies > 0 && --node->slow_applies == 0 && node->node->alive())
      runtime_.release(caf::actor_cast<caf::strong_actor_ptr>(node->node->applier()));
    break;
  }
}

} // namespace troupe
