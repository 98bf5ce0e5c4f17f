#include "tests/app/front_of_house.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::resp;
using namespace std::string_literals;

namespace {

/// The code words of replies, in order: `+OK`, `-UNCERTAIN`.
words codes(std::string_view replies) {
  auto all = words{};
  while (!replies.empty()) {
    all.emplace_back(replies.substr(0, replies.find_first_of(" \r")));
    replies.remove_prefix(replies.find("\r\n") + 2);
  }
  return all;
}

} // namespace

SCENARIO("what several clients say in one turn goes to the peer as one lot, and each hears its own answers") {
  GIVEN("two clients, both of whom are heard before the turn ends") {
    auto house = front_of_house{};
    const auto ann = house.client_comes();
    const auto bob = house.client_comes();
    house.says(ann, "SET a 1\r\n");
    house.says(bob, "INCR b\r\n");
    house.says(ann, "APPEND a 23\r\n");
    CHECK_EQ(house.handed_in(), words{});
    house.turn_ends();
    CHECK_EQ(house.handed_in(), words{"command 3"});
    WHEN("the lot is answered") {
      house.answers(1);
      THEN("each hears what it has asked for, in order, and in one piece") {
        CHECK_EQ(house.connections.at(ann).pieces, 1);
        CHECK_EQ(house.hears(ann), "+OK\r\n:3\r\n");
        CHECK_EQ(house.hears(bob), ":1\r\n");
      }
    }
    WHEN("the lot is answered in parts") {
      house.answers(1, 0, 2);
      CHECK_EQ(house.hears(ann), "+OK\r\n");
      CHECK_EQ(house.hears(bob), ":1\r\n");
      house.answers(1, 2, 1);
      CHECK_EQ(house.hears(ann), ":3\r\n");
    }
  }
}

SCENARIO("while a lot is not accepted, what comes gathers behind it") {
  auto house = front_of_house{};
  const auto ann = house.client_comes();
  house.says(ann, "SET a 1\r\n");
  house.turn_ends();
  house.says(ann, "SET a 2\r\n");
  house.turn_ends();
  house.says(ann, "SET a 3\r\n");
  house.turn_ends();
  CHECK_EQ(house.handed_in(), words{"command 1"});
  WHEN("it is accepted") {
    house.accepts(1);
    THEN("the rest goes as one lot, without anybody's help") {
      CHECK_EQ(house.handed_in(), words{"command 1", "command 2"});
    }
  }
  WHEN("it is refused") {
    house.refuses(1, refusal::busy);
    THEN("its client hears that, and the rest goes") {
      CHECK_EQ(codes(house.hears(ann)), words{"-BUSY"});
      CHECK_EQ(house.handed_in(), words{"command 1", "command 2"});
    }
  }
}

SCENARIO("a client that takes its replies lets its own later reads go") {
  auto limits = reception_limits{};
  limits.each.output_pause_bytes = 20;
  auto house = front_of_house{limits};
  const auto ann = house.client_comes();
  GIVEN("a client that has been told more than it may leave untaken") {
    house.says(ann, "ECHO 0123456789012345678901\r\nINCR a\r\n");
    house.turn_ends();
    CHECK_EQ(house.handed_in(), words{});
    THEN("what it has asked behind that goes as soon as it has taken it") {
      CHECK_EQ(house.hears(ann), "$22\r\n0123456789012345678901\r\n");
      CHECK_EQ(house.handed_in(), words{"command 1"});
    }
  }
}

SCENARIO("a client hangs up in the middle") {
  GIVEN("operations of two clients under way in one lot") {
    auto house = front_of_house{};
    const auto ann = house.client_comes();
    const auto bob = house.client_comes();
    house.says(ann, "INCR n\r\n");
    house.says(bob, "INCR n\r\n");
    house.turn_ends();
    house.hangs_up(ann);
    CHECK_EQ(house.desk.size(), 1);
    THEN("the other hears its answer, and what it asked for was carried out behind what the first had asked for") {
      house.answers(1);
      CHECK_EQ(house.hears(bob), ":2\r\n");
      CHECK_EQ(house.connections.at(ann).wire, "");
    }
    THEN("the other hears a refusal") {
      house.refuses(1, refusal::no_leader);
      CHECK_EQ(codes(house.hears(bob)), words{"-CLUSTERDOWN"});
    }
  }
}

SCENARIO("a client ends its input and listens") {
  GIVEN("a client with a write under way that says no more") {
    auto house = front_of_house{};
    const auto ann = house.client_comes();
    house.says(ann, "SET a 1\r\n");
    house.turn_ends();
    house.ends_input(ann);
    CHECK(house.is_there(ann));
    CHECK_FALSE(house.connections.at(ann).is_read);
    WHEN("the write is answered") {
      house.answers(1);
      CHECK(house.is_there(ann)); // It has not taken the reply yet.
      CHECK_EQ(house.hears(ann), "+OK\r\n");
      THEN("its connection ends, and nothing is wrong") {
        CHECK_EQ(house.connections.at(ann).ended, "");
        CHECK_FALSE(house.is_there(ann));
      }
    }
  }
}

SCENARIO("a client says QUIT") {
  GIVEN("a client that says QUIT behind a write, and something behind that") {
    auto house = front_of_house{};
    const auto ann = house.client_comes();
    house.says(ann, "SET a 1\r\nQUIT\r\nSET a 2\r\n");
    house.turn_ends();
    CHECK_EQ(house.handed_in(), words{"command 1"});
    CHECK_FALSE(house.connections.at(ann).is_told_all);
    WHEN("the write is answered") {
      house.answers(1);
      THEN("the last word is said, and out once the client has taken it") {
        CHECK(house.connections.at(ann).is_told_all);
        CHECK_FALSE(house.connections.at(ann).is_shut);
        CHECK_EQ(house.hears(ann), "+OK\r\n+OK\r\n");
        CHECK(house.connections.at(ann).is_shut);
        AND_THEN("what it still says is dropped") {
          house.says(ann, "PING\r\n");
          CHECK_EQ(house.hears(ann), "");
        }
        AND_THEN("the connection ends with its input") {
          CHECK(house.is_there(ann));
          house.ends_input(ann);
          CHECK_EQ(house.connections.at(ann).ended, "");
          CHECK_FALSE(house.is_there(ann));
        }
      }
    }
  }
}

SCENARIO("the peer is lost") {
  auto house = front_of_house{};
  const auto ann = house.client_comes();
  const auto bob = house.client_comes();
  GIVEN("a write that the peer has, one that waits for it, and a question for its state") {
    house.says(ann, "SET a 1\r\n");
    house.turn_ends();
    house.says(ann, "SET a 2\r\nSET a 3\r\n");
    house.says(bob, "INFO\r\n");
    CHECK_EQ(house.questions, 1);
    CHECK_EQ(house.desk.open_lots(), 1);
    house.desk.lose_peer();
    THEN("the first is uncertain, and the others were certainly not carried out") {
      CHECK_EQ(codes(house.hears(ann)), words{"-UNCERTAIN", "-CLUSTERDOWN", "-CLUSTERDOWN"});
      CHECK_EQ(house.desk.open_lots(), 0);
    }
    THEN("whoever waits for the state hears that nobody tells it when its time is over") {
      house.desk.hear_no_status();
      CHECK_EQ(codes(house.hears(bob)), words{"-CLUSTERDOWN"});
    }
    THEN("an answer that comes late is nobody's") {
      house.answers(1);
      CHECK_EQ(codes(house.hears(ann)).size(), 3);
    }
  }
  GIVEN("no peer any more") {
    house.desk.lose_peer();
    THEN("whatever is asked is answered with an error, and nothing is handed in") {
      CHECK_EQ(codes(house.asks(ann, "SET a 1\r\nGET a\r\nSET a 2\r\nINFO\r\nPING\r\n")),
               words{"-CLUSTERDOWN", "-CLUSTERDOWN", "-CLUSTERDOWN", "-CLUSTERDOWN", "+PONG"});
      CHECK_EQ(house.handed_in(), words{});
      CHECK_EQ(house.questions, 0);
    }
  }
}

TEST_CASE("a client that may not be told even that there is no peer is parted from, once") {
  auto limits = reception_limits{};
  limits.each.output_bytes = 10;
  auto house = front_of_house{limits};
  const auto ann = house.client_comes();
  house.desk.lose_peer();
  house.says(ann, "INFO\r\n");
  CHECK_EQ(house.connections.at(ann).ended, "it does not take its replies");
  CHECK_FALSE(house.is_there(ann));
}

SCENARIO("the peer's state is asked for once, whoever wants to know") {
  GIVEN("a question under way for one client, and two more who have asked meanwhile") {
    auto house = front_of_house{};
    const auto ann = house.client_comes();
    const auto bob = house.client_comes();
    const auto eve = house.client_comes();
    house.says(ann, "INFO cluster\r\n");
    house.says(bob, "INFO cluster\r\n");
    house.says(eve, "INFO cluster\r\n");
    CHECK_EQ(house.questions, 1);
    WHEN("the state is told") {
      house.desk.hear_status({});
      THEN("the first hears it, and it is asked for anew: the others asked later than this state was") {
        CHECK(house.hears(ann).starts_with("$"));
        CHECK_EQ(house.hears(bob), "");
        CHECK_EQ(house.questions, 2);
        house.desk.hear_status({});
        CHECK(house.hears(bob).starts_with("$"));
        CHECK(house.hears(eve).starts_with("$"));
        CHECK_EQ(house.questions, 2);
      }
    }
    WHEN("it is not told in time") {
      house.desk.hear_no_status();
      THEN("the first hears that, and for the others, who asked later, the question is put again") {
        CHECK_EQ(codes(house.hears(ann)), words{"-CLUSTERDOWN"});
        CHECK_EQ(house.questions, 2);
        CHECK_EQ(house.hears(bob), "");
        house.desk.hear_no_status();
        CHECK_EQ(codes(house.hears(bob)), words{"-CLUSTERDOWN"});
        CHECK_EQ(codes(house.hears(eve)), words{"-CLUSTERDOWN"});
        CHECK_EQ(house.questions, 2);
        house.says(ann, "INFO cluster\r\n");
        CHECK_EQ(house.questions, 3);
        house.desk.hear_status({});
        CHECK(house.hears(ann).starts_with("$"));
      }
    }
  }
}

TEST_CASE("an answer that waits for the peer's state keeps its place between others") {
  auto house = front_of_house{};
  const auto ann = house.client_comes();
  house.says(ann, "SET a 1\r\nTROUPE STATUS\r\nPING\r\n");
  house.turn_ends();
  house.desk.hear_no_status();
  CHECK_EQ(house.hears(ann), "");
  house.answers(1);
  CHECK_EQ(codes(house.hears(ann)), words{"+OK", "-CLUSTERDOWN", "+PONG"});
}

SCENARIO("clients hold more input together than they may") {
  auto limits = reception_limits{};
  limits.together.input_bytes = 1000;
  auto house = front_of_house{limits};
  const auto ann = house.client_comes();
  const auto bob = house.client_comes();
  GIVEN("one that holds much, and one that holds little") {
    house.says(ann, "*2\r\n$4\r\nECHO\r\n$900\r\n" + std::string(600, 'x'));
    house.says(bob, "*2\r\n$4\r\nECHO\r\n$900\r\n" + std::string(100, 'x'));
    CHECK_FALSE(house.connections.at(ann).is_told_all);
    WHEN("the little one says the byte too many") {
      house.says(bob, std::string(300, 'x'));
      THEN("the one that holds most hears that it is BUSY and is dismissed, and the other goes on") {
        CHECK_EQ(codes(house.hears(ann)), words{"-BUSY"});
        CHECK(house.connections.at(ann).is_told_all);
        CHECK_FALSE(house.connections.at(bob).is_told_all);
        house.says(bob, std::string(500, 'x') + "\r\n");
        CHECK_EQ(codes(house.hears(bob)).front(), "$900");
      }
    }
  }
}

SCENARIO("clients do not take their replies") {
  const auto echo = "ECHO " + std::string(50, 'x') + "\r\n";
  GIVEN("a bound for each") {
    auto limits = reception_limits{};
    limits.each.output_bytes = 100;
    auto house = front_of_house{limits};
    const auto ann = house.client_comes();
    house.says(ann, echo);
    CHECK(house.is_there(ann));
    house.says(ann, echo);
    CHECK_EQ(house.connections.at(ann).ended, "it does not take its replies");
  }
  GIVEN("a bound for all together") {
    auto limits = reception_limits{};
    limits.together.output_bytes = 190;
    auto house = front_of_house{limits};
    const auto ann = house.client_comes();
    const auto bob = house.client_comes();
    house.says(bob, echo + echo);
    house.says(ann, echo);
    CHECK(house.is_there(bob));
    house.says(ann, "ECHO " + std::string(20, 'x') + "\r\n");
    THEN("whoever has most of them goes, and there is room again") {
      CHECK_EQ(house.connections.at(bob).ended, "replies of all clients exceed their bound");
      CHECK(house.is_there(ann));
      house.says(ann, echo);
      CHECK(house.is_there(ann));
    }
  }
  GIVEN("a client that is far ahead of its answers") {
    auto limits = reception_limits{};
    limits.each.pipeline = 1;
    auto house = front_of_house{limits};
    const auto ann = house.client_comes();
    house.says(ann, "INCR a\r\n");
    house.turn_ends();
    house.says(ann, "INCR a\r\n" + std::string(std::size_t{64} << 10, '\n'));
    THEN("its bytes are wanted again when it has caught up") {
      CHECK_FALSE(house.connections.at(ann).is_read);
      house.answers(1);
      CHECK_FALSE(house.connections.at(ann).is_read);
      house.answers(2);
      CHECK(house.connections.at(ann).is_read);
    }
  }
}

TEST_CASE("CLIENT LIST shows who is there, in the order of their coming") {
  auto house = front_of_house{};
  const auto ann = house.client_comes();
  const auto bob = house.client_comes();
  const auto eve = house.client_comes();
  house.hangs_up(bob);
  const auto list = house.asks(eve, "CLIENT LIST\r\n");
  const auto first = list.find("id=" + std::to_string(ann));
  const auto second = list.find("id=" + std::to_string(eve));
  CHECK_LT(first, second);
  CHECK_NE(second, std::string::npos);
  CHECK_EQ(list.find("id=" + std::to_string(bob)), std::string::npos);
}
