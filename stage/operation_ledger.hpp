/// \file
/// What clients asked for, what they were told, and what was applied, for any state machine: judged apart from the code
/// that did it.
///
/// Every operation carries a number of its own in front of its content, and a `watched_machine` around each node's
/// state machine tells at which place of the history a command was applied, and behind which a query was answered. So
/// every answer says when it belongs, and linearizability is a comparison of numbers (Herlihy and Wing 1990: each
/// operation takes effect at one instant between its call and its answer).
///
/// Checked:
/// - each operation has one end;
/// - a command's answer is that of its own place, and is the same on every node that applies it;
/// - no command is applied twice, nor one that its client was told is certainly not carried out, nor one nobody asked;
/// - all nodes apply the same commands in the same order, without gaps, in each of their lives, and come to the same
///   state (`state_hash`) after each of them, snapshots included;
/// - in real time: what is asked after an answer has come takes effect behind it, and nobody sees what was not asked.
#pragma once

#include "stage/history.hpp"
#include "stage/verdict.hpp"
#include "troupe/client_messages.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// How many operations have come to which end.
struct operation_tally {
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;   ///< Certainly not carried out.
  std::uint64_t uncertain = 0; ///< Their clients were told so, or their node crashed.
};

class operation_ledger {
public:
  enum class fate : std::uint8_t { open, answered, refused, uncertain };

  /// Instants are told as time since `began`.
  explicit operation_ledger(verdict& judge, instant began = {}) : judge_{judge}, began_{began} {}

  /// A command is applied for the first time anywhere; in order of their places.
  std::function<void(operation_id, std::string_view content, std::string_view answer)> on_applied;

  /// A command is applied by a node, whether or not others have applied it.
  std::function<void(peer_id node, operation_id id, const command& what, std::string_view answer)> on_each;
  /// A node loads the state behind so many commands.
  std::function<void(peer_id node, std::uint64_t position)> on_loaded;

  // What clients do and hear.
  /// Returns the content to submit: the number, and what was asked. `at` is the node that is asked.
  [[nodiscard]] std::pair<operation_id, std::string> asks(operation what, std::string_view content, instant now,
                                                          peer_id at = nobody);
  /// A query goes through the log, behind commands of its client: it takes a place of its own, and may be carried out
  /// whatever its client is told.
  void goes_by_log(operation_id id);
  /// Returns the answer without what was put in front of it.
  std::string_view is_answered(operation_id id, std::string_view answer, instant now);
  /// The same with an answer that was taken apart on its way: the place it is from, and its words.
  void is_answered(operation_id id, std::uint64_t position, std::string_view words, instant now);
  /// Takes an answer of a watched machine apart. Nothing if it is none.
  [[nodiscard]] static std::optional<std::pair<std::uint64_t, std::string_view>> parts_of(std::string_view answer);
  void is_refused(operation_id id, refusal why, instant now);
  /// Its node is gone: nobody will tell.
  void is_cut_off(operation_id id);
  [[nodiscard]] bool has_ended(operation_id id) const { return at(id).end != fate::open; }
  /// What its client has heard.
  [[nodiscard]] fate end_of(operation_id id) const { return at(id).end; }
  /// Whether a command was applied by anybody.
  [[nodiscard]] bool is_applied(operation_id id) const { return at(id).position > 0; }

  // What services do.
  /// A node applies a command, as number `position` of its history, and answers.
  void applies(peer_id node, std::uint64_t position, const command& what, std::string_view answer,
               std::optional<std::uint64_t> state_hash);
  /// A node loads the state behind so many commands.
  void loads(peer_id node, std::uint64_t position, std::optional<std::uint64_t> state_hash);

  /// An operation open for longer than `patience`, in words; nothing if there is none.
  [[nodiscard]] std::optional<std::string> overdue(instant now, duration patience) const;
  /// The log index of the command at a place of the history; 0 for none.
  [[nodiscard]] log_index index_at(std::uint64_t position) const {
    return position == 0 || position > places_.size() ? log_index{} : places_[position - 1].index;
  }
  /// Commands applied anywhere.
  [[nodiscard]] std::uint64_t applied() const { return places_.size(); }
  [[nodiscard]] const operation_tally& tally() const { return tally_; }

private:
  struct asked_operation {
    operation what = operation::command;
    bool is_logged = true; ///< It takes a place in the history.
    fate end = fate::open;
    std::uint64_t floor = 0; ///< The longest history an answer had come from when it was asked.
    operation_id floor_by;   ///< Whose answer that was.
    peer_id at;
    instant asked_at{};
    instant ended_at{};
    std::uint64_t seen = 0;     ///< The place its answer is from.
    std::uint64_t position = 0; ///< Where it was applied; 0: nowhere yet.
  };

  struct place {
    operation_id id;
    log_index index;
    term_number term;
    std::size_t answer_hash = 0;
    std::optional<std::uint64_t> state_hash;
  };

  [[nodiscard]] const asked_operation& at(operation_id id) const { return operations_[id.value() - 1]; }
  void first_applied(std::uint64_t position, operation_id id, const command& what, std::string_view content,
                     std::string_view answer, std::optional<std::uint64_t> state_hash);
  void broken(const std::string& what, const std::vector<operation_id>& about = {});
  [[nodiscard]] std::string biography(operation_id id) const;

  verdict& judge_;
  instant began_;
  std::vector<asked_operation> operations_;
  std::vector<place> places_;
  mutable std::size_t ended_before_ = 0; ///< All operations before this one have ended.
  std::uint64_t commands_asked_ = 0;
  std::uint64_t seen_ = 0; ///< The longest history an answer has come from,
  operation_id seen_by_;   ///< and whose answer that was.
  operation_tally tally_;
};

/// A node's state machine, with the ledger looking on. Both must outlive it.
[[nodiscard]] std::shared_ptr<state_machine> watch(std::shared_ptr<state_machine> inner, operation_ledger& ledger,
                                                   peer_id node);

} // namespace troupe
