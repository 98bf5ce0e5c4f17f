/// \file
/// What is in a snapshot: what Raft must know besides the state, and then the state itself.
///
/// Content, byte by byte (version 1, little-endian). Stores and links carry it as it is:
///
///      0  char[8]  "TROUPSTA"
///      8  u32      content version: 1
///     12  u32      bytes of the sections
///     16  sections, each: u8 type | u32 bytes | content; all of these, each once, in this order:
///           1  configuration: three lists (incoming, outgoing, learners), each u32 count | u64 peer...
///           2  client sessions: u32 count, 0 while there are none
///           3  removed members: u32 count | u64 peer...   (their ids are never used again)
///           4  cluster version: u32, 1
///      .  the state, as the state machine saved it
///     -4  u32      CRC-32C of everything before
#pragma once

#include "troupe/configuration.hpp"
#include "troupe/state_machine.hpp"
#include "troupe/storage.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// What a snapshot holds for Raft. Every part is mandatory: a reader of a later version knows that nothing was left
/// out.
struct snapshot_head {
  configuration members;
  std::vector<peer_id> removed;
  std::uint32_t cluster_version = 1;
  friend bool operator==(const snapshot_head&, const snapshot_head&) = default;
};

[[nodiscard]] std::string encode(const snapshot_head& head);

/// The content of a snapshot, chunk by chunk: head, state, checksum.
class snapshot_content final : public chunk_source {
public:
  /// `head` is encoded.
  snapshot_content(std::string head, std::shared_ptr<chunk_source> state);
  [[nodiscard]] std::string next_chunk() override;

private:
  enum class part { head, state, end } next_ = part::head;
  std::string head_;
  std::shared_ptr<chunk_source> state_;
  std::uint32_t checksum_ = 0;
};

/// The state in a snapshot that is read, chunk by chunk. Throws `std::runtime_error` if the content makes no sense; the
/// checksum is compared before the end is told.
class snapshot_state final : public chunk_source {
public:
  explicit snapshot_state(std::shared_ptr<snapshot_reader> reader);
  [[nodiscard]] const snapshot_head& head() const { return head_; }
  [[nodiscard]] std::string next_chunk() override;

private:
  std::shared_ptr<snapshot_reader> reader_;
  snapshot_head head_;
  std::uint64_t at_ = 0;
  std::uint32_t checksum_ = 0;
};

/// Verifies content that comes in pieces, in order.
class content_check {
public:
  explicit content_check(std::uint64_t size_bytes) : size_bytes_{size_bytes} {}
  void take(std::string_view bytes);
  /// All of it came, and it matches its checksum.
  [[nodiscard]] bool is_whole() const;

private:
  std::uint64_t size_bytes_;
  std::uint64_t seen_bytes_ = 0;
  std::uint32_t checksum_ = 0;
  std::string claimed_;
};

} // namespace troupe
