/// \file
/// What a service gives to be replicated.
#pragma once

#include "troupe/assert.hpp"
#include "troupe/entry.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A committed command with what Raft knows about it. Equal on every replica.
struct command {
  log_index index;
  term_number term;
  std::int64_t leader_time; ///< Log time, microseconds; see `entry_batch::leader_time`.
  std::uint64_t session;    ///< The client session it belongs to; 0 while there are none.
  std::string_view content; ///< Valid during the call only.
};

/// Answers to a run of commands or queries, in order, in one buffer.
struct answer_list {
  std::string bytes;
  std::vector<std::uint32_t> ends; ///< Where each answer ends within `bytes`.

  [[nodiscard]] std::size_t count() const { return ends.size(); }
  [[nodiscard]] std::string_view at(std::size_t i) const {
    auto begin = i == 0 ? 0u : ends[i - 1];
    return std::string_view{bytes}.substr(begin, ends[i] - begin);
  }
  /// More would be too much at once: what has gathered is to be sent first.
  [[nodiscard]] bool is_full() const { return bytes.size() >= full_bytes; }
  static constexpr std::size_t full_bytes = std::size_t{1} << 20;

  /// Closes the answer whose bytes were appended to `bytes`.
  void end_answer() {
    TROUPE_ASSERT(bytes.size() <= ~std::uint32_t{}, "answers of one list fit in 4 GiB");
    ends.push_back(static_cast<std::uint32_t>(bytes.size()));
  }
  void add(std::string_view answer) {
    bytes += answer;
    end_answer();
  }
};

/// A state, piece by piece.
class chunk_source {
public:
  virtual ~chunk_source() = default;
  /// The next piece; an empty one is the end. Chunks of about a megabyte do well.
  [[nodiscard]] virtual std::string next_chunk() = 0;
};

/// A picture of the state that stays as it was while commands go on being applied. May be read on another thread than
/// the state machine's.
class state_view : public chunk_source {};

/// A picture of a state small enough to be copied whole.
[[nodiscard]] std::unique_ptr<state_view> view_of(std::string state);

/// All chunks of a source, one behind the other: for a state that fits in memory twice.
[[nodiscard]] std::string read_all(chunk_source& chunks);

/// A state that was built beside the present one.
class built_state {
public:
  virtual ~built_state() = default;
  /// Takes the present state's place, in one step. Called at most once, like `apply`.
  virtual void take_place() = 0;
};

/// A deterministic state machine (paper §2). Called by one applier only, one call at a time, in log order: it needs no
/// lock. The same commands must give the same state and the same answers everywhere: no clock, no randomness, no
/// iteration order of hashes.
class state_machine {
public:
  virtual ~state_machine() = default;

  /// Applies `commands` in order, adds exactly one answer for each, and returns how many it has applied: at least one.
  /// It may stop early, and should when `answers.is_full()`; the rest is handed to it again. The entries are durable on
  /// a quorum.
  [[nodiscard]] virtual std::size_t apply(std::span<const command> commands, answer_list& answers) = 0;

  /// Answers one query from the state as it is, changing nothing: adds exactly one answer. Linearizable: the caller has
  /// made sure that the state is fresh enough.
  virtual void query(std::string_view content, answer_list& answers) = 0;

  /// Opens a picture of the state for a snapshot. Must be quick, whatever the size of the state: commands wait. (A
  /// small state may be copied: `view_of`.)
  [[nodiscard]] virtual std::unique_ptr<state_view> save() = 0;

  /// Replaces the state by the one that `chunks` describes: all of it, or, if it throws, none. A state machine whose
  /// state takes long to build overrides `build` as well.
  virtual void load(chunk_source& chunks) = 0;

  /// Builds the state that `chunks` describe beside the present one. Called on another thread while the present state
  /// goes on answering, so it must not touch that. Throws if the chunks make no sense. As it is here, it gathers the
  /// chunks, which `load` then reads when the built state takes its place.
  [[nodiscard]] virtual std::unique_ptr<built_state> build(chunk_source& chunks);

  /// A checksum of the state, equal for equal states, however they came about; must be quick. Replicas compare theirs
  /// at agreed places of the log, and one that differs ends. Nothing: this state machine has none.
  [[nodiscard]] virtual std::optional<std::uint64_t> state_hash() const { return std::nullopt; }
};

} // namespace troupe
