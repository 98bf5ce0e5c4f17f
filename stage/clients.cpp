#include "stage/clients.hpp"

#include "stage/transcript.hpp"

#include <utility>

namespace troupe {

namespace {

struct client_ears {
  std::function<void(std::uint64_t, std::uint32_t, const answer_list&)> answered;
  std::function<void(std::uint64_t, std::uint32_t, refusal)> refused;
};

client_actor::behavior_type play_client(client_actor::pointer, client_ears ears) {
  return {
      [](const submission_accepted&) {},
      [ears](const submission_answered& m) { ears.answered(m.number, m.offset, *m.answers); },
      [ears](const submission_refused& m) { ears.refused(m.number, m.offset, m.why); },
  };
}

} // namespace

stage_clients::stage_clients(client_surroundings around, const gate_maker& gate, dice gate_chance)
    : around_{std::move(around)} {
  if (gate && around_.knobs.gate_clients > 0)
    desk_ = std::make_unique<gate_desk>(around_, gate, gate_chance);
  around_.ledger.on_applied = [this](operation_id id, std::string_view content, std::string_view answer) {
    around_.asked.applied(id, content, answer);
    around_.look_at_workload();
  };
  for (unsigned client = 0; client < around_.knobs.clients; ++client) {
    clients_.push_back(around_.runtime.system().spawn(
        play_client,
        client_ears{[this](auto number, auto offset, const auto& answers) { hear_answer(number, offset, answers); },
                    [this](auto number, auto offset, auto why) { hear_refusal(number, offset, why); }}));
    around_.runtime.adopt(caf::actor_cast<caf::strong_actor_ptr>(clients_.back()));
  }
}

void stage_clients::let_ask(bool asking) {
  ++asking_epoch_;
  if (asking)
    for (unsigned client = 0; client < clients_.size(); ++client)
      take_turn(client, asking_epoch_);
}

void stage_clients::take_turn(unsigned client, std::uint64_t epoch) {
  const auto together = (1.0 + around_.knobs.most_in_a_lot) / 2;
  const auto mean = 1e9 * together * static_cast<double>(clients_.size()) / around_.knobs.operations_per_second;
  const auto pause =
      duration{static_cast<std::int64_t>(around_.chance.below(static_cast<std::uint64_t>(2 * mean) + 1))};
  around_.runtime.after(pause, [this, client, epoch] {
    if (epoch != asking_epoch_)
      return;
    const auto id = peer_id{1 + around_.chance.below(around_.knobs.nodes)};
    if (asked_nodes_.empty() || asked_nodes_.contains(id))
      ask(client, id);
    take_turn(client, epoch);
  });
}

void stage_clients::ask_once(peer_id id) {
  ask(any_client(), id);
}

std::optional<operation_id> stage_clients::ask_once(peer_id id, const workload::request& request) {
  if (around_.peer_of(id) == nullptr)
    return std::nullopt;
  const auto client = any_client();
  lot_draft draft;
  const auto operation = add(draft, client, id, request);
  submit(std::move(draft), client, id);
  return operation;
}

void stage_clients::ask(unsigned client, peer_id id) {
  if (around_.peer_of(id) == nullptr)
    return;
  const auto count = 1 + around_.chance.below(around_.knobs.most_in_a_lot);
  if (desk_ && client < around_.knobs.gate_clients)
    return desk_->ask(client, id, count);
  lot_draft draft;
  for (auto left = count; left > 0; --left) {
    const auto request = around_.asked.next(client, around_.chance);
    if (!draft.operations.empty() && draft.what != request.what)
      submit(std::exchange(draft, {}), client, id); // Commands and queries do not mix.
    (void)add(draft, client, id, request);
  }
  submit(std::move(draft), client, id);
}

operation_id stage_clients::add(lot_draft& draft, unsigned client, peer_id id, const workload::request& request) {
  const auto [operation, content] = around_.ledger.asks(request.what, request.content, around_.runtime.now(), id);
  around_.asked.asked(operation, client, request);
  around_.look_at_workload();
  around_.note(
      trace_event::kind::asks, id,
      [&, named = operation] {
        return "client " + std::to_string(client + 1) + " asks " + std::to_string(named.value()) + ": "
            + one_line(request.words);
      },
      operation);
  around_.trace.fold(operation.value());
  draft.what = request.what;
  draft.operations.push_back(operation);
  draft.block.add(entry_kind::command, content);
  return operation;
}

void stage_clients::submit(lot_draft draft, unsigned client, peer_id id) {
  const auto number = ++lot_number_;
  lots_[number] = {id, std::move(draft.operations), 0};
  around_.runtime.tell(*around_.peer_of(id), troupe::submit{clients_[client], number, draft.what, draft.block.take()});
}

void stage_clients::hear_answer(std::uint64_t number, std::uint32_t offset, const answer_list& answers) {
  const auto found = lots_.find(number);
  if (found == lots_.end())
    return;
  auto& lot = found->second;
  for (std::size_t i = 0; i < answers.count() && offset + i < lot.operations.size(); ++i) {
    const auto id = lot.operations[offset + i];
    const auto answer = around_.ledger.is_answered(id, answers.at(i), around_.runtime.now());
    around_.note(
        trace_event::kind::tells, lot.at,
        [&] { return "answers " + std::to_string(id.value()) + ": " + one_line(around_.asked.in_words(answer)); }, id);
    around_.spread_answer(id, answer);
    ++lot.ended;
  }
  if (lot.ended == lot.operations.size())
    lots_.erase(found);
}

void stage_clients::hear_refusal(std::uint64_t number, std::uint32_t offset, refusal why) {
  const auto found = lots_.find(number);
  if (found == lots_.end())
    return;
  const auto lot = std::move(found->second);
  lots_.erase(found);
  around_.count_refusal(lot.at, why);
  // All that are not answered yet: what comes of those before `offset` will not be told any more.
  for (auto i = std::min<std::size_t>(offset, lot.ended); i < lot.operations.size(); ++i) {
    const auto id = lot.operations[i];
    around_.note(
        trace_event::kind::tells, lot.at,
        [&] { return "refuses " + std::to_string(id.value()) + ": " + std::string{words_for(why)}; }, id);
    around_.refuse(id, why);
  }
}

void stage_clients::welcome(peer_id id) {
  if (desk_)
    desk_->gate().open(id, *around_.peer_of(id));
}

void stage_clients::cut_off(peer_id id) {
  if (desk_)
    desk_->gate().close(id);
  std::erase_if(lots_, [&](const auto& entry) {
    const auto& lot = entry.second;
    if (lot.at != id)
      return false;
    for (auto i = lot.ended; i < lot.operations.size(); ++i)
      around_.lose(lot.operations[i]);
    return true;
  });
  around_.look_at_workload();
}

} // namespace troupe
