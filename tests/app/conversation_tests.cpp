#include "tests/app/fake_node.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::resp;
using namespace std::string_literals;

SCENARIO("a read behind its own client's unanswered write goes through the log and sees it") {
  GIVEN("a client that sends SET, GET and PING in one go") {
    auto node = fake_node{};
    const auto client = node.connect();
    node.tell(client, "SET k 1\r\nGET k\r\nPING\r\n");
    node.submit();
    THEN("all that is replicated is one lot of commands, and nothing is said yet, not even to PING") {
      CHECK_EQ(under_way(node), words{"command 2"});
      CHECK_EQ(node.hears(client), "");
      AND_WHEN("the lot is answered") {
        node.answer(1);
        THEN("the GET has seen the SET, and the replies stand in order") {
          CHECK_EQ(node.hears(client), "+OK\r\n$1\r\n1\r\n+PONG\r\n");
        }
      }
    }
  }
}

SCENARIO("a read that nothing of its client precedes goes by read-index") {
  auto node = fake_node{};
  const auto writer = node.connect();
  const auto reader = node.connect();
  GIVEN("another client's write under way") {
    node.tell(writer, "SET k 1\r\n");
    node.tell(reader, "GET k\r\nGET k\r\n");
    node.submit();
    CHECK_EQ(under_way(node), words{"command 1", "query 2"});
    WHEN("the reads are answered first") {
      node.answer(2);
      THEN("the reader hears them, and the writer nothing yet") {
        CHECK_EQ(node.hears(reader), "$-1\r\n$-1\r\n");
        CHECK_EQ(node.hears(writer), "");
      }
    }
  }
  GIVEN("its own write, answered") {
    CHECK_EQ(node.ask(writer, "SET k 1\r\n"), "+OK\r\n");
    node.tell(writer, "GET k\r\n");
    node.submit();
    CHECK_EQ(under_way(node), words{"query 1"});
  }
}

SCENARIO("a write behind its own client's reads waits for them, so that they do not see it") {
  GIVEN("a client that sends GET, SET, GET in one go") {
    auto node = fake_node{};
    const auto client = node.connect();
    node.tell(client, "GET k\r\nSET k 1\r\nGET k\r\n");
    node.submit();
    THEN("only the first GET is under way") {
      CHECK_EQ(under_way(node), words{"query 1"});
      AND_WHEN("it is answered") {
        node.answer(1);
        node.lots.clear();
        node.submit();
        THEN("the SET goes, and the second GET behind it through the log") {
          CHECK_EQ(node.hears(client), "$-1\r\n");
          CHECK_EQ(under_way(node), words{"command 2"});
          node.answer(2);
          CHECK_EQ(node.hears(client), "+OK\r\n$1\r\n1\r\n");
        }
      }
    }
    AND_WHEN("another client writes meanwhile") {
      const auto other = node.connect();
      node.tell(other, "SET k 2\r\n");
      node.submit();
      THEN("that one does not wait") {
        CHECK_EQ(under_way(node), words{"query 1", "command 1"});
      }
    }
  }
}

SCENARIO("commands gather across clients while a lot is unaccepted") {
  GIVEN("a lot that the peer has not accepted yet") {
    auto node = fake_node{};
    const auto a = node.connect();
    const auto b = node.connect();
    const auto c = node.connect();
    node.tell(a, "INCR n\r\n");
    node.submit();
    WHEN("three clients send commands") {
      node.tell(a, "INCR n\r\nINCR n\r\n");
      node.submit();
      node.tell(b, "INCR n\r\n");
      node.submit();
      node.tell(c, "SET c 1\r\n");
      node.tell(a, "INCR n\r\n");
      node.submit();
      THEN("nothing more is submitted until the lot is accepted; then all of it goes as one") {
        CHECK_EQ(under_way(node), words{"command 1"});
        node.book.accepted(1);
        node.submit();
        CHECK_EQ(under_way(node), words{"command 1", "command 5"});
        AND_THEN("answers that come in parts find their clients") {
          node.answer(1);
          node.answer(2, 0, 1);
          CHECK_EQ(node.hears(a), ":1\r\n:2\r\n");
          node.answer(2, 1, 2);
          CHECK_EQ(node.hears(a), ":3\r\n");
          CHECK_EQ(node.hears(b), ":4\r\n");
          CHECK_EQ(node.hears(c), "");
          node.answer(2, 3);
          CHECK_EQ(node.hears(c), "+OK\r\n");
          CHECK_EQ(node.hears(a), ":5\r\n");
          CHECK_FALSE(node.book.holds_any());
        }
      }
    }
  }
}

SCENARIO("a client that hangs up leaves its operations to the others' order") {
  auto node = fake_node{};
  const auto a = node.connect();
  const auto b = node.connect();
  node.tell(a, "INCR n\r\n");
  node.tell(b, "INCR n\r\n");
  node.tell(a, "INCR n\r\n");
  node.submit();
  node.clients.erase(a);
  node.answer(1);
  CHECK_EQ(node.hears(b), ":2\r\n");
}

SCENARIO("refusals tell what is known and keep their place") {
  auto node = fake_node{};
  const auto client = node.connect();
  const auto starts = [](const std::string& text, std::string_view code) { return text.rfind(code, 0) == 0; };

  GIVEN("a write that is refused for want of a leader while an earlier one is under way") {
    node.tell(client, "SET a 1\r\n");
    node.submit();
    node.book.accepted(1);
    node.tell(client, "SET b 1\r\n");
    node.submit();
    node.refuse(2, refusal::no_leader);
    THEN("its error waits for the earlier reply") {
      CHECK_EQ(node.hears(client), "");
      node.answer(1);
      const auto text = node.hears(client);
      CHECK(starts(text, "+OK\r\n-CLUSTERDOWN "));
    }
  }
  GIVEN("a lot of which the first part is answered, and whose leader is then lost") {
    node.tell(client, "SET a 1\r\nSET b 1\r\nGET a\r\n");
    node.submit();
    node.answer(1, 0, 1);
    CHECK_EQ(node.hears(client), "+OK\r\n");
    node.refuse(1, refusal::uncertain, 1);
    THEN("the write is uncertain, and the logged read, which changes nothing, is not") {
      const auto text = node.hears(client);
      CHECK(starts(text, "-UNCERTAIN "));
      CHECK(starts(text.substr(text.find("\r\n") + 2), "-CLUSTERDOWN "));
    }
    AND_THEN("the connection goes on") {
      CHECK_EQ(node.ask(client, "PING\r\n").substr(0, 11), "-UNCERTAIN ");
    }
  }
  GIVEN("reads that could not be confirmed") {
    for (const auto why : {refusal::not_ready, refusal::uncertain, refusal::no_leader, refusal::stopped}) {
      node.tell(client, "GET a\r\n");
      node.submit();
      node.refuse(node.lots.rbegin()->first, why);
      CHECK(starts(node.hears(client), "-CLUSTERDOWN "));
    }
  }
  GIVEN("a peer that is busy, or a command too large for it") {
    node.tell(client, "SET a 1\r\n");
    node.submit();
    node.refuse(1, refusal::busy);
    CHECK(starts(node.hears(client), "-BUSY "));
    node.tell(client, "SET a 1\r\n");
    node.submit();
    node.refuse(2, refusal::too_large);
    CHECK(starts(node.hears(client), "-ERR "));
  }
}

TEST_CASE("a peer that is gone leaves submitted writes uncertain, and the ones behind them certainly undone") {
  auto node = fake_node{};
  const auto client = node.connect();
  node.tell(client, "SET a 1\r\n");
  node.submit();
  node.tell(client, "SET b 1\r\n");
  node.book.abandon([&](const operation_run& run, bool submitted) {
    auto& one = *node.clients.at(run.client);
    one.mind.hear_refusal(run, submitted ? refusal::uncertain : refusal::stopped, one.out);
  });
  const auto text = node.hears(client);
  CHECK_EQ(text.substr(0, 11), "-UNCERTAIN ");
  CHECK_EQ(text.substr(text.find("\r\n") + 2, 13), "-CLUSTERDOWN ");
  CHECK_FALSE(node.book.holds_any());
}

TEST_CASE("a protocol error comes in its place, ends that connection, and what follows it is not carried out") {
  auto node = fake_node{};
  const auto broken = node.connect();
  const auto other = node.connect();
  auto& mind = node.clients.at(broken)->mind;
  node.tell(broken, "SET k 1\r\n*1\r\nx\r\nSET k 2\r\n");
  CHECK_FALSE(mind.is_over());
  CHECK_FALSE(mind.wants_input());
  node.settle();
  CHECK(mind.is_over());
  CHECK_EQ(node.hears(broken), "+OK\r\n-ERR Protocol error: expected '$', got 'x'\r\n");
  node.tell(broken, "SET k 3\r\n");
  CHECK_EQ(node.ask(other, "GET k\r\n"), "$1\r\n1\r\n");
}

TEST_CASE("QUIT is answered behind everything else, and ends the connection") {
  auto node = fake_node{};
  const auto client = node.connect();
  CHECK_EQ(node.ask(client, "SET k 1\r\nQUIT\r\nSET k 2\r\n"), "+OK\r\n+OK\r\n");
  CHECK(node.clients.at(client)->mind.is_over());
  CHECK_EQ(node.ask(node.connect(), "GET k\r\n"), "$1\r\n1\r\n");
}

TEST_CASE("each reply is in the protocol that was spoken when its command came") {
  auto node = fake_node{};
  const auto client = node.connect();
  node.tell(client, "SET k 1\r\nGET x\r\nHELLO 3\r\nGET x\r\nMGET k x k\r\nSET k 2 NX\r\nHELLO 2\r\nGET x\r\n");
  node.settle();
  const auto greeting = [](const std::string& opening, const std::string& proto) {
    return opening + "\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:" + proto
        + "\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*"
          "0\r\n";
  };
  CHECK_EQ(node.hears(client),
           "+OK\r\n$-1\r\n" + greeting("%7", "3") + "_\r\n*3\r\n$1\r\n1\r\n_\r\n$1\r\n1\r\n_\r\n" + greeting("*14", "2")
               + "$-1\r\n");
}

TEST_CASE("in RESP3 maps are maps and texts are verbatim") {
  auto node = fake_node{};
  const auto client = node.connect();
  node.ask(client, "HELLO 3 AUTH default secret SETNAME me\r\n");
  CHECK_EQ(node.ask(client, "CLIENT GETNAME\r\n"), "$2\r\nme\r\n");
  CHECK_EQ(node.ask(client, "CONFIG GET save\r\n"), "%1\r\n$4\r\nsave\r\n$0\r\n\r\n");
  CHECK_EQ(node.ask(client, "INFO nothing\r\n"), "=4\r\ntxt:\r\n");
  CHECK_EQ(node.ask(client, "COMMAND INFO nope\r\n"), "*1\r\n_\r\n");
  CHECK_EQ(node.ask(client, "CLIENT LIST\r\n").substr(0, 1), "=");
  CHECK_EQ(node.ask(client, "COMMAND DOCS get\r\n").substr(0, 4), "%1\r\n");
}

TEST_CASE("a client library's greeting is understood: SETINFO, NO-TOUCH, ID, LIST") {
  auto node = fake_node{};
  node.connect();
  const auto client = node.connect();
  CHECK_EQ(node.ask(client, "CLIENT SETINFO LIB-NAME lib\r\nCLIENT SETINFO lib-ver 1.2\r\nCLIENT NO-TOUCH ON\r\n"),
           "+OK\r\n+OK\r\n+OK\r\n");
  CHECK_EQ(node.ask(client, "CLIENT SETINFO FOO x\r\n"), "-ERR Unrecognized option 'FOO'\r\n");
  CHECK_EQ(node.ask(client, "CLIENT ID\r\n"), ":2\r\n");
  const auto list = node.ask(client, "CLIENT LIST\r\n");
  CHECK_NE(list.find("id=1 addr=127.0.0.1:9 laddr=127.0.0.1:7001 name= age=7 "), std::string::npos);
  CHECK_NE(list.find("id=2 "), std::string::npos);
  CHECK_NE(list.find(" lib-name=lib lib-ver=1.2 resp=2\n"), std::string::npos);
}

TEST_CASE("what COMMAND says agrees with itself: count, list, descriptions, all that the gateway serves") {
  auto node = fake_node{};
  const auto client = node.connect();
  const auto count = std::to_string(all_commands().size());
  CHECK_EQ(node.ask(client, "COMMAND COUNT\r\n"), ":" + count + "\r\n");
  CHECK_EQ(node.ask(client, "COMMAND LIST\r\n").substr(0, count.size() + 3), "*" + count + "\r\n");
  CHECK_EQ(node.ask(client, "COMMAND\r\n").substr(0, count.size() + 3), "*" + count + "\r\n");
  CHECK_EQ(node.ask(client, "COMMAND INFO mset\r\n"),
           "*1\r\n*10\r\n$4\r\nmset\r\n:-3\r\n*2\r\n+write\r\n+denyoom\r\n:1\r\n:-1\r\n:2\r\n*1\r\n+@string\r\n*0\r\n*"
           "0\r\n*0\r\n");
}

SCENARIO("INFO and TROUPE STATUS wait for what the peer says, in their place") {
  auto node = fake_node{};
  node.status.peer.id = peer_id{2};
  node.status.peer.role = "leader";
  node.status.peer.term = term_number{3};
  node.status.peer.leader = peer_id{2};
  node.status.peer.commit = log_index{10};
  node.status.peer.applied = log_index{9};
  node.status.peer.last = log_index{12};
  node.status.peer.log_start = log_index{3};
  node.status.peer.snapshot = log_index{6};
  node.status.peer.snapshot_bytes = 700;
  node.status.peer.followers = {{peer_id{1}, log_index{12}, true}, {peer_id{3}, log_index{4}, false, false}};
  node.status.clients = 1;
  node.status.max_clients = 10;
  const auto client = node.connect();

  GIVEN("a pipeline with a status in the middle") {
    node.tell(client, "SET k 1\r\nTROUPE STATUS\r\nPING\r\n");
    CHECK_EQ(node.hears(client), "");
    node.settle();
    const auto json =
        R"({"id":2,"role":"leader","term":3,"leader":2,"commit":10,"applied":9,"last":12,"log_start":3,)"
        R"("snapshot":{"index":6,"bytes":700},"disk_full":false,"has_say":true,"longest_leader_silence_us":0,"followers":)"
        R"([{"id":1,"match":12,"lag":0,"connected":true,"has_say":true},)"
        R"({"id":3,"match":4,"lag":8,"connected":false,"has_say":false}]})"s;
    CHECK_EQ(node.hears(client), "+OK\r\n$" + std::to_string(json.size()) + "\r\n" + json + "\r\n+PONG\r\n");
  }
  GIVEN("no leader") {
    node.status.peer = peer_state{};
    node.status.peer.role = "follower";
    const auto said = node.ask(client, "troupe status\r\n");
    CHECK_NE(said.find(R"("leader":null)"), std::string::npos);
    CHECK_NE(said.find(R"("followers":[])"), std::string::npos);
  }
  GIVEN("a peer whose log is to be repaired first") {
    node.status.peer.has_say = false;
    CHECK_NE(node.ask(client, "INFO raft\r\n").find("raft_has_say:0\r\n"), std::string::npos);
    CHECK_NE(node.ask(client, "TROUPE STATUS\r\n").find(R"("has_say":false,"longest)"), std::string::npos);
  }
  GIVEN("sections of INFO") {
    CHECK_EQ(node.ask(client, "INFO clients KEYSPACE\r\n"),
             "$61\r\n# Clients\r\nconnected_clients:1\r\nmaxclients:10\r\n\r\n# Keyspace\r\n\r\n");
    const auto raft = node.ask(client, "INFO raft\r\n");
    CHECK_NE(raft.find("raft_role:leader\r\n"), std::string::npos);
    CHECK_NE(raft.find("raft_has_say:1\r\n"), std::string::npos);
    CHECK_NE(raft.find("raft_follower0:id=1,match=12,connected=1,has_say=1\r\n"), std::string::npos);
    CHECK_NE(raft.find("raft_follower1:id=3,match=4,connected=0,has_say=0\r\n"), std::string::npos);
    for (const auto* section : {"# Server", "# Clients", "# Replication", "# Raft", "# Keyspace"})
      CHECK_NE(node.ask(client, "INFO\r\n").find(section), std::string::npos);
  }
  GIVEN("a peer that does not say") {
    node.tell(client, "INFO\r\nPING\r\n");
    auto& one = *node.clients.at(client);
    one.mind.hear_no_status(one.out);
    CHECK_EQ(node.hears(client).substr(0, 13), "-CLUSTERDOWN ");
  }
  GIVEN("words that are no status") {
    CHECK_EQ(node.ask(client, "TROUPE\r\n"), "-ERR wrong number of arguments for 'troupe' command\r\n");
    CHECK_EQ(node.ask(client, "TROUPE FOO\r\n"), "-ERR unknown subcommand 'FOO'. Try TROUPE HELP.\r\n");
  }
}
