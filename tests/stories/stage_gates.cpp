// What stands between clients and their peer is judged on both sides: what the desk must find, and what it must let
// pass.
#include "stage/register_workload.hpp"
#include "stage/world.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <utility>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

enum class habit {
  none,
  swaps_answers,
  answers_by_itself,
  refuses_what_was_answered,
  drops_an_answer,
  answers_twice,
  submits_something_else,
  submits_twice,
  submits_a_command_as_a_query,
  submits_backwards,
  submits_what_it_refused
};

/// Hands each operation to the peer as it comes; bad habits break out at every twentieth.
class straight_gate final : public client_gate {
public:
  straight_gate(gate_parts parts, habit bad) : runtime_{parts.runtime}, watch_{parts.watch}, bad_{bad} {}

  void open(peer_id node, const peer_actor& peer) override {
    auto& at = doors_[node];
    at.peer = peer;
    at.ears = runtime_.system().spawn(
        +[](client_actor::pointer, straight_gate* gate) -> client_actor::behavior_type {
          return {[](const submission_accepted&) {}, [gate](const submission_answered& m) { gate->hear(m); },
                  [gate](const submission_refused& m) { gate->hear(m); }};
        },
        this);
    runtime_.adopt(caf::actor_cast<caf::strong_actor_ptr>(at.ears), node);
  }

  void close(peer_id node) override {
    runtime_.kill(caf::actor_cast<caf::strong_actor_ptr>(doors_.at(node).ears));
    doors_.erase(node);
  }

  std::uint64_t line(unsigned client, peer_id node) override { return client * 10 + node.value(); }

  void say(std::uint64_t line, std::vector<request> requests) override {
    if (bad_ == habit::submits_backwards)
      std::reverse(requests.begin(), requests.end());
    for (const auto& each : requests)
      submit(doors_.at(peer_id{line % 10}), each);
  }

private:
  struct door {
    peer_actor peer;
    client_actor ears;
  };

  [[nodiscard]] bool breaks_out(habit what) { return what == bad_ && ++occasions_ % 20 == 0; }

  void submit(const door& at, const request& asked) {
    if (breaks_out(habit::answers_by_itself))
      return watch_.answered(asked.id, "ok ");
    if (breaks_out(habit::submits_what_it_refused))
      watch_.refused(asked.id, refusal::busy);
    pass_on(at, asked);
    if (breaks_out(habit::submits_twice))
      pass_on(at, asked);
  }

  void pass_on(const door& at, const request& asked) {
    const auto as = breaks_out(habit::submits_a_command_as_a_query) ? operation::query : operation::command;
    const auto* more = breaks_out(habit::submits_something_else) ? "." : "";
    entry_block_builder block;
    block.add(entry_kind::command, watch_.leaves(asked.id, as, asked.content + more));
    asked_[++lots_] = asked.id;
    runtime_.tell(at.peer, troupe::submit{at.ears, lots_, as, block.take()});
  }

  void hear(const submission_answered& m) {
    const auto id = asked_.extract(m.number).mapped();
    std::string words{watch_.comes_back(id, m.answers->at(0))};
    if (breaks_out(habit::refuses_what_was_answered))
      return watch_.refused(id, refusal::no_leader);
    if (breaks_out(habit::drops_an_answer))
      return;
    if (breaks_out(habit::swaps_answers))
      words = said_before_;
    said_before_ = words;
    watch_.answered(id, words);
    if (breaks_out(habit::answers_twice))
      watch_.answered(id, words);
  }

  void hear(const submission_refused& m) { watch_.refused(asked_.extract(m.number).mapped(), m.why); }

  stage_runtime& runtime_;
  gate_watch& watch_;
  habit bad_;
  std::map<peer_id, door> doors_;
  std::map<std::uint64_t, operation_id> asked_; ///< By lot.
  std::uint64_t lots_ = 0;
  std::uint64_t occasions_ = 0;
  std::string said_before_;
};

/// What is broken when all clients of a calm cluster come through such a gate; empty if nothing is.
std::string broken_by(habit bad, std::uint64_t seed) {
  run_options run;
  run.world.knobs = plain_knobs(3);
  run.world.knobs.clients = run.world.knobs.gate_clients = 3;
  run.world.knobs.most_in_a_lot = 4;
  run.world.gate = [bad](gate_parts parts) { return std::make_unique<straight_gate>(std::move(parts), bad); };
  run.lasts = 10s;
  return play(seed, run, [](const stage_knobs&) { return make_register_workload(3, 0, 8); }).violation.value_or("");
}

} // namespace

SCENARIO("clients come through a gate that hands on what it is given") {
  over_seeds(5, [](std::uint64_t seed) {
    GIVEN("a calm cluster, and clients that say several things at once") {
      THEN("nothing is broken") {
        CHECK(broken_by(habit::none, seed) == "");
      }
    }
  });
}

SCENARIO("a gate lies to its clients or its peer, and is found out") {
  struct row {
    habit bad;
    const char* words;
  };
  for (const auto& [bad, words] :
       {row{habit::swaps_answers, "is answered differently than it was when it was applied first"},
        row{habit::answers_by_itself, "and its peer has not answered it"},
        row{habit::refuses_what_was_answered, "was answered by its peer, and its client is told: no leader"},
        row{habit::drops_an_answer, "and has no end"}, row{habit::answers_twice, "nobody has asked for it"},
        row{habit::submits_something_else, "is submitted as something else than its client has asked for"},
        row{habit::submits_twice, "is submitted twice"},
        row{habit::submits_a_command_as_a_query, "is a command and is submitted as a query"},
        row{habit::submits_backwards, "which the same client had asked later"},
        row{habit::submits_what_it_refused, "is submitted, and its client was told that nothing was done"}}) {
    const auto found = broken_by(bad, 1);
    INFO(found);
    CHECK(found.find(words) != std::string::npos);
  }
}
