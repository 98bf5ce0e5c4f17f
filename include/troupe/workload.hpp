/// \file
/// What is replicated on the stage and what clients do with it: the part of a run that belongs to whoever tests his own
/// state machine.
#pragma once

#include "troupe/dice.hpp"
#include "troupe/raft_messages.hpp"
#include "troupe/state_machine.hpp"
#include "troupe/types.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// One run's workload. Linearizability is judged for any workload by places in the history, and so is the state
/// machine's determinism; a workload may judge what answers mean besides. All is called from one thread.
///
/// A run is to be the same whenever it is played: what a workload asks must come from `chance` and from what it has
/// heard, never from a clock, from other randomness, from addresses, or from an earlier run.
class workload {
public:
  virtual ~workload() = default;

  /// A fresh state machine, for one life of a node.
  [[nodiscard]] virtual std::shared_ptr<state_machine> machine() = 0;

  struct request {
    operation what = operation::command;
    std::string content; ///< As `apply` or `query` gets it.
    std::string words;   ///< One line, for a story.
  };
  /// What a client asks next; clients are numbered from 0. One that waits for an answer may be asked for more.
  [[nodiscard]] virtual request next(unsigned client, dice& chance) = 0;

  // What becomes of it, in order.
  virtual void asked(operation_id, unsigned /*client*/, const request&) {}
  /// A command takes its place in the history: once each, in the order of places, whichever node was first to apply it.
  virtual void applied(operation_id, std::string_view /*content*/, std::string_view /*answer*/) {}
  virtual void answered(operation_id, std::string_view /*answer*/) {}
  /// Certainly not carried out.
  virtual void refused(operation_id) {}
  /// Nobody knows.
  virtual void lost(operation_id) {}

  /// What is wrong, once something is. Asked after each of the above.
  [[nodiscard]] virtual std::optional<std::string> trouble() { return std::nullopt; }
  /// The last word, at the end of a run.
  [[nodiscard]] virtual std::optional<std::string> final_trouble() { return std::nullopt; }

  /// An answer in words, for a story.
  [[nodiscard]] virtual std::string in_words(std::string_view answer) const { return std::string{answer}; }
};

} // namespace troupe
