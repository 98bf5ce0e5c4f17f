/// \file
/// Who awaits answers to which entries of the log.
#pragma once

#include "troupe/types.hpp"

#include <deque>
#include <utility>
#include <vector>

namespace troupe {

/// Runs of accepted operations in order of their place in the log, each with the one who awaits the answers. `Who` has
/// `log_index first`, `std::uint32_t count`, `std::uint32_t offset` (of the run's first operation in its lot) and
/// `instant deadline`, which never falls from run to run.
template <class Who>
class waiting_line {
public:
  /// Adds a run behind all others.
  void push(Who run) { runs_.push_back(std::move(run)); }

  /// Takes out what waits for entries up to `last`; a run that reaches further is split there.
  [[nodiscard]] std::vector<Who> take_up_to(log_index last) {
    std::vector<Who> taken;
    while (!runs_.empty() && runs_.front().first <= last) {
      auto& front = runs_.front();
      const auto reached = last - front.first + 1;
      if (front.count <= reached) {
        taken.push_back(std::move(front));
        runs_.pop_front();
        continue;
      }
      taken.push_back(front);
      taken.back().count = static_cast<std::uint32_t>(reached);
      front.first = last.next();
      front.offset += static_cast<std::uint32_t>(reached);
      front.count -= static_cast<std::uint32_t>(reached);
    }
    return taken;
  }

  /// Takes out what waits for entries behind `commit` and has waited until its deadline: whether those entries will
  /// ever be carried out is not known.
  [[nodiscard]] std::vector<Who> take_overdue(log_index commit, instant now) {
    auto committed = take_up_to(commit);
    std::vector<Who> overdue;
    while (!runs_.empty() && runs_.front().deadline <= now) {
      overdue.push_back(std::move(runs_.front()));
      runs_.pop_front();
    }
    runs_.insert(runs_.begin(), std::make_move_iterator(committed.begin()), std::make_move_iterator(committed.end()));
    return overdue;
  }

  /// Takes out all that waits for entries behind `commit`: their leader leads no more.
  [[nodiscard]] std::vector<Who> take_behind(log_index commit) { return take_overdue(commit, instant::max()); }

private:
  std::deque<Who> runs_;
};

} // namespace troupe
