/// \file
/// How peers' messages look on the wire. No CAF, no sockets: the production links and the stage both go through here.
///
/// A message becomes a *head* (fixed-width little-endian fields, batch headers included) and a *tail*: the payloads of
/// its batches, one behind the other, exactly the bytes that lie in the leader's log; or a piece of a snapshot. The
/// frame around it (actors/link/frame.hpp) checksums the head; each payload carries the checksum its leader gave it, in
/// the head, and so does a piece.
#pragma once

#include "troupe/raft_messages.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// Any message between peers.
using peer_message = std::variant<request_vote, vote_reply, append_entries, append_reply, install_snapshot,
                                  snapshot_reply, timeout_now, forward, forward_reply>;

/// Frame types on the wire: never renumbered. 1-15 belong to the link itself (frame.hpp).
enum class message_type : std::uint16_t {
  request_vote = 16,
  vote_reply = 17,
  append_entries = 18,
  append_reply = 19,
  timeout_now = 20,
  forward = 21,
  forward_reply = 22,
  install_snapshot = 32,
  snapshot_reply = 33,
};

/// A message ready to be framed.
struct encoded_message {
  message_type type{};
  group_id group;
  std::string head;
  std::vector<shared_bytes> tail;

  [[nodiscard]] std::size_t tail_bytes() const {
    std::size_t sum = 0;
    for (const auto& part : tail)
      sum += part.size();
    return sum;
  }
};

[[nodiscard]] encoded_message encode(const request_vote&);
[[nodiscard]] encoded_message encode(const vote_reply&);
[[nodiscard]] encoded_message encode(const append_entries&);
[[nodiscard]] encoded_message encode(const append_reply&);
[[nodiscard]] encoded_message encode(const install_snapshot&);
[[nodiscard]] encoded_message encode(const snapshot_reply&);
[[nodiscard]] encoded_message encode(const timeout_now&);
[[nodiscard]] encoded_message encode(const forward&);
[[nodiscard]] encoded_message encode(const forward_reply&);

/// Reads a message back. `head` is checksummed already; `tail` is shared, not copied, by the batches read. Nothing, if
/// a single byte is missing or left over, if a field is out of range, or if a payload does not match its checksum.
/// Allocates no more than the bytes given warrant.
[[nodiscard]] std::optional<peer_message> decode(message_type type, group_id group, std::string_view head,
                                                 const shared_bytes& tail);

/// The envelope of any message.
[[nodiscard]] const envelope& about(const peer_message& message);

} // namespace troupe
