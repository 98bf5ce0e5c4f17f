/// \file
/// Which operations travel together, and whose they are.
#pragma once

#include "troupe/assert.hpp"
#include "troupe/client_messages.hpp"
#include "troupe/peer_options.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Operations of one client that stand next to each other in a lot.
struct operation_run {
  std::uint64_t client = 0;
  std::uint64_t first_sequence = 0; ///< The client's own number of the first of them.
  std::uint32_t count = 0;
};

/// Gathers the operations of all clients of a gateway or port into lots, one gathering for commands and one for
/// queries, and finds the way back for the answers. At most one lot of each kind is submitted and not yet accepted;
/// what comes meanwhile gathers in the next. So under load a lot grows by itself, and without load nothing waits.
///
/// Operations are encoded straight into the block that becomes the log's payload.
class lot_book {
public:
  /// A lot on its way to the peer.
  struct submission {
    std::uint64_t number = 0;
    operation what = operation::command;
    entry_block block;
  };

  /// Part of an answer: `run` got `answers` from `first` on.
  struct delivery {
    operation_run run;
    const answer_list& answers;
    std::uint32_t first = 0;
  };

  explicit lot_book(const gather_limits& limits) : limits_{limits} {}

  /// Whether an operation of `bytes` may ever join what waits, and whether it may now.
  [[nodiscard]] bool could_hold(std::size_t bytes) const {
    return bytes <= limits_.waiting_bytes && bytes + operation_cost_bytes <= limits_.unanswered_bytes;
  }
  [[nodiscard]] bool has_room(std::size_t bytes) const {
    return waiting_bytes_ + bytes <= limits_.waiting_bytes
        && unanswered_bytes_ + bytes + operation_cost_bytes <= limits_.unanswered_bytes;
  }

  /// Begins an operation of at most `bytes`, whose answer is expected to bring values of `answer_bytes`: its content is
  /// to be appended to the string returned. Then `end`.
  [[nodiscard]] std::string& begin(operation what, std::size_t bytes, std::size_t answer_bytes = 0);

  /// Ends it, as number `sequence` of `client`.
  void end(operation what, std::uint64_t client, std::uint64_t sequence);

  /// The next lot to submit, if one waits, none of its kind is unaccepted, and its answers have room.
  [[nodiscard]] std::optional<submission> next(operation what);

  void accepted(std::uint64_t number);

  /// Hands `answered`'s answers to `deliver(const delivery&)`, run by run. Answers to a lot that is not known (any
  /// more) are dropped.
  template <class F>
  void answered(const submission_answered& answered, F&& deliver) {
    accepted(answered.number);
    take(answered.number, answered.offset, static_cast<std::uint32_t>(answered.answers->count()),
         [&](const operation_run& run, std::uint32_t first) {
           deliver(delivery{run, *answered.answers, first});
         });
  }

  /// Hands every operation of the lot that is not answered yet to `deliver(const operation_run&)`: a refusal ends all
  /// of them.
  template <class F>
  void refused(const submission_refused& refused, F&& deliver) {
    accepted(refused.number);
    take(refused.number, std::nullopt, everything, [&](const operation_run& run, std::uint32_t) { deliver(run); });
  }

  /// The peer is gone: hands over every operation, `deliver(const operation_run&, bool submitted)`, and forgets all.
  template <class F>
  void abandon(F&& deliver) {
    auto submitted = std::move(submitted_);
    auto kinds = std::move(kinds_);
    submitted_.clear();
    kinds_ = {};
    waiting_bytes_ = 0;
    unanswered_bytes_ = 0;
    expected_bytes_ = 0;
    for (auto& [number, lot] : submitted)
      lot.take(everything, [&](const operation_run& run, std::uint32_t) { deliver(run, true); });
    for (auto& kind : kinds)
      for (auto& lot : kind.waiting)
        lot.take(everything, [&](const operation_run& run, std::uint32_t) { deliver(run, false); });
  }

  /// How large values were of late, node-wide: what a new client's are taken to be. Up at once, down by and by.
  [[nodiscard]] std::size_t value_bytes() const { return value_bytes_; }
  void learn_value_bytes(std::size_t seen) { value_bytes_ = learned(value_bytes_, seen); }

  /// An estimate after one more value of `seen` bytes.
  [[nodiscard]] static std::size_t learned(std::size_t estimate, std::size_t seen) {
    return seen >= estimate ? seen : estimate - (estimate - seen) / 4;
  }

  /// Lots that were submitted and are not wholly answered.
  [[nodiscard]] std::size_t open_lots() const { return submitted_.size(); }

  /// Whether any operation waits or is under way.
  [[nodiscard]] bool holds_any() const {
    return !submitted_.empty() || !kinds_[0].waiting.empty() || !kinds_[1].waiting.empty();
  }

private:
  static constexpr std::uint32_t everything = 0xffffffff;

  struct lot {
    entry_block_builder block;
    std::vector<operation_run> runs;
    std::size_t cost_bytes = 0;   ///< What it takes until it is answered.
    std::size_t answer_bytes = 0; ///< What its answers are expected to bring.
    std::size_t at = 0;           ///< The run that the next answer belongs to.
    std::uint32_t within = 0;     ///< How many of that run are answered.
    std::uint32_t answered = 0;   ///< How many of the lot are.

    /// Walks up to `count` operations on from where it stands: `each(run, offset from the start of this walk)`.
    template <class F>
    void take(std::uint32_t count, F&& each) {
      std::uint32_t taken = 0;
      while (taken < count && at < runs.size()) {
        const auto& whole = runs[at];
        const auto step = std::min(count - taken, whole.count - within);
        const auto part = operation_run{whole.client, whole.first_sequence + within, step};
        within += step;
        if (within == whole.count) {
          ++at;
          within = 0;
        }
        answered += step;
        each(part, taken);
        taken += step;
      }
    }
  };

  struct kind {
    std::deque<lot> waiting; ///< The last one is gathering.
    std::optional<std::uint64_t> unaccepted;
  };

  template <class F>
  void take(std::uint64_t number, std::optional<std::uint32_t> offset, std::uint32_t count, F&& each) {
    const auto found = submitted_.find(number);
    if (found == submitted_.end())
      return;
    TROUPE_ASSERT(!offset || *offset == found->second.answered, "the parts of a lot's answers come in order");
    // Out of the book while it is walked: whoever hears an answer may add operations.
    auto lot = std::move(found->second);
    submitted_.erase(found);
    lot.take(count, each);
    if (lot.at < lot.runs.size()) {
      submitted_.emplace(number, std::move(lot));
    } else {
      unanswered_bytes_ -= lot.cost_bytes;
      expected_bytes_ -= lot.answer_bytes;
    }
  }

  [[nodiscard]] kind& of(operation what) { return kinds_.at(what == operation::command ? 0 : 1); }

  gather_limits limits_;
  std::array<kind, 2> kinds_;
  std::map<std::uint64_t, lot> submitted_;
  std::uint64_t last_number_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t unanswered_bytes_ = 0;
  std::size_t expected_bytes_ = 0; ///< Of the answers to submitted lots.
  std::size_t value_bytes_ = std::size_t{16} << 10;
  std::size_t size_before_ = 0; ///< Of the gathering block, before the operation being added.
};

} // namespace troupe
