/// \file
/// A snapshot on its way to a follower: one piece at a time, of a size that suits the link. Pure.
///
/// One piece in flight is the whole budget: heartbeats never wait behind more than that, and pieces shrink as soon as
/// one takes longer than a heartbeat (S12, N9). Where to go on is the follower's word: a transfer resumes where it was,
/// also after the link or the replicator was lost.
#pragma once

#include "troupe/peer_options.hpp"
#include "troupe/storage.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace troupe {

class snapshot_transfer {
public:
  snapshot_transfer(const snapshot_mark& what, std::size_t most_bytes)
      : what_{what}, most_bytes_{most_bytes}, piece_bytes_{std::min(first_piece_bytes, most_bytes)} {}

  [[nodiscard]] const snapshot_mark& what() const { return what_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] std::size_t piece_bytes() const { return piece_bytes_; }

  /// What is to be sent next: a question, first, for what the follower has of it already; then piece after piece.
  enum class step { ask, fetch, wait };
  [[nodiscard]] step next() const {
    if (unanswered_ || is_fetching_ || is_resting_)
      return step::wait;
    return knows_offset_ && offset_ < what_.size_bytes ? step::fetch : step::ask;
  }

  /// It cannot be read any more.
  void gone() { is_gone_ = is_resting_ = true; }
  [[nodiscard]] bool is_gone() const { return is_gone_; }

  void fetching() { is_fetching_ = true; }
  void fetched() { is_fetching_ = false; }

  /// Request `number` is on its way.
  void sent(std::uint64_t number, instant now) {
    unanswered_ = number;
    sent_at_ = now;
  }

  /// The follower has that much. Returns false if `number` is not the request under way: it says nothing new.
  bool answered(std::uint64_t number, std::uint64_t received_bytes, instant now, duration heartbeat) {
    if (unanswered_ != number)
      return false;
    unanswered_.reset();
    const bool has_come_further = received_bytes > offset_;
    if (has_come_further)
      adapt(now - sent_at_, heartbeat);
    // What brings nothing is tried again with the next heartbeat, not at once: a disk may be busy, or full.
    is_resting_ = knows_offset_ && !has_come_further;
    knows_offset_ = received_bytes <= what_.size_bytes;
    offset_ = knows_offset_ ? received_bytes : 0;
    return true;
  }

  /// Time for another try.
  void beat(instant now, duration patience) {
    is_resting_ = false;
    if (unanswered_ && now - sent_at_ >= patience) {
      unanswered_.reset(); // Lost, one way or the other: ask.
      knows_offset_ = false;
      shrink();
    }
  }

private:
  static constexpr std::size_t first_piece_bytes = std::size_t{64} << 10;
  static constexpr std::size_t least_piece_bytes = std::size_t{16} << 10;

  void adapt(duration took, duration heartbeat) {
    if (took < heartbeat / 4)
      piece_bytes_ = std::min(piece_bytes_ * 2, most_bytes_);
    else if (took > heartbeat)
      shrink();
  }

  void shrink() { piece_bytes_ = std::min(most_bytes_, std::max(least_piece_bytes, piece_bytes_ / 2)); }

  snapshot_mark what_;
  std::size_t most_bytes_;
  std::size_t piece_bytes_;
  std::uint64_t offset_ = 0;
  bool knows_offset_ = false;
  bool is_fetching_ = false;
  bool is_resting_ = false;
  bool is_gone_ = false;
  std::optional<std::uint64_t> unanswered_;
  instant sent_at_{};
};

} // namespace troupe
