// I15: what clients are answered is what the committed log says, and recent enough. Both checkers judge each story: the
// oracle, which sees the log, and the search, which sees what clients saw.
#include "tests/minds/told_history.hpp"

using namespace troupe;
using namespace troupe::test;

#define BOTH_ACCEPT(h)                                                                                                 \
  CHECK((h).broken() == "");                                                                                           \
  CHECK((h).found() == linearizable::yes)

#define BOTH_REJECT(h)                                                                                                 \
  CHECK((h).broken() != "");                                                                                           \
  CHECK((h).found() == linearizable::no)

// -- histories as they should be -------------------------------------------------------------------------------------

SCENARIO("I15 one client after another is answered as by one copy") {
  told_history h;
  h.read(nil);
  h.write(set("a"), ok);
  h.read(value("a"));
  h.write(set_nx("b"), number_of(0));
  h.write(append("c"), number_of(2));
  h.read(value("ac"));
  h.write(del(), number_of(1));
  h.write(del(), number_of(0));
  h.write(add(5), number_of(5));
  h.read(value("5"));
  BOTH_ACCEPT(h);
}

SCENARIO("I15 a read that is concurrent with a write may see it or not") {
  for (const auto& told : {nil, value("a")}) {
    told_history h;
    const auto write = h.ask(set("a"));
    const auto read = h.ask(get());
    h.commit(write);
    h.answer_with(read, told);
    h.answer_with(write, ok);
    BOTH_ACCEPT(h);
  }
}

SCENARIO("I15 a write that nobody has heard of yet may be seen by one and not by another who asked earlier") {
  told_history h;
  const auto write = h.ask(set("a"));
  const auto early = h.ask(get());
  h.commit(write);
  h.read(value("a"));
  h.answer_with(early, nil);
  h.answer_with(write, ok);
  BOTH_ACCEPT(h);
}

SCENARIO("C2 a write with an unknown outcome takes effect late") {
  told_history h;
  h.write(set("a"), ok);
  const auto late = h.ask(set("b"));
  h.lose(late);
  h.read(value("a"));
  h.read(value("a"));
  h.commit(late);
  h.read(value("b"));
  BOTH_ACCEPT(h);
}

SCENARIO("C2 a write with an unknown outcome never takes effect") {
  told_history h;
  h.write(set("a"), ok);
  h.lose(h.ask(set("b")));
  h.read(value("a"));
  h.write(set("c"), ok);
  h.read(value("c"));
  BOTH_ACCEPT(h);
}

SCENARIO("C2 a refused write leaves no trace") {
  told_history h;
  h.refuse(h.ask(set("a")));
  h.read(nil);
  BOTH_ACCEPT(h);
}

SCENARIO("I15 every replica tells of every entry, and tells again after a restart") {
  told_history h;
  const auto first = h.write(set("a"), ok);
  const auto second = h.write(set("b"), ok);
  h.commit_at(first, 1);
  h.commit_at(second, 2);
  h.commit_at(first, 1);
  h.read(value("b"));
  BOTH_ACCEPT(h);
}

SCENARIO("I15 values that come again are no reason for an alarm") {
  told_history h;
  h.write(set("a"), ok);
  const auto away = h.ask(del());
  h.commit(away);
  const auto back = h.ask(set("a"));
  h.commit(back);
  h.read(value("a")); // The first or the second? What follows tells.
  h.read(nil);
  h.read(value("a"));
  h.answer_with(away, number_of(1));
  h.answer_with(back, ok);
  BOTH_ACCEPT(h);
  h.read(nil);
  BOTH_REJECT(h);
}

SCENARIO("I15 keys have nothing to do with each other") {
  told_history h;
  const auto slow = h.ask(get(), "y");
  h.write(set("a"), ok, "x");
  h.write(set("b"), ok, "y");
  h.answer_with(slow, nil);
  h.read(value("a"), "x");
  h.read(value("b"), "y");
  CHECK(h.broken() == "");
  CHECK(h.found("x") == linearizable::yes);
  CHECK(h.found("y") == linearizable::yes);
  CHECK(h.seen().keys() == std::vector<std::string>{"x", "y"});
}

// -- stale reads -----------------------------------------------------------------------------------------------------

SCENARIO("Q1 a deposed leader answers with what was true before the last write was answered") {
  told_history h;
  h.write(set("a"), ok);
  h.write(set("b"), ok);
  h.read(value("a"));
  BOTH_REJECT(h);
  THEN("the words name the read, whose value it got and which write it missed") {
    CHECK(tells_of(h.broken(),
                   {"operation 3 (get of x, invoked at 7) is answered \"a\" at 8", "stale", "operation 1 (set \"a\"",
                    "index 1", "operation 2 (set \"b\"", "index 2"}));
  }
}

SCENARIO("Q1 a read goes back behind what another client has read, although the write is not answered yet") {
  told_history h;
  h.write(set("a"), ok);
  const auto write = h.ask(set("b"));
  h.commit(write);
  h.read(value("b"));
  h.read(value("a"));
  h.answer_with(write, ok);
  BOTH_REJECT(h);
  CHECK(tells_of(h.broken(), {"operation 4", "stale", "operation 1", "operation 3 (get", "answered from operation 2"}));
}

SCENARIO("Q1 a read goes back to the time before anything was written") {
  told_history h;
  h.write(set("a"), ok);
  h.read(nil);
  BOTH_REJECT(h);
  CHECK(tells_of(h.broken(), {"operation 2", "stale", "the beginning", "operation 1"}));
}

SCENARIO("I15 a client does not see its own write") {
  told_history h;
  h.write(set("a"), ok, "x");
  h.write(set("b"), ok, "y");
  h.read(nil, "y");
  CHECK(h.broken() != "");
  CHECK(h.found("x") == linearizable::yes);
  CHECK(h.found("y") == linearizable::no);
}

SCENARIO("I15 a read that began before a write was answered is held to what was known when it began, no more") {
  told_history h;
  h.write(set("a"), ok);
  const auto early = h.ask(get());
  h.write(set("b"), ok);
  const auto late = h.ask(get());
  h.answer_with(early, value("a"));
  CHECK(h.broken() == "");
  h.answer_with(late, value("a"));
  BOTH_REJECT(h);
}

// -- what was not, or is not yet -------------------------------------------------------------------------------------

SCENARIO("I15 a read returns a value from the future") {
  told_history h;
  h.read(value("a"));
  h.write(set("a"), ok);
  BOTH_REJECT(h);
  CHECK(tells_of(h.broken(), {"operation 1", "nobody has asked for one"}));
}

SCENARIO("Q7 a read returns a write that is not committed, and may never be") {
  told_history h;
  const auto write = h.ask(set("a"));
  h.read(value("a"));
  CHECK(tells_of(h.broken(), {"operation 2", "that is what operation 1 (set \"a\"", "not committed"}));
  THEN("who sees only clients cannot tell, until it comes out") {
    CHECK(h.found() == linearizable::yes);
    h.lose(write);
    h.read(nil);
    CHECK(h.found() == linearizable::no);
  }
}

SCENARIO("Q7 a read returns a write that was refused") {
  told_history h;
  const auto write = h.ask(set("a"));
  h.refuse(write);
  h.read(value("a"));
  BOTH_REJECT(h);
  CHECK(tells_of(h.broken(), {"operation 2", "operation 1", "was refused"}));
}

SCENARIO("I15 a write is answered before it is committed") {
  told_history h;
  const auto write = h.ask(set("a"));
  h.answer_with(write, ok);
  CHECK(tells_of(h.broken(), {"operation 1", "is not committed"}));
}

SCENARIO("I15 a client's writes change places: the first is answered, and takes effect after the second") {
  told_history h;
  const auto first = h.ask(set("a"));
  h.answer_with(first, ok);
  h.write(set("b"), ok);
  h.commit(first);
  h.read(value("a"));
  BOTH_REJECT(h);
  CHECK(tells_of(h.broken(), {"operation 1", "is not committed"}));
}

// -- effects ---------------------------------------------------------------------------------------------------------

SCENARIO("I15 an update is lost: two clients count, and both count to one") {
  told_history h;
  const auto one = h.ask(add(1));
  const auto other = h.ask(add(1));
  h.commit(one);
  h.commit(other);
  h.answer_with(one, number_of(1));
  CHECK(h.broken() == "");
  h.answer_with(other, number_of(1));
  BOTH_REJECT(h);
  CHECK(tells_of(h.broken(), {"operation 2 (add 1 of x", "is answered 1", "behind operation 1", "the answer is 2"}));
}

SCENARIO("I15 two clients take the same lock") {
  told_history h;
  const auto one = h.ask(set_nx("one"));
  const auto other = h.ask(set_nx("other"));
  h.commit(one);
  h.commit(other);
  h.answer_with(other, number_of(1));
  h.answer_with(one, number_of(1));
  BOTH_REJECT(h);
}

SCENARIO("C1 a retried command is carried out twice") {
  told_history h;
  const auto twice = h.ask(add(1));
  h.commit(twice);
  h.commit(twice);
  CHECK(tells_of(h.broken(), {"operation 1", "twice", "index 1", "index 2"}));
  THEN("clients see it later") {
    h.answer_with(twice, number_of(1));
    h.read(value("2"));
    CHECK(h.found() == linearizable::no);
  }
}

SCENARIO("C2 a refused write takes effect") {
  told_history h;
  const auto write = h.ask(set("a"));
  WHEN("after it was refused") {
    h.refuse(write);
    h.commit(write);
  }
  WHEN("before") {
    h.commit(write);
    h.refuse(write);
  }
  h.read(value("a"));
  BOTH_REJECT(h);
  CHECK(tells_of(h.broken(), {"operation 1", "refused"}));
}

SCENARIO("I15 something takes effect that nobody has asked for") {
  told_history h;
  h.ask(set("a"));
  WHEN("no client knows it") {
    h.oracle().committed(log_index{1}, operation_id{77}, "x", set("a"));
    CHECK(tells_of(h.broken(), {"operation 77", "index 1", "nobody has asked for"}));
  }
  WHEN("it is another value") {
    h.oracle().committed(log_index{1}, operation_id{1}, "x", set("b"));
    CHECK(tells_of(h.broken(), {"operation 1", "as set \"b\" of x"}));
  }
  WHEN("it is another key") {
    h.oracle().committed(log_index{1}, operation_id{1}, "y", set("a"));
    CHECK(tells_of(h.broken(), {"operation 1", "as set \"a\" of y"}));
  }
}

SCENARIO("I15 a key's writes take effect in the order of the log") {
  told_history h;
  const auto one = h.ask(set("a"));
  const auto other = h.ask(set("b"));
  h.commit_at(one, 5);
  WHEN("an entry is told of after a later one") {
    h.commit_at(other, 4);
  }
  WHEN("two have the same index") {
    h.commit_at(other, 5);
  }
  CHECK(tells_of(h.broken(), {"operation 2", "operation 1", "index 5"}));
}

// -- the course of an operation --------------------------------------------------------------------------------------

SCENARIO("L5 an operation ends once") {
  told_history h;
  const auto write = h.write(set("a"), ok);
  CHECK(h.broken() == "");
  WHEN("it is answered twice") {
    h.oracle().completed(write, ok, 9);
  }
  WHEN("it is refused after it was answered") {
    h.oracle().refused(write);
  }
  WHEN("it is lost after it was answered") {
    h.oracle().lost(write);
  }
  CHECK(tells_of(h.broken(), {"operation 1", "ends twice"}));
}

SCENARIO("L5 what ends was asked for, once") {
  told_history h;
  WHEN("it was not asked for") {
    h.oracle().completed(operation_id{5}, ok, 1);
  }
  WHEN("its number is used again") {
    h.ask(set("a"));
    h.oracle().invoked(operation_id{1}, "x", set("b"), 9);
  }
  CHECK(h.broken() != "");
}

SCENARIO("I15 only the first broken promise is told, and told once") {
  std::vector<std::string> heard;
  key_oracle oracle{[&](const std::string& what) { heard.push_back(what); }};
  oracle.invoked(operation_id{1}, "x", set("a"), 1);
  oracle.completed(operation_id{1}, ok, 2);
  oracle.completed(operation_id{2}, ok, 3);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0] == oracle.broken());
  CHECK(tells_of(heard[0], {"operation 1", "not committed"}));
}
