/// \file
/// The mind of an applier: what is to be applied and answered, cut into portions.
///
/// A portion is what the state machine answers at a time, about `answer_list::full_bytes`: a thousand reads of large
/// values must neither be built in memory all at once nor keep others from the thread.
#pragma once

#include "messages/mutant.hpp"
#include "troupe/assert.hpp"
#include "troupe/entry.hpp"
#include "troupe/state_machine.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// An entry where the state is hashed, and what the leader says of an earlier one.
struct hash_place {
  log_index index;
  std::string_view content; ///< See `decode_hashed_place`.
};

/// Answers for one who awaits them.
template <class Who>
struct answered_portion {
  const Who* who = nullptr; ///< Nobody of this node, if null.
  std::uint32_t offset = 0; ///< Of the first answer within the lot.
  answer_list answers;
  /// Instead of answers: the state is to be hashed now.
  std::optional<hash_place> place = {};
};

/// Committed entries on their way through the state machine. `Who` has `first`, `count` and `offset`, as in
/// waiting_line.hpp; runs are in order and lie within the entries.
template <class Who>
class entries_workload {
public:
  entries_workload(std::vector<entry_batch> batches, std::vector<Who> waiting)
      : batches_{std::move(batches)}, waiting_{std::move(waiting)} {
    std::size_t who = 0;
    for (const auto& batch : batches_) {
      bytes_ += batch.size_bytes();
      for (const auto entry : batch) {
        while (who < waiting_.size() && entry.index >= waiting_[who].first + waiting_[who].count)
          ++who;
        const bool is_awaited = who < waiting_.size() && entry.index >= waiting_[who].first;
        if (entry.kind == entry_kind::command)
          add({entry.index, batch.term(), batch.leader_time(), 0, entry.content},
              is_awaited ? &waiting_[who] : nullptr);
        else if (entry.kind == entry_kind::state_hash)
          runs_.push_back({commands_.size(), commands_.size(), nullptr, hash_place{entry.index, entry.content}});
      }
    }
  }

  // Runs point to who awaits them: a move keeps them in place, a copy would not.
  entries_workload(entries_workload&&) = default;
  entries_workload& operator=(entries_workload&&) = default;

  [[nodiscard]] bool is_done() const { return run_ == runs_.size(); }
  [[nodiscard]] log_index last() const { return batches_.back().last(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Applies the next portion; must not be done.
  [[nodiscard]] answered_portion<Who> advance(state_machine& machine) {
    const auto& run = runs_[run_];
    answered_portion<Who> portion;
    portion.place = run.place;
    if (run.place) {
      ++run_;
      return portion;
    }
    portion.who = run.who;
    portion.offset = (run.who ? run.who->offset : 0) + static_cast<std::uint32_t>(next_ - run.begin);
    const auto applied = machine.apply(std::span{commands_}.subspan(next_, run.end - next_), portion.answers);
    TROUPE_ASSERT(applied > 0 && applied <= run.end - next_ && applied == portion.answers.count(),
                  "a state machine answers each command it applies, once");
    next_ += applied;
    if (next_ == run.end)
      ++run_;
    return portion;
  }

  /// Who still awaits answers, each from the first missing one on.
  [[nodiscard]] std::vector<Who> unanswered() const {
    std::vector<Who> left;
    for (auto run = run_; run < runs_.size(); ++run) {
      if (!runs_[run].who)
        continue;
      left.push_back(*runs_[run].who);
      if (next_ > runs_[run].begin)
        left.back().offset += static_cast<std::uint32_t>(next_ - runs_[run].begin);
    }
    return left;
  }

private:
  /// Commands awaited by the same one; or none, and a place between commands.
  struct run_of_commands {
    std::size_t begin = 0;
    std::size_t end = 0;
    const Who* who = nullptr;
    std::optional<hash_place> place = {};
  };

  void add(command next, const Who* who) {
    if (TROUPE_MUTANT(canary) && next.index.value() % 10 == 0)
      next.content.remove_suffix(1);
    commands_.push_back(next);
    if (runs_.empty() || runs_.back().who != who || runs_.back().place)
      runs_.push_back({commands_.size() - 1, commands_.size(), who});
    else
      runs_.back().end = commands_.size();
  }

  std::vector<entry_batch> batches_; ///< Keep what the commands point into.
  std::vector<Who> waiting_;
  std::vector<command> commands_;
  std::vector<run_of_commands> runs_;
  std::size_t bytes_ = 0;
  std::size_t run_ = 0;
  std::size_t next_ = 0;
};

/// Queries on their way through the state machine. `Who` has `offset`.
template <class Who>
class query_workload {
public:
  query_workload(entry_block block, Who who)
      : block_{std::move(block)}, who_{std::move(who)}, next_{block_.payload.view(), {}} {}

  [[nodiscard]] bool is_done() const { return next_ == entry_iterator{}; }

  /// Answers the next portion; must not be done.
  [[nodiscard]] answered_portion<Who> advance(state_machine& machine) {
    answered_portion<Who> portion;
    portion.who = &who_;
    portion.offset = who_.offset + answered_;
    for (; !is_done() && !portion.answers.is_full(); ++next_) {
      const auto before = portion.answers.count();
      machine.query((*next_).content, portion.answers);
      TROUPE_ASSERT(portion.answers.count() == before + 1, "a state machine answers each query, once");
    }
    answered_ += static_cast<std::uint32_t>(portion.answers.count());
    return portion;
  }

  /// Who awaits the rest, from the first missing answer on.
  [[nodiscard]] Who unanswered() const {
    auto rest = who_;
    rest.offset += answered_;
    return rest;
  }

private:
  entry_block block_;
  Who who_;
  entry_iterator next_;
  std::uint32_t answered_ = 0;
};

} // namespace troupe
