#include "tests/links/host.hpp"
#include "tests/links/raw_end.hpp"

using namespace troupe;
using namespace troupe::testing;

namespace {

/// Two hosts, 1 and 2, on free ports, that know each other's address.
struct pair {
  pair() : one{options_of(1)}, two{options_of(2)} {
    const auto port_one = free_port();
    const auto port_two = free_port();
    one.options.listen.port = port_one;
    two.options.listen.port = port_two;
    one.open({{peer_id{2}, {"127.0.0.1", port_two}}});
    two.open({{peer_id{1}, {"127.0.0.1", port_one}}});
    one.await_up(2);
    two.await_up(1);
  }

  host one;
  host two;
};

const envelope from_one{group_id{3}, peer_id{1}, peer_id{2}, term_number{9}};

template <class Message>
Message carried(pair& hosts, Message m) {
  m.about = from_one;
  hosts.one.tell(2, m);
  const auto came = await<Message>(hosts.two.local);
  CHECK(came.about.group == from_one.group);
  CHECK(came.about.from == from_one.from);
  CHECK(came.about.to == from_one.to);
  CHECK(came.about.term == from_one.term);
  return came;
}

} // namespace

TEST_CASE("a link carries every kind of message that peers have") {
  pair hosts;
  request_vote ask;
  ask.round = 4;
  ask.pre_vote = true;
  ask.last_log = {term_number{8}, log_index{70}};
  CHECK(carried(hosts, ask).last_log == ask.last_log);
  vote_reply vote;
  vote.granted = true;
  CHECK(carried(hosts, vote).granted);
  append_reply reply;
  reply.match = log_index{12};
  CHECK(carried(hosts, reply).match == reply.match);
  carried(hosts, timeout_now{});
  forward passed;
  passed.number = 6;
  passed.block = {1, request_of(1, 2, 100).batches[0].payload()};
  CHECK(carried(hosts, passed).block.payload.view() == passed.block.payload.view());
  forward_reply answer;
  answer.count = 2;
  answer.answers = "yesno";
  answer.ends = {3, 5};
  CHECK(carried(hosts, answer).answers == "yesno");
}

TEST_CASE("entries of a mebibyte arrive byte for byte, under the checksum their leader gave them") {
  pair hosts;
  const auto sent = request_of(1, 2, std::size_t{1} << 20);
  hosts.one.tell(2, sent);
  const auto came = await<append_entries>(hosts.two.local);
  REQUIRE(came.batches.size() == 1);
  CHECK(came.batches[0].checksum() == sent.batches[0].checksum());
  CHECK(came.batches[0].payload().view() == sent.batches[0].payload().view());
}

TEST_CASE("messages of one sender arrive in order, small between large, both ways at once") {
  pair hosts;
  constexpr std::uint64_t many = 2000;
  for (std::uint64_t n = 1; n <= many; ++n) {
    const auto bytes = n % 100 == 0 ? std::size_t{100'000} : std::size_t{10};
    hosts.one.tell(2, request_of(1, 2, bytes, n));
    hosts.two.tell(1, request_of(2, 1, bytes, n));
  }
  for (std::uint64_t n = 1; n <= many; ++n) {
    REQUIRE(await<append_entries>(hosts.two.local).number == n);
    REQUIRE(await<append_entries>(hosts.one.local).number == n);
  }
}

TEST_CASE("N6: a node that restarts is reached again through the same handle, in its new boot") {
  host one{options_of(1)};
  auto two = std::make_unique<host>(options_of(2));
  two->open({{peer_id{1}, {"127.0.0.1", free_port()}}});
  const auto address = two->door.bound;
  one.open({{peer_id{2}, address}});
  CHECK(await<link_up>(one.listener).boot == 1);
  two->close();
  two.reset();
  CHECK(await<link_down>(one.listener).peer == peer_id{2});
  auto again = options_of(2);
  again.listen = address;
  again.me.boot = 2;
  again.me.lives = {21, 20};
  two = std::make_unique<host>(again);
  two->open({{peer_id{1}, one.door.bound}});
  CHECK(await<link_up>(one.listener).boot == 2);
  one.tell(2, heartbeat(1, 2, 77));
  CHECK(await<append_entries>(two->local).number == 77);
}

TEST_CASE("a node that dials us is dialed at once, however long we meant to wait") {
  auto patient = options_of(1);
  patient.retry_least = patient.retry_most = 1h;
  host one{patient};
  const auto port = free_port();
  one.open({{peer_id{2}, {"127.0.0.1", port}}});
  auto options = options_of(2);
  options.listen.port = port;
  host two{options};
  two.open({{peer_id{1}, one.door.bound}});
  one.await_up(2);
}

TEST_CASE("N6: what an older connection of a node still brings is not listened to once a newer one has come") {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
  const link_identity two{"test", peer_id{2}, disk(2), 1, {20}};
  auto older = enter(one.door.bound.port, two, peer_id{1});
  auto newer = enter(one.door.bound.port, two, peer_id{1});
  older.say(encode(heartbeat(2, 1, 1)));
  CHECK(older.hear_closing().reason == link_refusal::replaced);
  CHECK(newer.say(encode(heartbeat(2, 1, 2))));
  CHECK(await<append_entries>(one.local).number == 2);
}

TEST_CASE("hosts meet over IPv4, over IPv6, and by name") {
  for (const std::string name : {"127.0.0.1", "::1", "localhost"}) {
    CAPTURE(name);
    auto options = options_of(1);
    options.listen.host = name;
    host one{options};
    one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
    host two{options_of(2)};
    two.open({{peer_id{1}, {name, one.door.bound.port}}});
    two.await_up(1);
    two.tell(1, heartbeat(2, 1, 5));
    CHECK(await<append_entries>(one.local).number == 5);
  }
}

TEST_CASE("a node cannot listen where another does, and says so in words") {
  host one{options_of(1)};
  one.open({});
  auto options = options_of(2);
  options.listen = one.door.bound;
  host two{options};
  const auto opened = spawn_acceptor(two.system, options, {}, {}, caf::actor_cast<raft_actor>(two.local),
                                     caf::actor_cast<link_listener>(two.listener));
  REQUIRE(std::holds_alternative<std::string>(opened));
  const auto& words = std::get<std::string>(opened);
  CHECK(words.find(to_string(options.listen)) != std::string::npos);
  CHECK(words.find("in use") != std::string::npos);
}

TEST_CASE("a node does not listen where strangers could reach it, unless told that it may") {
  auto options = options_of(1);
  options.listen = {"0.0.0.0", 0};
  host one{options};
  const auto open = [&] {
    return spawn_acceptor(one.system, options, {}, {}, caf::actor_cast<raft_actor>(one.local),
                          caf::actor_cast<link_listener>(one.listener));
  };
  const auto refused = open();
  REQUIRE(std::holds_alternative<std::string>(refused));
  CHECK(std::get<std::string>(refused).find("--insecure") != std::string::npos);
  options.insecure = true;
  auto opened = open();
  REQUIRE(std::holds_alternative<link_door>(opened));
  stop_links({}, std::get<link_door>(opened).acceptor);
}
