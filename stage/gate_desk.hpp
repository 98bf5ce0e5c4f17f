/// \file
/// Judges what becomes of operations between a client, a gate and a peer.
#pragma once

#include "stage/client_surroundings.hpp"
#include "stage/gate.hpp"

#include <map>
#include <memory>
#include <optional>

namespace troupe {

/// Has clients ask through a gate. Besides what is checked of every client (operation_ledger.hpp, and the workload's
/// own oracle, at the instants at which the client speaks and hears):
/// - what goes to the peer is what was asked, once, and nothing that was refused; a write is never a query;
/// - what the client hears is what the peer has answered: not a word without that, and not a refusal in its place;
/// - operations of one line are answered, and take effect, in the order in which they were said: none before, or unseen
///   by, a later one. (Not where packets between nodes overtake each other: there a line cannot keep what its node's
///   links do not.)
class gate_desk final : public gate_watch {
public:
  gate_desk(const client_surroundings& around, const gate_maker& make, dice chance);

  /// The gates, for lives to begin and end.
  [[nodiscard]] client_gate& gate() { return *gate_; }
  /// A client asks for `count` operations of the workload's at once.
  void ask(unsigned client, peer_id node, std::uint64_t count);

  std::string leaves(operation_id id, operation what, std::string_view content) override;
  std::string_view comes_back(operation_id id, std::string_view answer) override;
  void answered(operation_id id, std::string_view words) override;
  void refused(operation_id id, refusal why) override;
  void lost(operation_id id) override;
  void note(trace_event::kind what, peer_id node, const std::function<std::string()>& words) override;
  void broken(const std::string& words) override;

private:
  /// An operation on its way.
  struct passage {
    peer_id node;
    std::uint64_t line = 0;
    operation what = operation::command;
    bool is_logged = false;
    bool has_left = false;
    bool is_refused = false;
    std::uint64_t overtaken = 0;        ///< How often its node had been when it left.
    std::string content;                ///< As it was asked; let go when it has left.
    std::string submitted;              ///< With its number.
    std::optional<std::uint64_t> place; ///< Of its answer.
  };

  /// The latest place that an answer of a line has come from.
  struct reach {
    operation_id by;
    std::uint64_t place = 0;
    std::uint64_t overtaken = 0; ///< As of the passage.
  };

  /// Of an operation that nobody has asked for: null, and that is said.
  passage* find(operation_id id);
  void check_order(operation_id id, const passage& on);

  const client_surroundings& around_;
  std::map<operation_id, passage> passages_;
  std::map<std::uint64_t, reach> reached_; ///< By line.
  std::unique_ptr<client_gate> gate_;
};

} // namespace troupe
