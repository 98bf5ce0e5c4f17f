#include "stage/coverage.hpp"

namespace troupe {

std::string_view name_of(sometimes mark) {
  switch (mark) {
  case sometimes::leader_crashes_with_open_commands: return "a leader crashes with commands that are not committed";
  case sometimes::candidate_crashes: return "a candidate crashes";
  case sometimes::follower_crashes_before_its_sync: return "a follower crashes between a write and its sync";
  case sometimes::crash_between_messages: return "a crash between two messages of one instant";
  case sometimes::torn_write_undone: return "a torn write is undone at a start";
  case sometimes::start_with_a_snapshot: return "a start with a snapshot";
  case sometimes::snapshot_sent: return "a snapshot is sent";
  case sometimes::snapshot_installed: return "a snapshot is installed";
  case sometimes::snapshot_resumed: return "a snapshot goes on where it stopped";
  case sometimes::conflicting_entries_cut_off: return "conflicting entries are cut off";
  case sometimes::pre_vote_refused: return "a pre-vote is refused";
  case sometimes::vote_refused: return "a vote is refused";
  case sometimes::election_without_winner: return "an election without a winner";
  case sometimes::two_leaders_at_once: return "two leaders at once, of different terms";
  case sometimes::leader_paused_past_its_term: return "a leader stands still until another leads";
  case sometimes::leader_steps_down_in_its_term: return "a leader steps down in its own term";
  case sometimes::reply_of_an_earlier_term: return "a reply of an earlier term arrives";
  case sometimes::message_after_its_sender_died: return "a message arrives after its sender has died";
  case sometimes::append_refused_by_a_short_log: return "an append is refused: the log is too short";
  case sometimes::append_refused_by_another_term: return "an append is refused: another term is there";
  case sometimes::old_entry_committed_by_a_new_one: return "an entry of an earlier term is committed by a later one's";
  case sometimes::leadership_handed_over: return "leadership is handed over";
  case sometimes::full_leader: return "a leader's disk is full";
  case sometimes::full_follower: return "a follower's disk is full";
  case sometimes::stalled_leader: return "a leader's disk hangs";
  case sometimes::sync_failed: return "a sync fails, and the node ends itself";
  case sometimes::command_refused_busy: return "a command is refused: busy";
  case sometimes::command_uncertain: return "a command ends uncertain";
  case sometimes::read_not_ready: return "a read cannot be confirmed in time";
  case sometimes::read_through_the_log: return "a read goes through the log, behind writes of its client";
  case sometimes::command_passed_on: return "a follower passes a command on";
  case sometimes::start_without_room: return "a start fails for lack of room";
  case sometimes::damage_refused: return "a start is refused: the disk is damaged";
  case sometimes::damage_declared: return "a log is damaged: what is good of it starts without a vote";
  case sometimes::damage_repaired: return "a damaged log is repaired by a leader, and votes again";
  case sometimes::damage_outlived: return "bits flip on a disk, and later all on it is in order again";
  case sometimes::lie_refused: return "a disk has lied about syncs: the start is refused";
  case sometimes::lie_declared: return "a disk has lied about syncs: what is good of its log starts without a vote";
  case sometimes::lie_unnoticed:
    return "a disk has lied about syncs: something is missing, and the start does not notice";
  case sometimes::lie_harmless: return "a disk has lied about syncs: nothing is missing";
  case sometimes::wiped_disk_refused: return "a wiped node is refused by its peers";
  case sometimes::old_copy_refused: return "an old copy of a disk is refused by the peers";
  case sometimes::minority_serves_nobody: return "a client of a minority is refused";
  case sometimes::count_: break;
  }
  return "?";
}

} // namespace troupe
