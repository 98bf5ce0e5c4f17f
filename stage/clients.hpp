/// \file
/// The clients of a run: when they ask and whom, what they hear of it, and how they lose their node. The ledger and the
/// workload are told of all of it, and judge.
#pragma once

#include "stage/coverage.hpp"
#include "stage/knobs.hpp"
#include "stage/operation_ledger.hpp"
#include "stage/runtime.hpp"
#include "stage/trace_log.hpp"
#include "troupe/workload.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// What clients live among. All of it must outlive them.
struct client_surroundings {
  stage_runtime& runtime;
  dice& chance;
  const stage_knobs& knobs;
  workload& asked;
  operation_ledger& ledger;
  trace_log& trace;
  coverage& marks;
  /// Whom to ask at a node; null while it is not alive.
  std::function<const peer_actor*(peer_id)> peer_of;
  std::function<bool(peer_id)> is_full_leader;
};

class stage_clients {
public:
  explicit stage_clients(client_surroundings around);

  /// They begin to ask, each at a pace of its own, or stop.
  void let_ask(bool asking);
  /// Of `among` only; of everybody if empty.
  void let_ask_only(std::set<peer_id> among) { asked_nodes_ = std::move(among); }
  /// Operations of some client at a node, now.
  void ask_once(peer_id id);
  /// The same with an operation of the caller's own; nothing if the node is down.
  std::optional<operation_id> ask_once(peer_id id, const workload::request& request);
  /// A node is gone: nobody will tell what became of what it was asked.
  void cut_off(peer_id id);

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
  void note(trace_event::kind what, peer_id node, const std::function<std::string()>& words);
  void look_at_workload();

  client_surroundings around_;
  std::vector<client_actor> clients_;
  std::map<std::uint64_t, lot> lots_;
  std::uint64_t lot_number_ = 0;
  std::set<peer_id> asked_nodes_;
  std::uint64_t asking_epoch_ = 0;
};

} // namespace troupe
