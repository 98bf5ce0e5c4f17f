// What is looked at while a run goes on: the states it comes to, and what nodes would be if they crashed now. See
// world.hpp.
#include "stage/state_words.hpp"
#include "stage/world.hpp"

namespace troupe {

namespace {

std::string text(peer_id id) {
  return std::to_string(id.value());
}

} // namespace

void stage_world::check_now_and_then() {
  runtime_.after_steps(options_.crash_image_every, [this] {
    const auto id = peer_id{1 + chance_.below(nodes_.size())};
    if (is_alive(id)) {
      if (!at(id).lied && runtime_.steps() >= image_due_) { // A disk that lies makes no promise for it to keep.
        const auto& disk = at(id).node->disk();
        image_due_ = runtime_.steps() + disk.last_written().value() - disk.start().value();
        check_crash_image(id);
      }
      check_snapshots(id);
      check_bookkeeping(id);
      if (at(id).lost != 0 && !has_loss(id)) {
        marks_.hit(sometimes::damage_repaired);
        at(id).lost = 0;
      }
    }
    check_now_and_then();
  });
}

// I17: production's recovery, on what would be there.
void stage_world::check_crash_image(peer_id id) {
  auto& node = at(id);
  looked_at_ = id;
  auto copy = node.node->disk(); // A model that nobody listens to.
  copy.on_durable = copy.on_written = nullptr;
  copy.on_recovered = nullptr;
  try {
    const auto image = node.disk->recover_copy(group_id{}, chance_.roll());
    if (const auto loss = copy.recovered(image))
      return runtime_.judge().fail("I17: if node " + text(id)
                                   + " crashed now it would not come back as what it has promised to be: " + *loss);
    if (node.doomed && excuse_ends(id, image)) {
      node.doomed = false;
      marks_.hit(sometimes::damage_outlived);
    }
  } catch (const storage_error& refused) {
    runtime_.judge().fail("I17: if node " + text(id) + " crashed now it could not start: " + refused.what());
  } catch (const io_error& failure) {
    if (!failure.is_lack_of_room())
      throw;
  }
  if (!runtime_.judge().failed())
    looked_at_ = nobody;
}

// Bits have flipped on its disk, and it has started since: its model is what that start has found. Recovery has just
// read identity, votes, hint and every byte of the log, and has nothing against them; it needs to pass over no
// snapshot, and others have made up for what was lost. Of spare and reserve the node believes no bit before it has read
// all of them. So nothing is left that could keep it from anything. A disk that is another one stays that.
bool stage_world::excuse_ends(peer_id id, const recovered_group& image) const {
  const auto& node = at(id);
  return !node.is_impostor && !has_loss(id) && image.vote.lost == 0 && image.snapshots.size() == node.disk->snapshots();
}

// I16: no more of it than there should be.
void stage_world::check_snapshots(peer_id id) {
  const auto& node = at(id);
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

// What is applied is committed, and stays so (Figure 2). I7: what a leader believes of a follower is on that one's
// disk, as long as it follows.
void stage_world::check_bookkeeping(peer_id id) {
  if (at(id).pauses > 0)
    return;
  const auto applied = at(id).applied; // Before it is asked: meanwhile more may be.
  const auto mine = state(id);
  if (mine && mine->commit < applied)
    runtime_.judge().fail("node " + text(id) + " takes entries for committed up to "
                          + std::to_string(mine->commit.value()) + " only, and has applied up to "
                          + std::to_string(applied.value()));
  if (!mine || !mine->is_leader)
    return;
  const auto& own = at(id).node->disk();
  for (const auto& follower : mine->followers) {
    const auto& theirs = at(follower.id).node->disk();
    // A loss counts from when the leader has heard of it.
    if (at(follower.id).doomed || at(follower.id).retired || has_loss(follower.id) || follower.match == log_index{}
        || theirs.vote().current_term != mine->term)
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

void stage_world::observe(const peer_message& message) {
  const auto& envelope = about(message);
  if (const auto* append = std::get_if<append_entries>(&message)) {
    note_leader(envelope.from, envelope.term);
    at(envelope.from).led_until = runtime_.now();
    at(envelope.from).told_commit = std::max(at(envelope.from).told_commit, append->commit);
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
        && led != leaders_.end() && led->second == envelope.from && at(envelope.from).life == led_in_[led->first]) {
      marks_.hit(sometimes::leader_steps_down_in_its_term);
      led_in_[led->first] = ~std::uint64_t{0}; // In none of its lives from now on.
    }
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

// Entries are written all the time, and seen in the messages that carry and acknowledge them.
void stage_world::note_write(peer_id id, const log_write& write) {
  if (!write.vote && !write.truncate_from && !write.start)
    return;
  note(
      trace_event::kind::writes, id,
      [&] {
        std::string words;
        const auto add = [&](const std::string& part) { words += (words.empty() ? "" : ", ") + part; };
        if (prepares_)
          add("before the run");
        if (write.vote)
          add(in_words(*write.vote));
        if (write.start)
          add("log begins behind " + in_words(write.start->before));
        if (write.truncate_from)
          add("cut off from " + std::to_string(write.truncate_from->value()));
        return words;
      },
      write.vote ? write.vote->current_term : term_number{});
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

} // namespace troupe
