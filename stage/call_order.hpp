/// \file
/// In which orders the calls of a history may be placed: the part of a search for a linearization that knows time, and
/// nothing of what calls mean.
#pragma once

#include "stage/history.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace troupe {

/// A history of which some calls are placed, one behind another. What may come next is each call that was invoked
/// before any answered call that is not placed yet returned.
///
/// Answered calls lie in a doubly linked list of their events, from which a placed one is lifted and to which it is put
/// back (Wing and Gong 1993, section 4; Lowe 2017, section 3). Open calls, which may be left out, lie beside it: there
/// may be many of them, and they would stand before everything else for ever.
class call_order {
public:
  struct times {
    event_ordinal invoked = 0;
    event_ordinal returned = never;
  };

  /// In O(n log n). Calls are named by their place in `calls` from here on.
  explicit call_order(const std::vector<times>& calls);

  /// A place in the sequence of what may come next.
  class cursor {
    friend class call_order;
    bool is_among_open_ = false;
    std::size_t at_ = 0; ///< An event of the list; or one more than a place in `open_`.
  };

  /// Where to begin: answered calls come first, by invocation; then open ones, the latest first. An open call helps
  /// only where the answered ones go no further, and most take effect soon or not at all.
  [[nodiscard]] cursor first() const;
  /// The call at `where`, or the next one that may come next; nothing behind the last. Some call is not placed, of
  /// those that were answered.
  [[nodiscard]] std::optional<std::size_t> candidate(cursor& where) const;
  /// Moves on from a candidate.
  void pass(cursor& where) const;

  /// A candidate takes its place.
  void place(std::size_t call);
  /// The last call to be placed goes back.
  void take_back(std::size_t call);

  [[nodiscard]] bool is_open(std::size_t call) const { return calls_[call].returned == never; }
  [[nodiscard]] bool is_placed(std::size_t call) const;
  /// How many answered calls there are, and are placed.
  [[nodiscard]] std::size_t answered() const { return answered_.size(); }
  [[nodiscard]] std::size_t answered_and_placed() const { return answered_and_placed_; }

  /// The set of placed calls, in words: equal sets of one history give equal words, other sets other words. As long as
  /// calls are concurrent, not as the history is.
  [[nodiscard]] std::vector<std::uint64_t> placed() const;

private:
  using event = std::size_t; ///< 2 r: the invocation of the answered call of rank r. 2 r + 1: its return.

  [[nodiscard]] event end() const { return 2 * answered_.size(); }
  [[nodiscard]] event_ordinal time_of(event at) const;
  void lift(event at);
  void put_back(event at);
  [[nodiscard]] std::size_t invoked_by(const std::vector<std::size_t>& ranked, event_ordinal time) const;

  std::vector<times> calls_;
  std::vector<std::size_t> answered_; ///< Calls by rank: in order of invocation.
  std::vector<std::size_t> open_;     ///< So are these.
  std::vector<std::size_t> rank_;     ///< Of each call, in the one or the other.
  std::vector<event> next_;           ///< Of each event, and of the end: a ring.
  std::vector<event> previous_;
  std::vector<std::uint64_t> answered_bits_; ///< By rank: is it placed?
  std::vector<std::uint64_t> open_bits_;
  std::size_t answered_and_placed_ = 0;
};

} // namespace troupe
