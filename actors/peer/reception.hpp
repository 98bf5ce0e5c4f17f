/// \file
/// A snapshot on its way in: which piece is wanted next, and who waits to hear of it. Pure.
///
/// Pieces come in order, one at a time; whatever else comes is answered with where to go on. A transfer is of one
/// snapshot from one sender: another leader's may differ in its bytes, so pieces of two are never mixed (S9).
#pragma once

#include "troupe/raft_messages.hpp"
#include "troupe/storage.hpp"

#include <cstdint>
#include <optional>
#include <utility>

namespace troupe {

/// What to do with a piece.
enum class piece_verdict {
  begin,  ///< The first of a snapshot: it is received aside, and what was under way is given up.
  append, ///< The next one.
  refuse, ///< Not the next one: answered at once, with what is there.
};

class snapshot_reception {
public:
  snapshot_reception(peer_id from, const snapshot_mark& what) : from_{from}, what_{what} {}

  [[nodiscard]] static snapshot_mark mark_of(const install_snapshot& piece) {
    return {piece.at, piece.time, piece.size_bytes};
  }

  [[nodiscard]] bool is_of(const install_snapshot& piece) const {
    return piece.about.from == from_ && mark_of(piece) == what_;
  }

  /// Judges a piece of this transfer.
  [[nodiscard]] piece_verdict judge(const install_snapshot& piece) const {
    const bool is_next = !unanswered_ && piece.offset == stored_bytes_ && !piece.bytes.empty();
    return is_next ? piece_verdict::append : piece_verdict::refuse;
  }

  /// The piece is on its way to the disk; its answer waits for that.
  void hand_over(const install_snapshot& piece) {
    unanswered_ = piece;
    unanswered_->bytes = {};
    handed_bytes_ = piece.offset + piece.bytes.size();
  }

  /// What was handed over is stored; for the last piece, the whole is durable.
  void stored() { stored_bytes_ = handed_bytes_; }

  /// Whose answer is due now: each request is answered once.
  [[nodiscard]] std::optional<install_snapshot> take_unanswered() { return std::exchange(unanswered_, std::nullopt); }

  /// All of it is stored, and nobody has asked yet that it be verified and made durable; asked now.
  [[nodiscard]] bool begin_finishing() {
    return stored_bytes_ == what_.size_bytes && !std::exchange(is_finishing_, true);
  }

  [[nodiscard]] bool is_finishing() const { return is_finishing_; }

  [[nodiscard]] std::uint64_t stored_bytes() const { return stored_bytes_; }
  [[nodiscard]] bool is_whole() const { return stored_bytes_ == what_.size_bytes; }
  [[nodiscard]] const snapshot_mark& what() const { return what_; }

private:
  peer_id from_;
  snapshot_mark what_;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t handed_bytes_ = 0;
  bool is_finishing_ = false;
  /// Without its bytes.
  std::optional<install_snapshot> unanswered_;
};

} // namespace troupe
