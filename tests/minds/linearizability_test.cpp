// The search of Wing, Gong and Lowe.
#include "tests/minds/told_history.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

using call = client_call<register_operation>;

call took(event_ordinal invoked, event_ordinal returned, register_command command, answer told) {
  return {invoked, returned, {std::move(command), std::move(told)}};
}

call open_since(event_ordinal invoked, register_command command) {
  return {invoked, never, {std::move(command), std::nullopt}};
}

linearization search(const std::vector<call>& history, std::uint64_t max_steps = 1'000'000) {
  return linearize<register_model>(history, {}, max_steps);
}

/// A lock, to see that the search knows nothing of registers.
struct lock_model {
  using state = bool;
  enum class operation { acquired, released };
  [[nodiscard]] state initial() const { return false; }
  [[nodiscard]] std::optional<state> step(state is_held, operation what) const {
    if (is_held == (what == operation::acquired))
      return std::nullopt;
    return !is_held;
  }
  [[nodiscard]] bool only_looks(operation) const { return false; }
  [[nodiscard]] std::string words(state is_held) const { return is_held ? "held" : "free"; }
  [[nodiscard]] std::string words(operation what) const {
    return what == operation::acquired ? "acquired" : "released";
  }
};

} // namespace

TEST_CASE("a history of nothing is linearizable") {
  CHECK(search({}).verdict == linearizable::yes);
  CHECK(search({open_since(1, set("a"))}).verdict == linearizable::yes);
}

TEST_CASE("the order that is found is one that an object could have answered in") {
  const auto found = search({took(1, 6, set("a"), ok), took(2, 7, set("b"), ok), took(3, 4, get(), value("b")),
                             took(8, 9, get(), value("a"))});
  REQUIRE(found.verdict == linearizable::yes);
  CHECK(found.order == std::vector<std::size_t>{1, 2, 0, 3});
  CHECK(found.explanation.empty());
}

TEST_CASE("a call that returns at the ordinal of another's invocation is concurrent with it") {
  CHECK(search({took(1, 2, get(), value("a")), took(2, 3, set("a"), ok)}).verdict == linearizable::yes);
  CHECK(search({took(1, 2, get(), value("a")), took(3, 4, set("a"), ok)}).verdict == linearizable::no);
  CHECK(search({took(1, 1, get(), value("a")), took(1, 1, set("a"), ok)}).verdict == linearizable::yes);
}

TEST_CASE("the order of calls in the history means nothing") {
  CHECK(search({took(5, 6, get(), value("b")), took(3, 4, set("b"), ok), took(1, 2, set("a"), ok)}).verdict
        == linearizable::yes);
  CHECK(search({took(5, 6, get(), value("a")), took(3, 4, set("b"), ok), took(1, 2, set("a"), ok)}).verdict
        == linearizable::no);
}

TEST_CASE("an open call may take effect late, early or never, but not before it was asked for") {
  const auto write = open_since(3, set("b"));
  const auto before = took(1, 2, set("a"), ok);
  CHECK(search({before, write, took(4, 5, get(), value("a")), took(6, 7, get(), value("b"))}).verdict
        == linearizable::yes);
  CHECK(search({before, write, took(4, 5, get(), value("b"))}).verdict == linearizable::yes);
  CHECK(search({before, write, took(4, 5, get(), value("a"))}).verdict == linearizable::yes);
  CHECK(search({before, write, took(4, 5, get(), value("b")), took(6, 7, get(), value("a"))}).verdict
        == linearizable::no);
  CHECK(search({open_since(3, set("b")), took(1, 2, get(), value("b"))}).verdict == linearizable::no);
}

TEST_CASE("an open call takes effect once at most") {
  CHECK(search({open_since(1, add(1)), took(2, 3, get(), value("1")), took(4, 5, get(), value("1"))}).verdict
        == linearizable::yes);
  CHECK(search({open_since(1, add(1)), took(2, 3, get(), value("2"))}).verdict == linearizable::no);
  CHECK(search({open_since(1, add(1)), open_since(1, add(1)), took(2, 3, get(), value("2"))}).verdict
        == linearizable::yes);
}

TEST_CASE("what cannot be placed is told, and behind what") {
  const auto found = search({took(1, 2, set("a"), ok), took(3, 4, set("b"), ok), took(5, 8, get(), value("a")),
                             took(6, 7, get(), value("c")), took(9, 10, get(), value("b"))});
  REQUIRE(found.verdict == linearizable::no);
  CHECK(found.order == std::vector<std::size_t>{0, 1});
  CHECK(found.misfits == std::vector<std::size_t>{2, 3});
  CHECK(found.explanation
        == "not linearizable: 2 of the 5 answered operations could be put in an order, from\n"
           "  [1, 2] set \"a\" -> ok\n"
           "  [3, 4] set \"b\" -> ok\n"
           "to \"b\", where none of these can be next:\n"
           "  [5, 8] get -> \"a\"\n"
           "  [6, 7] get -> \"c\"");
}

TEST_CASE("of all beginnings the longest is told, open calls and all, and only its end if it is long") {
  std::vector<call> history{open_since(1, set("lost"))};
  for (event_ordinal at = 2; at < 60; at += 2)
    history.push_back(took(at, at + 1, get(), at < 30 ? nil : value("lost")));
  history.push_back(took(60, 61, get(), nil));
  const auto found = search(history);
  REQUIRE(found.verdict == linearizable::no);
  CHECK(found.order.size() == 30);
  CHECK(found.misfits == std::vector<std::size_t>{30});
  CHECK(tells_of(found.explanation,
                 {"29 of the 30", "(18 operations)", "[58, 59] get -> \"lost\"", "[60, 61] get -> nil"}));
  CHECK_FALSE(tells_of(found.explanation, {"[1, never]"}));
}

TEST_CASE("the longest beginning need not be the first that was found") {
  const auto found = search({took(1, 10, set("a"), ok), took(2, 9, set("b"), ok), took(11, 12, get(), value("a")),
                             took(13, 14, get(), value("b"))});
  REQUIRE(found.verdict == linearizable::no);
  CHECK(found.order == std::vector<std::size_t>{1, 0, 2});
  CHECK(found.misfits == std::vector<std::size_t>{3});
}

TEST_CASE("the search ends when it has had its steps, and says so") {
  std::vector<call> history;
  for (int i = 0; i < 20; ++i)
    history.push_back(took(1, 100, set(std::to_string(i)), ok));
  history.push_back(took(101, 102, get(), value("nobody's")));
  const auto found = search(history, 1000);
  CHECK(found.verdict == linearizable::gave_up);
  CHECK(found.steps == 1000);
  CHECK(tells_of(found.explanation, {"gave up after 1000 steps", "of the 21 answered"}));
}

TEST_CASE("what is known of a set of calls and their state is not found out again") {
  // 10! orders, but 10 states for each of 1024 sets at most.
  std::vector<call> history;
  for (int i = 0; i < 10; ++i)
    history.push_back(took(1, 100, set(std::to_string(i)), ok));
  history.push_back(took(101, 102, get(), value("nobody's")));
  const auto found = search(history);
  CHECK(found.verdict == linearizable::no);
  CHECK(found.steps < 60'000);
  CHECK(found.order.size() == 10);
}

TEST_CASE("where a read fits it may stay: no other place is tried") {
  std::vector<call> history;
  for (int i = 0; i < 100; ++i)
    history.push_back(took(1, 100, get(), nil));
  history.push_back(took(101, 102, get(), value("nobody's")));
  const auto found = search(history);
  CHECK(found.verdict == linearizable::no);
  CHECK(found.steps < 300);
}

TEST_CASE("writes that were lost, and never or seldom took effect, do not lead the search astray") {
  std::vector<call> history;
  event_ordinal now = 0;
  for (int i = 0; i < 1000; ++i) {
    history.push_back(open_since(++now, set("lost " + std::to_string(i))));
    if (i % 10 == 0) {
      history.push_back(took(now + 1, now + 2, get(), value("lost " + std::to_string(i))));
      now += 2;
    }
    history.push_back(took(now + 1, now + 2, set(std::to_string(i)), ok));
    history.push_back(took(now + 3, now + 4, get(), value(std::to_string(i))));
    now += 4;
  }
  const auto found = search(history);
  CHECK(found.verdict == linearizable::yes);
  CHECK(found.steps < 2 * history.size());
}

TEST_CASE("an open call is placed where it makes a difference, and nowhere else") {
  // 2^40 sets of writes might have taken effect before each read, were it not that the next one would hide them.
  std::vector<call> history;
  for (event_ordinal i = 1; i <= 40; ++i)
    history.push_back(open_since(i, set(std::to_string(i))));
  history.push_back(took(101, 102, get(), value("7")));
  history.push_back(took(103, 104, get(), value("3")));
  history.push_back(took(105, 106, get(), value("7")));
  const auto found = search(history);
  CHECK(found.verdict == linearizable::no);
  CHECK(found.steps < 20'000);
  CHECK(found.order == std::vector<std::size_t>{6, 40, 2, 41});
}

TEST_CASE("the search knows other objects than registers") {
  using op = lock_model::operation;
  const auto found = [](const std::vector<client_call<op>>& history) { return linearize<lock_model>(history).verdict; };
  CHECK(found({{1, 2, op::acquired}, {3, 6, op::released}, {4, 5, op::acquired}}) == linearizable::yes);
  CHECK(found({{1, 2, op::acquired}, {3, 4, op::acquired}, {5, 6, op::released}}) == linearizable::no);
}
