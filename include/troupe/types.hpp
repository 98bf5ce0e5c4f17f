/// \file
/// The nouns every part of Troupe shares: terms, indices, identities, time.
///
/// They are distinct types on purpose. A term passed where an index belongs does not compile.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>

namespace troupe {

/// A point on the monotonic clock of the actor that handles an event. Minds never read a clock: the instant comes in
/// as an argument, from `self->clock().now()`, which the stage replaces by virtual time.
using instant = std::chrono::steady_clock::time_point;

/// A span of time on that clock.
using duration = std::chrono::steady_clock::duration;

/// A counted quantity with a name of its own. `Tag` keeps terms, indices and identities apart.
template <class Tag, class Rep = std::uint64_t>
class number {
public:
  using rep = Rep;

  constexpr number() = default;
  constexpr explicit number(Rep value) : value_{value} {}

  [[nodiscard]] constexpr Rep value() const { return value_; }
  [[nodiscard]] constexpr number next() const { return number{static_cast<Rep>(value_ + 1)}; }
  [[nodiscard]] constexpr number before() const { return number{static_cast<Rep>(value_ - 1)}; }

  friend constexpr auto operator<=>(number, number) = default;

  /// Moves by a count of steps.
  friend constexpr number operator+(number n, Rep steps) { return number{static_cast<Rep>(n.value_ + steps)}; }
  friend constexpr number operator-(number n, Rep steps) { return number{static_cast<Rep>(n.value_ - steps)}; }

  /// Steps from `b` to `a`; `a` must not be before `b`.
  friend constexpr Rep operator-(number a, number b) { return static_cast<Rep>(a.value_ - b.value_); }

private:
  Rep value_ = 0;
};

/// A Raft term (paper §5.1). 0 is before any election.
using term_number = number<struct term_tag>;

/// A position in the replicated log. The first entry has index 1; 0 is a sentinel that is always "committed" and
/// never delivered.
using log_index = number<struct log_index_tag>;

/// The identity of a peer within its cluster. 0 is nobody.
using peer_id = number<struct peer_id_tag>;

/// One of many Raft groups that may share a process, a disk and its links. 0 is the group of the `troupe` program.
using group_id = number<struct group_tag, std::uint32_t>;

/// Numbers the writes a peer hands to its persister, from 1. An index could not: a late answer for truncated entries
/// must not vouch for their successors.
using write_id = number<struct write_tag>;

/// One thing that one client asked, on the stage. Whoever plays clients gives each a number of its own, from 1.
using operation_id = number<struct operation_id_tag>;

/// No peer: an unknown leader, a vote not cast.
inline constexpr peer_id nobody{};

/// The place of an entry and the term it was created in. Two logs that agree on a position agree on everything before
/// it (Log Matching, paper §5.3). Ordered as §5.4.1 orders logs: by term, then by index.
struct log_position {
  term_number term;
  log_index index;

  friend constexpr auto operator<=>(const log_position&, const log_position&) = default;
};

/// What a peer must never forget (paper Figure 2, persistent state; the log apart). Written as one atomic durable
/// record: two writes would allow a second vote in a term.
struct hard_state {
  term_number current_term;
  /// Whom this peer voted for in `current_term`, or `nobody`. Freed only by a higher term.
  peer_id voted_for;
  /// Not 0: the log lost entries that this peer may have acknowledged, and they are not known to be back. Names the
  /// loss; set by the storage that found it, before it lets go of anything. Such a peer has no say in elections until a
  /// leader has repaired it (see `repair`), and then writes 0.
  std::uint64_t lost = 0;

  friend constexpr bool operator==(const hard_state&, const hard_state&) = default;
};

} // namespace troupe

template <class Tag, class Rep>
struct std::hash<troupe::number<Tag, Rep>> {
  std::size_t operator()(troupe::number<Tag, Rep> n) const noexcept { return std::hash<Rep>{}(n.value()); }
};
