/// \file
/// What is replicated on the stage and what clients do with it: the part of a run that belongs to whoever tests his own
/// state machine.
#pragma once

#include "stage/dice.hpp"
#include "stage/operation_ledger.hpp"
#include "troupe/state_machine.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// One run's workload. Linearizability is judged for any workload by places in the history (operation_ledger.hpp), and
/// so is the state machine's determinism; a workload may judge what answers mean besides.
class workload {
public:
  virtual ~workload() = default;

  /// A fresh state machine, for one life of a node.
  [[nodiscard]] virtual std::shared_ptr<state_machine> machine() = 0;

  struct request {
    operation what = operation::command;
    std::string content;
    std::string words; ///< For a story.
  };
  /// What a client asks next.
  [[nodiscard]] virtual request next(unsigned client, dice& chance) = 0;

  // What becomes of it, in order.
  virtual void asked(operation_id, unsigned /*client*/, const request&) {}
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
