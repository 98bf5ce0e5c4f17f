/// \file
/// What a peer and its own actors say to each other about snapshots (paper §7).
#pragma once

#include "troupe/raft_messages.hpp"
#include "troupe/state_machine.hpp"
#include "troupe/storage.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace troupe {

/// A piece of a snapshot that is received aside.
struct snapshot_piece {
  group_id group;
  snapshot_mark what;
  std::uint64_t offset = 0; ///< 0: a new transfer begins, and what was received before is given up.
  shared_bytes bytes;
  /// The whole is to be verified and made durable. A piece of its own, without bytes, behind the last.
  bool is_end = false;
  /// Nothing of it is wanted any more. Not answered.
  bool is_given_up = false;
};

/// The piece is stored; with `is_end`, the snapshot is durable.
struct piece_stored {
  group_id group;
  snapshot_mark what;
  std::uint64_t received_bytes = 0;
  bool is_end = false;
};

/// What was received is of no use: it does not match its checksum, or there is no room for it.
struct reception_failed {
  group_id group;
  snapshot_mark what;
  std::string why;
};

/// A replicator wants a piece of the peer's snapshot at `index`.
struct fetch_piece {
  peer_id follower;
  term_number term;
  std::uint32_t incarnation = 0;
  log_index index;
  std::uint64_t offset = 0;
  std::size_t max_bytes = 0;
};

/// The piece; no bytes if that snapshot is gone, or cannot be read.
struct piece_fetched {
  log_index index;
  std::uint64_t offset = 0;
  shared_bytes bytes;
};

/// Somebody's piece, read.
struct piece_read {
  fetch_piece for_whom;
  shared_bytes bytes; ///< None if it could not be read.
  std::string trouble;
};

/// The state of a snapshot is to be built beside the present one, by `machine`.
struct build_state {
  group_id group;
  snapshot_mark what;
  std::shared_ptr<state_machine> machine;
};

/// It is built; or could not be.
struct state_built {
  std::shared_ptr<built_state> state;
  std::string trouble;
};

/// The picture. `index` is the last entry in it. None, if a snapshot took the state's place before its turn came.
struct picture_taken {
  group_id group;
  log_index index;
  std::shared_ptr<state_view> view;
};

/// A picture is to become a snapshot.
struct write_snapshot {
  group_id group;
  snapshot_mark what; ///< Its size is not known yet.
  std::string head;   ///< See snapshot_content.hpp.
  std::shared_ptr<state_view> view;
};

/// What became of it: durable, with its size; or not written, for lack of room.
struct snapshot_written {
  group_id group;
  snapshot_mark what;
  std::string trouble; ///< Empty if it is durable.
};

/// Reads a snapshot back, to know whether what it stands for may be forgotten.
struct check_snapshot {
  group_id group;
  log_index index;
};

struct snapshot_checked {
  group_id group;
  log_index index;
  std::string trouble; ///< Empty if it reads back clean.
};

} // namespace troupe
