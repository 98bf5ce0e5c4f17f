#include "tests/app/fake_node.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::resp;
using namespace std::string_literals;

TEST_CASE("lots are bounded: one is closed when it is full, a larger operation is a lot by itself") {
  auto node = fake_node{};
  node.gather.lot_bytes = 300;
  node.book = lot_book{node.gather};
  const auto client = node.connect();
  for (int i = 0; i < 5; ++i)
    node.tell(client, "SET k " + std::string(100, 'v') + "\r\n");
  node.tell(client, "SET k " + std::string(1000, 'v') + "\r\n");
  auto sizes = std::vector<std::uint32_t>{};
  for (;;) {
    node.submit();
    if (node.lots.empty())
      break;
    sizes.push_back(node.lots.begin()->second.block.count);
    node.answer(node.lots.begin()->first);
    node.lots.clear();
  }
  CHECK_EQ(sizes, std::vector<std::uint32_t>{2, 2, 1, 1});
  CHECK_EQ(node.hears(client), "+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n");
}

TEST_CASE("when too much waits to be submitted, clients are told at once that the node is busy") {
  auto node = fake_node{};
  node.gather.waiting_bytes = 1000;
  node.book = lot_book{node.gather};
  const auto client = node.connect();
  for (int i = 0; i < 3; ++i)
    node.tell(client, "SET k " + std::string(400, 'v') + "\r\n");
  node.settle();
  CHECK_EQ(node.hears(client).substr(0, 16), "+OK\r\n+OK\r\n-BUSY ");
  CHECK_EQ(node.ask(client, "SET k v\r\n"), "+OK\r\n");
}

SCENARIO("a client that is far ahead of its answers is not read from") {
  auto node = fake_node{};
  node.limits.pipeline = 3;
  const auto client = node.connect();
  auto& mind = node.clients.at(client)->mind;
  GIVEN("five commands where three may be unanswered") {
    for (int i = 0; i < 5; ++i)
      node.tell(client, "INCR n\r\n");
    node.submit();
    CHECK_EQ(node.book.open_lots(), 1);
    CHECK(mind.wants_input()); // A little is read ahead.
    WHEN("it sends much more") {
      node.tell(client, "SET k " + std::string(60000, 'v') + "\r\n");
      node.tell(client, "SET k " + std::string(60000, 'v') + "\r\n");
      THEN("it is left alone until it is answered, and then nothing is missing") {
        CHECK_FALSE(mind.wants_input());
        node.settle();
        CHECK(mind.wants_input());
        CHECK_EQ(node.hears(client), ":1\r\n:2\r\n:3\r\n:4\r\n:5\r\n+OK\r\n+OK\r\n");
      }
    }
  }
}

SCENARIO("a client that does not take its replies") {
  auto node = fake_node{};
  node.limits.output_pause_bytes = 1000;
  node.limits.output_bytes = 5000;
  const auto client = node.connect();
  auto& one = *node.clients.at(client);
  const auto shout = "ECHO " + std::string(600, 'x') + "\r\n";
  const auto reply = "$600\r\n" + std::string(600, 'x') + "\r\n";
  GIVEN("more replies than it should be owed") {
    for (int i = 0; i < 4; ++i)
      node.tell(client, shout);
    THEN("its later commands wait until it has taken the earlier replies") {
      CHECK_EQ(one.out.size(), 2 * reply.size());
      CHECK_FALSE(one.mind.is_stuck());
      CHECK_EQ(node.hears(client), reply + reply + reply + reply);
    }
  }
  GIVEN("one command whose reply is beyond all bounds") {
    node.ask(client, "SET k " + std::string(6000, 'x') + "\r\n");
    node.tell(client, "GET k\r\n");
    node.settle();
    THEN("it is given up") {
      CHECK(one.mind.is_stuck());
    }
  }
}

SCENARIO("replies that wait behind an earlier one take room, too") {
  auto node = fake_node{};
  node.limits.output_pause_bytes = 2000;
  const auto client = node.connect();
  auto& one = *node.clients.at(client);
  GIVEN("a write that is not answered yet") {
    node.tell(client, "SET k v\r\n");
    node.submit();
    WHEN("many commands follow whose replies are known at once") {
      const auto shout = "ECHO " + std::string(600, 'x') + "\r\n";
      const auto reply = "$600\r\n" + std::string(600, 'x') + "\r\n";
      for (int i = 0; i < 100; ++i)
        node.tell(client, shout);
      THEN("no more of them are carried out than the client may be owed, and in the end it has all, in order") {
        CHECK_EQ(one.out.size(), 0);
        CHECK_LE(one.mind.output_bytes(), 2000 + reply.size());
        node.answer(node.lots.begin()->first);
        auto heard = std::string{};
        for (int i = 0; i < 100; ++i)
          heard += node.hears(client);
        auto all = "+OK\r\n"s;
        for (int i = 0; i < 100; ++i)
          all += reply;
        CHECK(heard == all);
        CHECK_EQ(one.mind.output_bytes(), 0);
      }
    }
    WHEN("it asks for the node's status again and again with words of its own") {
      const auto question = "INFO " + std::string(600, 'x') + "\r\n";
      for (int i = 0; i < 100; ++i)
        node.tell(client, question);
      THEN("it is held up as well") {
        CHECK_LE(one.mind.output_bytes(), 3000);
        node.answer(node.lots.begin()->first);
        node.lots.clear();
        auto heard = std::string{};
        for (int i = 0; i < 100; ++i) {
          node.settle();
          heard += node.hears(client);
        }
        auto all = "+OK\r\n"s;
        for (int i = 0; i < 100; ++i)
          all += "$0\r\n\r\n";
        CHECK(heard == all);
        CHECK_EQ(one.mind.output_bytes(), 0);
      }
    }
  }
}

TEST_CASE("operations that a peer has and does not answer are bounded in bytes, and none of the room is lost") {
  auto node = fake_node{};
  node.gather.unanswered_bytes = 4000;
  node.book = lot_book{node.gather};
  auto heard_at_first = std::string{};
  for (int round = 0; round < 3; ++round) {
    const auto client = node.connect();
    for (int i = 0; i < 30; ++i) {
      node.tell(client,
                i % 2 == 0 ? "SET k " + std::string(100, 'v') + "\r\n" : "EXISTS " + std::string(99, 'k') + "\r\n");
      node.submit(); // The peer takes each of them, and is silent.
      for (const auto& [number, lot] : node.lots)
        node.book.accepted(number);
    }
    node.settle();
    const auto heard = node.hears(client);
    CHECK_NE(heard.find("-BUSY "), std::string::npos);
    CHECK_EQ(heard.substr(0, 5), "+OK\r\n");
    if (round == 0)
      heard_at_first = heard;
    CHECK_EQ(heard, heard_at_first);
    CHECK_FALSE(node.book.holds_any());
  }
}

SCENARIO("a client that asks for large values is given a few at a time") {
  auto node = fake_node{};
  const auto client = node.connect();
  const auto big = std::string(300000, 'x');
  const auto reply = "$300000\r\n" + big + "\r\n";
  node.ask(client, "SET k " + big.substr(0, 60000) + "\r\n");
  for (int i = 0; i < 4; ++i)
    node.ask(client, "APPEND k " + big.substr(0, 60000) + "\r\n");
  GIVEN("one such value seen, and fifty asked for at once") {
    node.ask(client, "GET k\r\n");
    auto requests = std::string{};
    auto replies = std::string{};
    for (int i = 0; i < 50; ++i) {
      requests += "GET k\r\n";
      replies += reply;
    }
    node.tell(client, requests);
    node.submit();
    THEN("no more are under way than the client may be owed; in the end it has all") {
      CHECK_EQ(under_way(node), words{"query 3"});
      auto heard = std::string{};
      for (int i = 0; i < 50; ++i) {
        node.settle();
        heard += node.hears(client);
      }
      CHECK(heard == replies);
    }
  }
  GIVEN("small values seen") {
    for (int i = 0; i < 40; ++i)
      node.ask(client, "GET none\r\n");
    THEN("hundreds go at once") {
      for (int i = 0; i < 500; ++i)
        node.tell(client, "GET none\r\n");
      node.submit();
      CHECK_EQ(under_way(node), words{"query 500"});
    }
  }
}

TEST_CASE("many clients that ask for large values are given them some at a time, and everyone's writes go on") {
  auto node = fake_node{};
  node.gather.lot_answer_bytes = 200000;
  node.gather.answer_bytes = 500000;
  node.book = lot_book{node.gather};
  const auto big = std::string(60000, 'x');
  const auto teacher = node.connect();
  node.ask(teacher, "SET k " + big + "\r\n");
  node.ask(teacher, "GET k\r\n");
  auto readers = std::vector<std::uint64_t>{};
  for (int i = 0; i < 20; ++i) {
    readers.push_back(node.connect());
    node.tell(readers.back(), "GET k\r\n");
  }
  const auto submit_all = [&] {
    for (int i = 0; i < 20; ++i) {
      node.submit();
      for (const auto& [number, lot] : node.lots)
        node.book.accepted(number);
    }
  };
  submit_all();
  CHECK_EQ(under_way(node), words{"query 3", "query 3"});
  node.tell(teacher, "SET other 1\r\n");
  submit_all();
  CHECK_EQ(under_way(node), words{"query 3", "query 3", "command 1"});
  while (!node.lots.empty()) {
    const auto number = node.lots.begin()->first;
    node.answer(number);
    node.lots.erase(number);
    submit_all();
  }
  for (const auto reader : readers)
    CHECK_EQ(node.hears(reader).size(), big.size() + 10);
  CHECK_EQ(node.hears(teacher), "+OK\r\n");
  CHECK_FALSE(node.book.holds_any());
}
