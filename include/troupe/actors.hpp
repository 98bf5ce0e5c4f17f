/// \file
/// The typed handles through which CAF actors speak with a peer: as another peer, as its client, as its service.
///
/// Messages are local: they carry shared memory and actor handles, and CAF never serialises one. What leaves the
/// process is encoded by message_codec.hpp. Compile with CAF_ENABLE_TYPE_ID_CHECKS (the package's target says so): then
/// a message that CAF does not know is a compile error; without it, one compiles and vanishes.
#pragma once

#include "troupe/client_messages.hpp"
#include "troupe/raft_messages.hpp"

#include <caf/all.hpp>

#include <cstdint>
#include <map>

namespace troupe {

/// Whoever may be told what a peer says to another: the other peer itself, a link to it, a transport of your own, a
/// simulated link. Only told, never asked: nobody waits for a reply.
using raft_actor =
    caf::typed_actor<caf::reacts_to<request_vote>, caf::reacts_to<vote_reply>, caf::reacts_to<append_entries>,
                     caf::reacts_to<append_reply>, caf::reacts_to<install_snapshot>, caf::reacts_to<snapshot_reply>,
                     caf::reacts_to<timeout_now>, caf::reacts_to<forward>, caf::reacts_to<forward_reply>>;

/// Whoever submits lots of operations.
using client_actor = caf::typed_actor<caf::reacts_to<submission_accepted>, caf::reacts_to<submission_answered>,
                                      caf::reacts_to<submission_refused>>;

/// Operations for the replicated state machine. `from` hears of them under `number`; numbers of one client only rise.
struct submit {
  client_actor from;
  std::uint64_t number = 0;
  operation what = operation::command;
  entry_block block;
};

/// The bare service: gets each committed command once per life, in order, and, in the same stream, the snapshots that
/// replace a run of them. The peer hands over more only as the service gets through what it has (law 6).
using service_actor = caf::typed_actor<caf::reacts_to<applied_command>, caf::reacts_to<installed_snapshot>>;

/// Sets a peer going, that was made complete and has been silent until now (N5). Peers that could not be named when
/// this one was made, since each wants the others' handles, are named here. Sent again, it tells the handles of others
/// that have been made anew.
struct begin {
  std::map<peer_id, raft_actor> others = {};
};

/// A peer, as its owner and other peers see it.
using peer_handle =
    raft_actor::extend<caf::reacts_to<begin>, caf::reacts_to<submit>, caf::replies_to<start>::with<start_reply>,
                       caf::replies_to<ask_state>::with<peer_state>, caf::reacts_to<take_snapshot>,
                       caf::reacts_to<stop_peer>>;

/// A port: single operations in, their outcomes back, gathered into lots on the way. Ask it with CAF's `request`; with
/// a timeout of your own if you like, the port answers in any case by the peer's `client_deadline`.
using port_actor = caf::typed_actor<caf::replies_to<carry_out>::with<outcome>, caf::replies_to<look_up>::with<outcome>>;

} // namespace troupe

#define TROUPE_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::type)

TROUPE_LOCAL_MESSAGE(request_vote)
TROUPE_LOCAL_MESSAGE(vote_reply)
TROUPE_LOCAL_MESSAGE(append_entries)
TROUPE_LOCAL_MESSAGE(append_reply)
TROUPE_LOCAL_MESSAGE(install_snapshot)
TROUPE_LOCAL_MESSAGE(snapshot_reply)
TROUPE_LOCAL_MESSAGE(timeout_now)
TROUPE_LOCAL_MESSAGE(forward)
TROUPE_LOCAL_MESSAGE(forward_reply)
TROUPE_LOCAL_MESSAGE(submission_accepted)
TROUPE_LOCAL_MESSAGE(submission_answered)
TROUPE_LOCAL_MESSAGE(submission_refused)
TROUPE_LOCAL_MESSAGE(submit)
TROUPE_LOCAL_MESSAGE(applied_command)
TROUPE_LOCAL_MESSAGE(installed_snapshot)
TROUPE_LOCAL_MESSAGE(start)
TROUPE_LOCAL_MESSAGE(start_reply)
TROUPE_LOCAL_MESSAGE(ask_state)
TROUPE_LOCAL_MESSAGE(peer_state)
TROUPE_LOCAL_MESSAGE(take_snapshot)
TROUPE_LOCAL_MESSAGE(stop_peer)
TROUPE_LOCAL_MESSAGE(begin)
TROUPE_LOCAL_MESSAGE(carry_out)
TROUPE_LOCAL_MESSAGE(look_up)
TROUPE_LOCAL_MESSAGE(outcome)
