// The judge of answers: what it must find, told to it in small histories. And what it must let pass.
#include "stage/operation_ledger.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace troupe;

namespace {

struct bad_habits {
  bool answers_by_itself = false; ///< Something that no other replica says.
  bool drifts = false;            ///< The state is another than it should be, and the answer is not.
  bool forgets_on_load = false;
};

/// Counts what it is told to add, and can be made to go wrong.
class counter final : public state_machine {
public:
  explicit counter(bad_habits habits) : habits_{habits} {}

  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    for (const auto& each : commands) {
      value_ += std::stoll(std::string{each.content});
      answers.add(habits_.answers_by_itself ? "I think so" : "counted");
    }
    return commands.size();
  }
  void query(std::string_view, answer_list& answers) override { answers.add(std::to_string(value_)); }
  std::unique_ptr<state_view> save() override { return view_of(std::to_string(value_)); }
  void load(chunk_source& chunks) override {
    const auto saved = read_all(chunks);
    value_ = habits_.forgets_on_load ? 0 : std::stoll(saved);
  }
  std::optional<std::uint64_t> state_hash() const override {
    return static_cast<std::uint64_t>(value_) + (habits_.drifts ? 1 : 0);
  }

private:
  bad_habits habits_;
  long long value_ = 0;
};

constexpr peer_id one{1}, two{2};

/// Clients, nodes and their judge.
class court {
public:
  struct asked {
    operation_id id;
    std::string content; ///< As it is submitted.
  };

  asked asks(operation what, const std::string& content) {
    auto [id, submitted] = ledger.asks(what, content, instant{});
    return {id, std::move(submitted)};
  }
  asked adds(int n) { return asks(operation::command, std::to_string(n)); }

  std::shared_ptr<state_machine> machine(peer_id node, bad_habits habits = {}) {
    return watch(std::make_shared<counter>(habits), ledger, node);
  }

  /// A node applies a command as the next of its log; returns the answer.
  std::string apply(state_machine& node, const asked& what, std::uint64_t index) {
    const command applied{log_index{index}, term_number{1}, 0, 0, what.content};
    answer_list answers;
    CHECK(node.apply({&applied, 1}, answers) == 1);
    return std::string{answers.at(0)};
  }
  std::string query(state_machine& node, const asked& what) {
    answer_list answers;
    node.query(what.content, answers);
    return std::string{answers.at(0)};
  }
  void hears(const asked& what, const std::string& answer) { ledger.is_answered(what.id, answer, instant{}); }

  /// What is broken; empty if nothing is.
  [[nodiscard]] std::string broken() const {
    try {
      judge.demand();
    } catch (const story_failed& failure) {
      return failure.what();
    }
    return "";
  }
  [[nodiscard]] bool finds(const std::string& words) const {
    INFO("broken: " << broken());
    return broken().find(words) != std::string::npos;
  }

  verdict judge;
  operation_ledger ledger{judge};
};

} // namespace

TEST_CASE("The ledger has nothing against a history as it should be, with a restart, a snapshot and lost answers") {
  court here;
  auto first = here.machine(one);
  auto second = here.machine(two);
  const auto a = here.adds(1), b = here.adds(2), never_answered = here.adds(3), in_vain = here.adds(4);
  const auto heard = here.apply(*first, a, 1);
  here.hears(a, heard);
  here.ledger.is_refused(in_vain.id, refusal::no_leader, instant{});
  here.hears(b, here.apply(*first, b, 3)); // Index 2 is no command.
  const auto question = here.asks(operation::query, "");
  CHECK(here.query(*first, question).substr(8) == "3");
  here.hears(question, here.query(*first, question));
  here.ledger.is_refused(never_answered.id, refusal::uncertain, instant{});
  (void)here.apply(*first, never_answered, 4);
  // Another node loads what the first saved, and applies what comes behind; then it starts anew from the log.
  auto saved = first->save();
  second->load(*saved);
  const auto c = here.adds(5);
  (void)here.apply(*second, c, 5);
  here.hears(c, here.apply(*first, c, 5));
  auto reborn = here.machine(two);
  (void)here.apply(*reborn, a, 1);
  (void)here.apply(*reborn, b, 3);
  CHECK(here.broken() == "");
  CHECK(here.ledger.tally().asked == 6);
  CHECK(here.ledger.tally().answered == 4);
  CHECK(here.ledger.tally().refused == 1);
  CHECK(here.ledger.tally().uncertain == 1);
  CHECK(here.ledger.applied() == 4);
}

TEST_CASE("The ledger judges a query that goes through the log by its place, and lets it be applied after a refusal") {
  court here;
  auto node = here.machine(one);
  const auto a = here.adds(1), b = here.asks(operation::query, "0"), lost = here.asks(operation::query, "0");
  here.hears(a, here.apply(*node, a, 1));
  here.ledger.goes_by_log(b.id);
  here.ledger.goes_by_log(lost.id);
  here.ledger.is_refused(lost.id, refusal::uncertain, instant{});
  (void)here.apply(*node, lost, 2);
  const auto heard = here.apply(*node, b, 3);
  CHECK(here.broken() == "");
  here.hears(b, here.query(*node, a)); // As if it had not gone there.
  CHECK(heard != here.query(*node, a));
  CHECK(here.finds("is answered differently than it was when it was applied first"));
}

TEST_CASE("The ledger finds a stale read: an answer from behind a command had come before it was asked") {
  court here;
  auto fresh = here.machine(one);
  auto stale = here.machine(two);
  const auto a = here.adds(1);
  const auto answer = here.apply(*fresh, a, 1);
  const auto early = here.asks(operation::query, "");
  here.hears(a, answer);
  here.hears(early, here.query(*stale, early)); // Asked before the answer came: it may be seen so.
  CHECK(here.broken() == "");
  const auto late = here.asks(operation::query, "");
  here.hears(late, here.query(*stale, late));
  CHECK(here.finds("query 3 is stale: it sees the first 0 commands"));
  // Both sides of it are told.
  const auto& known = here.judge.details();
  REQUIRE(known.size() == 2);
  CHECK(known[0].starts_with("query 3: asked at "));
  CHECK(known[0].ends_with("from the empty state"));
  CHECK(known[1].starts_with("command 1: asked at "));
  CHECK(known[1].find("applied first at place 1 of the history, index 1 of term ") != std::string::npos);
}

TEST_CASE("The ledger finds a read that goes back behind another read") {
  court here;
  auto fresh = here.machine(one);
  auto stale = here.machine(two);
  (void)here.apply(*fresh, here.adds(1), 1); // Nobody was told of it but by the first query.
  const auto first = here.asks(operation::query, "");
  here.hears(first, here.query(*fresh, first));
  const auto second = here.asks(operation::query, "");
  here.hears(second, here.query(*stale, second));
  CHECK(here.finds("query 3 is stale"));
}

TEST_CASE("The ledger finds a command that takes effect before something its client had seen") {
  court here;
  auto node = here.machine(one);
  const auto a = here.adds(1);
  const auto early = here.apply(*node, a, 1);
  const auto b = here.adds(2);
  here.hears(b, here.apply(*node, b, 2));
  here.hears(a, early); // Late, but asked before: fine.
  CHECK(here.broken() == "");
  const auto c = here.adds(3);
  here.hears(c, early);
  CHECK(here.finds("command 3 is answered with the answer to another"));
}

TEST_CASE("The ledger finds a command that is applied twice") {
  court here;
  auto node = here.machine(one);
  const auto a = here.adds(1);
  (void)here.apply(*node, a, 1);
  (void)here.apply(*node, a, 2);
  CHECK(here.finds("command 1 is applied twice: as number 1 of the history and 2"));
}

TEST_CASE("The ledger finds a command that is applied though its client was told that it certainly is not") {
  for (const bool refused_first : {true, false}) {
    court here;
    auto node = here.machine(one);
    const auto a = here.adds(1);
    if (refused_first)
      here.ledger.is_refused(a.id, refusal::busy, instant{});
    (void)here.apply(*node, a, 1);
    if (!refused_first)
      here.ledger.is_refused(a.id, refusal::busy, instant{});
    CHECK(here.finds("certainly"));
  }
}

TEST_CASE("The ledger finds nodes that answer differently") {
  court here;
  auto honest = here.machine(one);
  auto other = here.machine(two, {.answers_by_itself = true});
  const auto a = here.adds(1);
  (void)here.apply(*honest, a, 1);
  (void)here.apply(*other, a, 1);
  CHECK(here.finds("node 2 answers command 1 (index 1) differently than another node: the state machine is not "
                   "deterministic"));
}

TEST_CASE("The ledger finds nodes that come to different states and answer the same") {
  court here;
  auto honest = here.machine(one);
  auto other = here.machine(two, {.drifts = true});
  const auto a = here.adds(1);
  (void)here.apply(*honest, a, 1);
  (void)here.apply(*other, a, 1);
  CHECK(here.finds("node 2 has another state behind command 1"));
}

TEST_CASE(
    "The ledger finds a state that differs when it was saved and loaded, at a start and when it was built aside") {
  for (const bool aside : {false, true}) {
    court here;
    auto honest = here.machine(one);
    (void)here.apply(*honest, here.adds(7), 1);
    auto forgetful = here.machine(two, {.forgets_on_load = true});
    auto saved = honest->save();
    if (aside)
      forgetful->build(*saved)->take_place();
    else
      forgetful->load(*saved);
    CHECK(here.finds("node 2 loads a state behind command 1 that differs from the one there was"));
  }
}

TEST_CASE("The ledger finds nodes that apply in another order, and one that leaves something out") {
  court here;
  auto first = here.machine(one);
  auto second = here.machine(two);
  const auto a = here.adds(1), b = here.adds(2);
  (void)here.apply(*first, a, 1);
  (void)here.apply(*first, b, 2);
  SUBCASE("another order") {
    (void)here.apply(*second, b, 1);
    CHECK(here.finds("node 2 applies command 2 of index 1 as number 1 of its history, and another applied command 1"));
  }
  SUBCASE("one left out") {
    (void)here.apply(*second, b, 2);
    CHECK(here.finds("node 2 applies command 2 of index 2 as number 1 of its history"));
  }
  SUBCASE("the same command, committed at another place") {
    (void)here.apply(*second, a, 3);
    CHECK(here.finds("node 2 applies command 1 of index 3"));
  }
}

TEST_CASE("The ledger finds a command that nobody asked for") {
  court here;
  auto node = here.machine(one);
  SUBCASE("one that no client made") {
    (void)here.apply(*node, {operation_id{1}, std::string(8, '\0') + "5"}, 1);
    CHECK(here.finds("a command is applied at index 1 that nobody has asked for"));
  }
  SUBCASE("a query that went through the log") {
    (void)here.apply(*node, here.asks(operation::query, "5"), 1);
    CHECK(here.finds("nobody has asked for"));
  }
}

TEST_CASE("The ledger finds an operation that ends twice, and one that is given the answer to another") {
  court here;
  auto node = here.machine(one);
  const auto a = here.adds(1), b = here.adds(2);
  const auto answer = here.apply(*node, a, 1);
  SUBCASE("two answers") {
    here.hears(a, answer);
    here.hears(a, answer);
    CHECK(here.finds("command 1 ends twice"));
  }
  SUBCASE("an answer and a refusal") {
    here.hears(a, answer);
    here.ledger.is_refused(a.id, refusal::uncertain, instant{});
    CHECK(here.finds("command 1 ends twice"));
  }
  SUBCASE("somebody else's answer") {
    (void)here.apply(*node, b, 2);
    here.hears(b, answer);
    CHECK(here.finds("command 2 is answered with the answer to another"));
  }
  SUBCASE("an answer before anybody has applied it") {
    here.hears(b, answer);
    CHECK(here.finds("command 2 is answered with the answer to another"));
  }
  SUBCASE("an answer that is not what was answered") {
    here.hears(a, answer + "!");
    CHECK(here.finds("command 1 is answered differently"));
  }
  SUBCASE("words without a place") {
    here.hears(a, "ok");
    CHECK(here.finds("is answered with what no state machine says"));
  }
}

TEST_CASE("The ledger names the operation that has waited longest, and none that has ended in any way") {
  court here;
  using namespace std::chrono_literals;
  const auto a = here.adds(1), b = here.adds(2), c = here.adds(3);
  CHECK_FALSE(here.ledger.overdue(instant{} + 5s, 5s));
  CHECK(here.ledger.overdue(instant{} + 6s, 5s)->find("command 1 has waited 6000 ms") != std::string::npos);
  here.ledger.is_refused(a.id, refusal::uncertain, instant{});
  here.ledger.is_cut_off(b.id);
  CHECK(here.ledger.overdue(instant{} + 6s, 5s)->find("command 3") != std::string::npos);
  auto node = here.machine(one);
  here.hears(c, here.apply(*node, c, 1));
  CHECK_FALSE(here.ledger.overdue(instant{} + 6s, 5s));
  CHECK(here.broken() == "");
}
