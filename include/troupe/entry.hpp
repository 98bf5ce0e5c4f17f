/// \file
/// Log entries as they are proposed, stored, sent and applied: encoded once, shared by all.
///
/// One encoding serves everyone. What a client hands over is an `entry_block`; the leader stamps it with term, first
/// index and time and so makes it an `entry_batch`; the same payload bytes, under the same payload checksum, then go to
/// the log on disk and to every follower. Nobody copies an entry on the way.
///
/// Payload, per entry (little-endian, packed):
///
///     u32 size of the content | u8 kind | content
#pragma once

#include "troupe/shared_bytes.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// What an entry is to Raft. Only commands reach the state machine.
enum class entry_kind : std::uint8_t {
  command = 1,
  no_op = 2,         ///< Opens a leader's term (paper §8): what precedes it becomes committable at once.
  configuration = 3, ///< A change of membership (thesis chapter 4); not yet produced.
  session = 4,       ///< Client sessions (thesis 6.3); not yet produced.
  state_hash = 5,    ///< A checksum of the state to compare by; not yet produced.
};

/// One entry, seen inside its batch. Valid as long as the batch is held.
struct entry_view {
  log_index index;
  entry_kind kind;
  std::string_view content;
};

/// Bytes an entry takes in a payload besides its content.
inline constexpr std::size_t entry_overhead_bytes = 5;

/// CRC-32C (Castagnoli) of `bytes`, continuing from `seed`.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

/// Encoded entries that have no place in a log yet: what a client proposes.
struct entry_block {
  std::uint32_t count = 0;
  shared_bytes payload;
};

/// Encodes entries into a block.
class entry_block_builder {
public:
  void add(entry_kind kind, std::string_view content);

  /// Begins an entry whose content the caller appends to `payload()` himself; `end_entry` closes it.
  void begin_entry(entry_kind kind);
  void end_entry();
  [[nodiscard]] std::string& payload() { return payload_; }

  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] std::size_t size_bytes() const { return payload_.size(); }

  /// Gives the block away and starts an empty one.
  [[nodiscard]] entry_block take();

private:
  std::string payload_;
  std::uint32_t count_ = 0;
  std::size_t open_at_ = 0;
};

/// Walks the entries of a payload that is known to be well-formed.
class entry_iterator {
public:
  using value_type = entry_view;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::input_iterator_tag;

  entry_iterator() = default;
  entry_iterator(std::string_view rest, log_index index) : rest_{rest}, index_{index} {}

  [[nodiscard]] entry_view operator*() const;
  entry_iterator& operator++();
  void operator++(int) { ++*this; }
  friend bool operator==(const entry_iterator& a, const entry_iterator& b) { return a.rest_.size() == b.rest_.size(); }

private:
  std::string_view rest_;
  log_index index_;
};

/// A run of entries of one term at consecutive indices. Immutable, shared, sliceable. Never empty once made.
class entry_batch {
public:
  entry_batch() = default;

  /// Stamps a block. `block.count` must be at least 1. `leader_time` is the leader's log time (see `leader_time`).
  /// Computes the payload checksum: this is the one place where a payload gets one.
  [[nodiscard]] static entry_batch stamp(entry_block block, term_number term, log_index first,
                                         std::int64_t leader_time);

  /// Takes what was read from disk or network. Nothing, if the checksum does not match the payload or the payload is
  /// not exactly `count` (at least one) well-formed entries: what this returns can be trusted.
  [[nodiscard]] static std::optional<entry_batch> verify(term_number term, log_index first, std::uint32_t count,
                                                         std::int64_t leader_time, std::uint32_t checksum,
                                                         shared_bytes payload);

  [[nodiscard]] term_number term() const { return term_; }
  [[nodiscard]] log_index first() const { return first_; }
  [[nodiscard]] log_index last() const { return first_ + (count_ - 1); }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  /// Microseconds of log time: never decreases along the log, and moves with the leader's monotonic clock only.
  [[nodiscard]] std::int64_t leader_time() const { return leader_time_; }
  /// CRC-32C of the payload, computed by the leader that stamped it.
  [[nodiscard]] std::uint32_t checksum() const { return checksum_; }
  [[nodiscard]] const shared_bytes& payload() const { return payload_; }
  [[nodiscard]] std::size_t size_bytes() const { return payload_.size(); }
  [[nodiscard]] log_position last_position() const { return {term_, last()}; }

  [[nodiscard]] entry_iterator begin() const { return {payload_.view(), first_}; }
  [[nodiscard]] entry_iterator end() const { return {payload_.view().substr(payload_.size()), first_ + count_}; }

  /// The entries from `from` to `to`, both included and both within the batch. Shares the payload bytes. A true part
  /// gets a checksum of its own, computed from bytes that were verified when they came in.
  [[nodiscard]] entry_batch slice(log_index from, log_index to) const;

  /// The longest run of entries from the start that fits in `max_bytes`, but at least one entry.
  [[nodiscard]] entry_batch front_within(std::size_t max_bytes) const;

private:
  term_number term_;
  log_index first_;
  std::uint32_t count_ = 0;
  std::uint32_t checksum_ = 0;
  std::int64_t leader_time_ = 0;
  shared_bytes payload_;
};

} // namespace troupe
