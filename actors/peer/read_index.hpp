/// \file
/// Linearizable reads without writing to the log (thesis 6.4).
#pragma once

#include "troupe/types.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace troupe {

/// A read that may be answered once `at` is applied.
struct confirmed_read {
  std::uint64_t ticket = 0;
  log_index at;
};

/// Reads a leader has accepted and not yet confirmed.
///
/// A read may be answered from the state at the commit index of its arrival, once a quorum has acknowledged the leader
/// in a request *sent after* the read arrived. Rounds say so: reads that arrive between two flushes share a fresh round
/// number, every AppendEntries carries the newest one, and a follower echoes it. A round is never used twice, so an old
/// answer cannot confirm a new read (Q3). Until an entry of the leader's own term is committed, its commit index may
/// lag behind what clients were told: reads are held (Q2).
class read_index {
public:
  /// Takes a read in. It belongs to the round that the next `open_round` opens.
  void add(std::uint64_t ticket, instant now) { fresh_.push_back({ticket, {}, now}); }

  /// Gives the reads that arrived since the last round a new one; returns whether there were any. `commit` is the
  /// commit index now, or nothing while no entry of the leader's own term is committed.
  bool open_round(std::optional<log_index> commit);

  /// The newest round opened; 0 before the first.
  [[nodiscard]] std::uint64_t round() const { return round_; }

  /// Reads that a quorum's acknowledgement of `acknowledged` confirms. None while `commit` is nothing.
  [[nodiscard]] std::vector<confirmed_read> confirm(std::uint64_t acknowledged, std::optional<log_index> commit);

  /// Takes out the reads that arrived at or before `arrival`: their deadline has passed.
  [[nodiscard]] std::vector<std::uint64_t> expire(instant arrival);

  /// Takes out all reads: leadership is over.
  [[nodiscard]] std::vector<std::uint64_t> abandon();

  [[nodiscard]] std::size_t size() const { return waiting_.size() + fresh_.size(); }
  [[nodiscard]] bool has_fresh() const { return !fresh_.empty(); }

private:
  struct read {
    std::uint64_t ticket = 0;
    std::optional<log_index> at;
    instant arrived{};
    std::uint64_t round = 0;
  };

  std::deque<read> fresh_;
  std::deque<read> waiting_;
  std::uint64_t round_ = 0;
};

} // namespace troupe
