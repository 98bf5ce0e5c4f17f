#include "stage/gate_desk.hpp"

#include "stage/transcript.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

std::string name(operation_id id) {
  return "operation " + std::to_string(id.value());
}

} // namespace

gate_desk::gate_desk(const client_surroundings& around, const gate_maker& make, dice chance)
    : around_{around}, gate_{make({around.runtime, *this, around.knobs, chance})} {}

void gate_desk::ask(unsigned client, peer_id node, std::uint64_t count) {
  const auto line = gate_->line(client, node);
  if (line == 0)
    return;
  std::vector<client_gate::request> requests;
  for (; count > 0; --count) {
    const auto request = around_.asked.next(client, around_.chance);
    auto [id, content] = around_.ledger.asks(request.what, request.content, around_.runtime.now(), node);
    around_.asked.asked(id, client, request);
    around_.look_at_workload();
    around_.trace.fold(id.value());
    auto& made = passages_[id];
    made.node = node;
    made.line = line;
    made.what = request.what;
    made.content = request.content;
    made.submitted = std::move(content);
    requests.push_back({id, request.what, request.content});
  }
  gate_->say(line, std::move(requests));
}

gate_desk::passage* gate_desk::find(operation_id id) {
  const auto found = passages_.find(id);
  if (found != passages_.end())
    return &found->second;
  broken(name(id) + " goes through a gate, and nobody has asked for it");
  return nullptr;
}

std::string gate_desk::leaves(operation_id id, operation what, std::string_view content) {
  auto* on = find(id);
  if (on == nullptr)
    return std::string{content};
  if (std::exchange(on->has_left, true))
    broken(name(id) + " is submitted twice");
  else if (on->is_refused)
    broken(name(id) + " is submitted, and its client was told that nothing was done");
  else if (content != on->content)
    broken(name(id) + " is submitted as something else than its client has asked for");
  else if (on->what == operation::command && what == operation::query)
    broken(name(id) + " is a command and is submitted as a query");
  on->is_logged = what == operation::command;
  if (on->is_logged && on->what == operation::query)
    around_.marks.hit(sometimes::read_through_the_log);
  on->overtaken = around_.overtaken(on->node);
  if (on->is_logged)
    around_.ledger.goes_by_log(id);
  on->content = {};
  return std::exchange(on->submitted, {});
}

std::string_view gate_desk::comes_back(operation_id id, std::string_view answer) {
  const auto parts = operation_ledger::parts_of(answer);
  if (!parts) {
    broken(name(id) + " is answered with what no state machine says");
    return {};
  }
  if (auto* on = find(id)) {
    if (on->place)
      broken(name(id) + " is answered twice by its peer");
    on->place = parts->first;
  }
  return parts->second;
}

void gate_desk::answered(operation_id id, std::string_view words) {
  const auto* on = find(id);
  if (on == nullptr)
    return;
  if (!on->place)
    return broken(name(id) + " is answered, and its peer has not answered it: " + one_line(std::string{words}));
  around_.ledger.is_answered(id, *on->place, words, around_.runtime.now());
  check_order(id, *on);
  around_.spread_answer(id, words);
  passages_.erase(id);
}

void gate_desk::check_order(operation_id id, const passage& on) {
  auto& before = reached_[on.line];
  if (id < before.by)
    broken(name(id) + " is answered behind " + name(before.by) + ", which the same client had asked later");
  const bool is_behind = on.is_logged ? *on.place > before.place : *on.place >= before.place;
  if (!is_behind && before.overtaken == around_.overtaken(on.node))
    broken(name(id) + " is answered from place " + std::to_string(*on.place)
           + " of the history, and what the same client had asked before it from place "
           + std::to_string(before.place));
  if (is_behind)
    before = {id, *on.place, on.overtaken};
}

void gate_desk::refused(operation_id id, refusal why) {
  auto* on = find(id);
  if (on == nullptr)
    return;
  if (on->place)
    broken(name(id) + " was answered by its peer, and its client is told: " + std::string{words_for(why)});
  on->is_refused = why != refusal::uncertain;
  around_.count_refusal(on->node, why);
  around_.refuse(id, why);
  if (on->has_left)
    passages_.erase(id);
}

void gate_desk::lost(operation_id id) {
  around_.lose(id);
  around_.look_at_workload();
}

void gate_desk::note(trace_event::kind what, peer_id node, const std::function<std::string()>& words) {
  around_.note(what, node, words);
}

void gate_desk::broken(const std::string& words) {
  around_.runtime.judge().fail(words);
}

} // namespace troupe
