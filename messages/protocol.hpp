/// \file
/// Every typed handle, every message that crosses a mailbox within a peer: who may say what to whom. Those that users
/// of the library speak with, too, are in troupe/actors.hpp. These two are the only places that name CAF's 0.17
/// signature syntax.
#pragma once

#include "messages/application.hpp"
#include "messages/persistence.hpp"
#include "messages/replication.hpp"
#include "messages/snapshots.hpp"
#include "troupe/actors.hpp"

#include <caf/all.hpp>

#include <memory>
#include <variant>

namespace troupe {

/// Replicator's own timers: armed at most once per purpose, judged when they fire.
struct beat_due {};
struct notice_due {};

/// A replicator. `append_reply` is passed on by the peer.
using replicator_actor =
    caf::typed_actor<caf::reacts_to<leader_news>, caf::reacts_to<entries_fetched>, caf::reacts_to<append_reply>,
                     caf::reacts_to<snapshot_reply>, caf::reacts_to<piece_fetched>, caf::reacts_to<beat_due>,
                     caf::reacts_to<notice_due>>;

/// Hears what was read back from the log.
using log_reader_actor = caf::typed_actor<caf::reacts_to<log_read>>;

/// Hears that writes are durable, and when the disk has room.
using log_writer_actor = caf::typed_actor<caf::reacts_to<persisted>, caf::reacts_to<disk_room>>;

/// Hears what became of snapshots.
using snapshot_listener =
    caf::typed_actor<caf::reacts_to<snapshot_written>, caf::reacts_to<snapshot_checked>, caf::reacts_to<piece_read>,
                     caf::reacts_to<piece_stored>, caf::reacts_to<reception_failed>>;

/// Hears of a state that was built for it.
using state_listener = caf::typed_actor<caf::reacts_to<state_built>>;

/// Something to do with snapshots, which the persister finds the way for and the archivist does.
struct snapshot_errand {
  snapshot_listener from;
  group_id group;
  std::variant<write_snapshot, check_snapshot, fetch_piece, snapshot_piece> what;
};

struct build_errand {
  state_listener from;
  build_state what;
};

struct persist_request {
  log_writer_actor from;
  persist what;
};

struct read_log_request {
  log_reader_actor from;
  read_log what;
};

/// Behind a persister's queue: makes the next group of writes out of what has gathered.
struct gather_due {};
/// The group that was submitted is durable.
struct group_durable {};
struct chore_finished {};
/// A full disk is looked at again; nothing has been written for a while.
struct room_due {};
struct idle_due {
  std::uint64_t epoch = 0;
};

/// Asks what the store holds of a group, of which a peer is about to be made. Refused while another peer has it;
/// answered when what an earlier one wrote is durable.
struct recover_log {
  group_id group;
  std::size_t tail_bytes = 0;
};

/// Something large is not needed any more: let it go where nobody waits.
struct let_go {
  std::shared_ptr<const void> what;
};

/// The peer of a shared disk's group writes no more.
struct release_log {
  group_id group;
};

/// The only one who writes the disk.
using persister_actor =
    caf::typed_actor<caf::replies_to<recover_log>::with<recovered_group>, caf::reacts_to<release_log>,
                     caf::reacts_to<persist_request>, caf::reacts_to<read_log_request>, caf::reacts_to<gather_due>,
                     caf::reacts_to<group_durable>, caf::reacts_to<chore_finished>, caf::reacts_to<room_due>,
                     caf::reacts_to<idle_due>, caf::reacts_to<snapshot_errand>, caf::reacts_to<build_errand>,
                     caf::reacts_to<let_go>>;

/// A read with its plan, for the archivist.
struct carry_out_read {
  log_reader_actor to;
  group_id group;
  std::uint64_t ticket = 0;
  read_plan plan;
};

struct carry_out_chore {
  persister_actor done_to;
  chore work;
};

/// Work that nobody waits for.
struct carry_out_quietly {
  chore work;
};

/// An errand with the way to do it: one of the two.
struct carry_out_errand {
  snapshot_errand errand;
  snapshot_write_plan write;
  snapshot_read_plan read;
};

struct carry_out_build {
  build_errand errand;
  snapshot_read_plan read;
};

/// An archivist's own: goes on with long work, behind what has arrived meanwhile.
struct archive_due {};

/// Reads old entries, prepares segments, writes and reads snapshots, so that no group commit waits for bulk I/O.
using archivist_actor =
    caf::typed_actor<caf::reacts_to<carry_out_read>, caf::reacts_to<carry_out_chore>, caf::reacts_to<carry_out_quietly>,
                     caf::reacts_to<carry_out_errand>, caf::reacts_to<carry_out_build>, caf::reacts_to<archive_due>>;

/// Who awaits the answers to a run of operations: a client of this process, or another peer that passed them on.
struct awaiting {
  client_actor client; ///< Empty when `via` is set.
  raft_actor via;      ///< The link to the peer that passed them on.
  envelope about;      ///< For `forward_reply`.
  std::uint64_t number = 0;
  std::uint32_t offset = 0; ///< Of the run's first operation within its lot.
  log_index first;          ///< Commands only: the run's place in the log,
  term_number term;         ///< and the term it was accepted in.
  std::uint32_t count = 0;
  instant
      deadline{}; ///< A command that is not committed by then is called uncertain, a query is not answered any more.
};

/// Hears how far a state machine has come, and gets the pictures it asked for.
using application_listener = caf::typed_actor<caf::reacts_to<applied>, caf::reacts_to<picture_taken>>;

/// Applies committed entries, consecutive, following what was handed over before. `from` hears of it.
struct apply_entries {
  application_listener from;
  group_id group;
  std::vector<entry_batch> batches;
  /// Who awaits answers to which of them, in order of index.
  std::vector<awaiting> waiting;
};

/// The state is to be that of a snapshot from here on.
struct load_snapshot {
  application_listener from;
  group_id group;
  snapshot_mark what;
};

/// Asks for a picture of the state, as it is when this is heard.
struct take_picture {
  application_listener from;
  group_id group;
};

/// Queries, to be answered once `at` is applied.
struct answer_queries {
  log_index at;
  awaiting who;
  entry_block block;
};

/// Behind what has arrived for an applier meanwhile: goes on with long work.
struct apply_due {};
/// Some query has waited long.
struct held_due {};

/// The only one who touches the state machine.
using applier_actor =
    caf::typed_actor<caf::reacts_to<apply_entries>, caf::reacts_to<answer_queries>, caf::reacts_to<load_snapshot>,
                     caf::reacts_to<take_picture>, caf::reacts_to<state_built>, caf::reacts_to<apply_due>,
                     caf::reacts_to<held_due>>;

/// A peer's own timers, and its flush marker, which runs behind what has already arrived.
struct deadline_due {
  std::uint64_t epoch = 0;
};
struct forwards_due {};
struct flush_due {};

/// A peer, as its own actors see it.
using peer_actor =
    peer_handle::extend<caf::reacts_to<persisted>, caf::reacts_to<disk_room>, caf::reacts_to<log_read>,
                        caf::reacts_to<applied>, caf::reacts_to<picture_taken>, caf::reacts_to<snapshot_written>,
                        caf::reacts_to<snapshot_checked>, caf::reacts_to<piece_read>, caf::reacts_to<piece_stored>,
                        caf::reacts_to<reception_failed>, caf::reacts_to<follower_heard>, caf::reacts_to<fetch_entries>,
                        caf::reacts_to<fetch_piece>, caf::reacts_to<deadline_due>, caf::reacts_to<forwards_due>,
                        caf::reacts_to<flush_due>>;

} // namespace troupe

TROUPE_LOCAL_MESSAGE(persist_request)
TROUPE_LOCAL_MESSAGE(persisted)
TROUPE_LOCAL_MESSAGE(disk_room)
TROUPE_LOCAL_MESSAGE(snapshot_written)
TROUPE_LOCAL_MESSAGE(snapshot_checked)
TROUPE_LOCAL_MESSAGE(piece_read)
TROUPE_LOCAL_MESSAGE(piece_stored)
TROUPE_LOCAL_MESSAGE(reception_failed)
TROUPE_LOCAL_MESSAGE(fetch_piece)
TROUPE_LOCAL_MESSAGE(piece_fetched)
TROUPE_LOCAL_MESSAGE(picture_taken)
TROUPE_LOCAL_MESSAGE(state_built)
TROUPE_LOCAL_MESSAGE(snapshot_errand)
TROUPE_LOCAL_MESSAGE(build_errand)
TROUPE_LOCAL_MESSAGE(room_due)
TROUPE_LOCAL_MESSAGE(let_go)
TROUPE_LOCAL_MESSAGE(idle_due)
TROUPE_LOCAL_MESSAGE(carry_out_quietly)
TROUPE_LOCAL_MESSAGE(carry_out_errand)
TROUPE_LOCAL_MESSAGE(carry_out_build)
TROUPE_LOCAL_MESSAGE(archive_due)
TROUPE_LOCAL_MESSAGE(load_snapshot)
TROUPE_LOCAL_MESSAGE(take_picture)
TROUPE_LOCAL_MESSAGE(read_log_request)
TROUPE_LOCAL_MESSAGE(recover_log)
TROUPE_LOCAL_MESSAGE(release_log)
TROUPE_LOCAL_MESSAGE(recovered_group)
TROUPE_LOCAL_MESSAGE(log_read)
TROUPE_LOCAL_MESSAGE(gather_due)
TROUPE_LOCAL_MESSAGE(group_durable)
TROUPE_LOCAL_MESSAGE(chore_finished)
TROUPE_LOCAL_MESSAGE(carry_out_read)
TROUPE_LOCAL_MESSAGE(carry_out_chore)
TROUPE_LOCAL_MESSAGE(apply_entries)
TROUPE_LOCAL_MESSAGE(answer_queries)
TROUPE_LOCAL_MESSAGE(apply_due)
TROUPE_LOCAL_MESSAGE(held_due)
TROUPE_LOCAL_MESSAGE(applied)
TROUPE_LOCAL_MESSAGE(leader_news)
TROUPE_LOCAL_MESSAGE(entries_fetched)
TROUPE_LOCAL_MESSAGE(fetch_entries)
TROUPE_LOCAL_MESSAGE(follower_heard)
TROUPE_LOCAL_MESSAGE(beat_due)
TROUPE_LOCAL_MESSAGE(notice_due)
TROUPE_LOCAL_MESSAGE(deadline_due)
TROUPE_LOCAL_MESSAGE(forwards_due)
TROUPE_LOCAL_MESSAGE(flush_due)
