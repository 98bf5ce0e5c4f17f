/// \file
/// Every typed handle, every message that crosses a mailbox: who may say what to whom. The one place that names CAF's
/// 0.17 signature syntax.
///
/// Messages are local: they carry shared memory and actor handles, and CAF never serialises one. What leaves the
/// process goes through our own frames (codec.hpp). CAF_ALLOW_UNSAFE_MESSAGE_TYPE says exactly that, and together with
/// -DCAF_ENABLE_TYPE_ID_CHECKS makes a message that is not listed here a compile error.
#pragma once

#include "messages/application.hpp"
#include "messages/client.hpp"
#include "messages/persistence.hpp"
#include "messages/raft.hpp"
#include "messages/replication.hpp"

#include <caf/all.hpp>

namespace troupe {

/// Whoever may be told what a peer says to another: the other peer itself, a link to it, a simulated link.
using raft_actor =
    caf::typed_actor<caf::reacts_to<request_vote>, caf::reacts_to<vote_reply>, caf::reacts_to<append_entries>,
                     caf::reacts_to<append_reply>, caf::reacts_to<timeout_now>, caf::reacts_to<forward>,
                     caf::reacts_to<forward_reply>>;

/// Whoever submits operations.
using client_actor = caf::typed_actor<caf::reacts_to<submission_accepted>, caf::reacts_to<submission_answered>,
                                      caf::reacts_to<submission_refused>>;

/// Operations for the replicated state machine. `from` hears of them under `number`; numbers of one client only rise.
struct submit {
  client_actor from;
  std::uint64_t number = 0;
  operation what = operation::command;
  entry_block block;
};

/// The bare service: gets each committed command once per life, in order.
using service_actor = caf::typed_actor<caf::reacts_to<applied_command>>;

/// Replicator's own timers: armed at most once per purpose, judged when they fire.
struct beat_due {};
struct notice_due {};

/// A replicator. `append_reply` is passed on by the peer.
using replicator_actor =
    caf::typed_actor<caf::reacts_to<leader_news>, caf::reacts_to<entries_fetched>, caf::reacts_to<append_reply>,
                     caf::reacts_to<beat_due>, caf::reacts_to<notice_due>>;

/// Hears what was read back from the log.
using log_reader_actor = caf::typed_actor<caf::reacts_to<log_read>>;

/// Hears that writes are durable.
using log_writer_actor = caf::typed_actor<caf::reacts_to<persisted>>;

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

/// The only one who writes the disk.
using persister_actor =
    caf::typed_actor<caf::reacts_to<persist_request>, caf::reacts_to<read_log_request>, caf::reacts_to<gather_due>,
                     caf::reacts_to<group_durable>, caf::reacts_to<chore_finished>>;

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

/// Reads old entries and prepares segments, so that no group commit waits for bulk I/O.
using archivist_actor = caf::typed_actor<caf::reacts_to<carry_out_read>, caf::reacts_to<carry_out_chore>>;

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

/// Hears how far a state machine has come.
using application_listener = caf::typed_actor<caf::reacts_to<applied>>;

/// Applies committed entries, consecutive, following what was handed over before. `from` hears of it.
struct apply_entries {
  application_listener from;
  group_id group;
  std::vector<entry_batch> batches;
  /// Who awaits answers to which of them, in order of index.
  std::vector<awaiting> waiting;
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
using applier_actor = caf::typed_actor<caf::reacts_to<apply_entries>, caf::reacts_to<answer_queries>,
                                       caf::reacts_to<apply_due>, caf::reacts_to<held_due>>;

/// A peer's own timers, and its flush marker, which runs behind what has already arrived.
struct deadline_due {
  std::uint64_t epoch = 0;
};
struct forwards_due {};
struct flush_due {};

/// A peer. It is made complete, then started: nothing acts before `begin`.
struct begin {};
using peer_actor =
    raft_actor::extend<caf::reacts_to<begin>, caf::reacts_to<submit>, caf::replies_to<start>::with<start_reply>,
                       caf::replies_to<ask_state>::with<peer_state>, caf::reacts_to<stop_peer>,
                       caf::reacts_to<persisted>, caf::reacts_to<log_read>, caf::reacts_to<applied>,
                       caf::reacts_to<follower_heard>, caf::reacts_to<fetch_entries>, caf::reacts_to<deadline_due>,
                       caf::reacts_to<forwards_due>, caf::reacts_to<flush_due>>;

} // namespace troupe

#define TROUPE_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::type)

TROUPE_LOCAL_MESSAGE(request_vote)
TROUPE_LOCAL_MESSAGE(vote_reply)
TROUPE_LOCAL_MESSAGE(append_entries)
TROUPE_LOCAL_MESSAGE(append_reply)
TROUPE_LOCAL_MESSAGE(timeout_now)
TROUPE_LOCAL_MESSAGE(forward)
TROUPE_LOCAL_MESSAGE(forward_reply)
TROUPE_LOCAL_MESSAGE(submission_accepted)
TROUPE_LOCAL_MESSAGE(submission_answered)
TROUPE_LOCAL_MESSAGE(submission_refused)
TROUPE_LOCAL_MESSAGE(submit)
TROUPE_LOCAL_MESSAGE(applied_command)
TROUPE_LOCAL_MESSAGE(start)
TROUPE_LOCAL_MESSAGE(start_reply)
TROUPE_LOCAL_MESSAGE(ask_state)
TROUPE_LOCAL_MESSAGE(peer_state)
TROUPE_LOCAL_MESSAGE(stop_peer)
TROUPE_LOCAL_MESSAGE(persist_request)
TROUPE_LOCAL_MESSAGE(persisted)
TROUPE_LOCAL_MESSAGE(read_log_request)
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
TROUPE_LOCAL_MESSAGE(begin)
TROUPE_LOCAL_MESSAGE(deadline_due)
TROUPE_LOCAL_MESSAGE(forwards_due)
TROUPE_LOCAL_MESSAGE(flush_due)
