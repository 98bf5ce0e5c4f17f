/// \file
/// The clients of a run: when they ask and whom, what they hear of it, and how they lose their node. The ledger and the
/// workload are told of all of it, and judge.
#pragma once

#include "stage/client_surroundings.hpp"
#include "stage/gate_desk.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

class stage_clients {
public:
  /// As many clients as the knobs say come through gates, if there is anybody to make them.
  stage_clients(client_surroundings around, const gate_maker& gate, dice gate_chance);

  /// They begin to ask, each at a pace of its own, or stop.
  void let_ask(bool asking);
  /// Of `among` only; of everybody if empty.
  void let_ask_only(std::set<peer_id> among) { asked_nodes_ = std::move(among); }
  /// Operations of some client at a node, now.
  void ask_once(peer_id id);
  /// The same with an operation of the caller's own; nothing if the node is down.
  std::optional<operation_id> ask_once(peer_id id, const workload::request& request);
  /// A node has begun a life.
  void welcome(peer_id id);
  /// A node is gone: nobody will tell what became of what it was asked.
  void cut_off(peer_id id);

  /// Whether some come through gates: there operations wait for each other.
  [[nodiscard]] bool have_gates() const { return desk_ != nullptr; }

private:
  /// What a client is about to submit.
  struct lot_draft {
    operation what = operation::command;
    std::vector<operation_id> operations;
    entry_block_builder block;
  };

  struct lot {
    peer_id at;
    std::vector<operation_id> operations;
    std::size_t ended = 0;
  };

  void take_turn(unsigned client, std::uint64_t epoch);
  [[nodiscard]] unsigned any_client() { return static_cast<unsigned>(around_.chance.below(clients_.size())); }
  void ask(unsigned client, peer_id id);
  operation_id add(lot_draft& draft, unsigned client, peer_id id, const workload::request& request);
  void submit(lot_draft draft, unsigned client, peer_id id);
  void hear_answer(std::uint64_t number, std::uint32_t offset, const answer_list& answers);
  void hear_refusal(std::uint64_t number, std::uint32_t offset, refusal why);

  client_surroundings around_;
  std::unique_ptr<gate_desk> desk_; ///< Of the first clients; null if all submit to peers themselves.
  std::vector<client_actor> clients_;
  std::map<std::uint64_t, lot> lots_;
  std::uint64_t lot_number_ = 0;
  std::set<peer_id> asked_nodes_;
  std::uint64_t asking_epoch_ = 0;
};

} // namespace troupe
