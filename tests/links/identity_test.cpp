#include "tests/links/host.hpp"
#include "tests/links/raw_end.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::testing;

namespace {

link_identity node(std::uint64_t id) {
  return {"test", peer_id{id}, disk(id), 1, {10 * id}};
}

/// What an open door with member 2 answers to `words`.
refusal_notice answer_to(const hello& words) {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
  auto end = raw_end::dial(one.door.bound.port);
  end.say(link_frame::hello, encode(words));
  return end.hear_closing();
}

bool mentions(const std::string& words, std::string_view what) {
  return words.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("I-6: a node of another cluster is refused at the door, and both names are told") {
  auto words = introduce(node(2), peer_id{1});
  words.cluster = "staging";
  const auto answer = answer_to(words);
  CHECK(answer.reason == link_refusal::wrong_cluster);
  CHECK(mentions(answer.words, "\"staging\""));
  CHECK(mentions(answer.words, "\"test\""));
}

TEST_CASE("a node that speaks another version is refused, and both versions are told") {
  auto words = introduce(node(2), peer_id{1});
  words.version = 9;
  const auto answer = answer_to(words);
  CHECK(answer.reason == link_refusal::wrong_version);
  CHECK(mentions(answer.words, "version 1"));
  CHECK(mentions(answer.words, "version 9"));
}

TEST_CASE("who dials the wrong node, is no member, or claims the node's own id, is refused") {
  CHECK(answer_to(introduce(node(2), peer_id{7})).reason == link_refusal::not_for_us);
  CHECK(answer_to(introduce(node(5), peer_id{1})).reason == link_refusal::unknown_node);
  CHECK(answer_to(introduce(node(1), peer_id{1})).reason == link_refusal::own_id);
}

TEST_CASE("a client is told that its role is not served") {
  auto words = introduce(node(2), peer_id{1});
  words.role = link_role::client;
  CHECK(answer_to(words).reason == link_refusal::role_not_served);
}

TEST_CASE("O2: a node whose disk was wiped is refused by those who met it, hears so, and is not believed when dialed") {
  host one{options_of(1)};
  auto two = std::make_unique<host>(options_of(2));
  two->open({{peer_id{1}, {"127.0.0.1", free_port()}}});
  const auto address = two->door.bound;
  one.open({{peer_id{2}, address}});
  CHECK(await<peer_identified>(one.listener).met == acquaintance{disk(2), 1, 20, 0});
  one.await_up(2);
  two->close();
  two.reset();
  CHECK(await<link_down>(one.listener).peer == peer_id{2});

  auto wiped = options_of(2);
  wiped.listen = address;
  wiped.me.disk = disk(99);
  SUBCASE("it dials") {
    two = std::make_unique<host>(wiped);
    two->open({{peer_id{1}, one.door.bound}});
  }
  SUBCASE("it is dialed, and dials nobody that could tell it") {
    two = std::make_unique<host>(wiped);
    two->open({{peer_id{1}, {"127.0.0.1", free_port()}}});
  }
  const auto told = await<link_refused>(two->listener);
  CHECK(told.peer == peer_id{1});
  CHECK(told.reason == link_refusal::changed_disk);
  CHECK(mentions(told.words, to_string(disk(99))));
  CHECK(mentions(told.words, to_string(disk(2))));
  one.tell(2, heartbeat(1, 2, 1));
  CHECK_FALSE(comes<append_entries>(two->local, 100ms));
  CHECK_FALSE(comes<link_up>(one.listener, 0ms));
}

TEST_CASE("O2: a wiped disk is recognised by a node that was restarted since it met the old one") {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}}, {{peer_id{2}, {disk(2), 1}}});
  auto wiped = options_of(2);
  wiped.me.disk = disk(99);
  host two{wiped};
  two.open({{peer_id{1}, one.door.bound}});
  CHECK(await<link_refused>(two.listener).reason == link_refusal::changed_disk);
}

TEST_CASE("O3: each boot of a node is remembered, and an older copy of its disk is refused and hears so") {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}}, {{peer_id{2}, {disk(2), 4}}});
  const auto come_in_boot = [&](std::uint64_t boot, const last_lives& lives) {
    auto options = options_of(2);
    options.me.boot = boot;
    options.me.lives = lives;
    auto two = std::make_unique<host>(options);
    two->open({{peer_id{1}, one.door.bound}});
    return two;
  };
  auto two = come_in_boot(5, {55, 44});
  CHECK(await<peer_identified>(one.listener).met == acquaintance{disk(2), 5, 55, 0});
  two->close();
  two = come_in_boot(6, {66, 55, 44});
  CHECK(await<peer_identified>(one.listener).met == acquaintance{disk(2), 6, 66, 0});
  two->close();
  for (const auto& [boot, lives] : {std::pair{5u, last_lives{55, 44}}, {6u, {60, 55, 44}}, {7u, {70, 60, 55, 44}}}) {
    two = come_in_boot(boot, lives);
    const auto told = await<link_refused>(two->listener);
    CHECK(told.reason == link_refusal::old_disk);
    CHECK(mentions(told.words, boot < 6 ? "is an older copy" : "another copy"));
    if (boot >= 6) // Of an earlier boot: it may have been the node itself, heard late.
      CHECK(await<peer_identified>(one.listener).met == acquaintance{disk(2), 6, 66, lives.front()});
    two->close();
  }
}

TEST_CASE("O3: the hello of a life that is over, heard behind that of the next, does not shut the node out") {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}}, {{peer_id{2}, {disk(2), 8, 88}}});
  const auto dial_in_boot = [&](std::uint64_t boot, const last_lives& lives) {
    auto end = raw_end::dial(one.door.bound.port);
    end.say(link_frame::hello, encode(introduce({"test", peer_id{2}, disk(2), boot, lives}, peer_id{1})));
    return end;
  };
  CHECK(dial_in_boot(10, {100, 99, 88}).hear()->first == link_frame::hello_ack);
  CHECK(dial_in_boot(9, {99, 88}).hear_closing().reason == link_refusal::old_disk);
  CHECK(dial_in_boot(10, {100, 99, 88}).hear()->first == link_frame::hello_ack);
}

TEST_CASE(
    "O3: a node is listened to when it is durably known, and not before: else a crash might forget whom one met") {
  host one{options_of(1), false};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
  auto end = raw_end::dial(one.door.bound.port);
  end.say(link_frame::hello, encode(introduce(node(2), peer_id{1})));
  const auto met = await<peer_identified>(one.listener).met;
  CHECK(met == acquaintance{disk(2), 1, 20, 0});
  CHECK_FALSE(end.hears_within(100ms));
  caf::anon_send(one.door.acceptor, peer_noted{peer_id{2}, met});
  const auto answer = end.hear();
  REQUIRE(answer);
  CHECK(answer->first == link_frame::hello_ack);
  // The next time it is known.
  (void)enter(one.door.bound.port, node(2), peer_id{1});
}

TEST_CASE("O3: whom one dials is listened to when it is durably known, too") {
  raw_door there;
  host one{options_of(1), false};
  one.open({{peer_id{2}, {"127.0.0.1", there.port()}}});
  auto end = there.welcome(node(2));
  const auto met = await<peer_identified>(one.listener).met;
  CHECK_FALSE(comes<link_up>(one.listener, 100ms));
  caf::anon_send(one.door.acceptor, peer_noted{peer_id{2}, met});
  one.await_up(2);
}

TEST_CASE("a node is not condemned by one of another cluster of the same name, which has taken a member's address") {
  host foreign{options_of(1)};
  foreign.open({{peer_id{2}, {"127.0.0.1", free_port()}}}, {{peer_id{2}, {disk(77), 3, 770}}});
  host two{options_of(2)};
  const std::map<peer_id, acquaintance> known{{peer_id{1}, {disk(42), 5, 50}}}; // Not that one.
  two.open({{peer_id{1}, foreign.door.bound}}, known);
  CHECK_FALSE(comes<link_refused>(two.listener, 500ms));
}

TEST_CASE("a node is not condemned by one that does not say who it is") {
  raw_door there;
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", there.port()}}});
  auto end = there.accept();
  REQUIRE(end.hear());
  end.say(link_frame::closing, encode_closing({link_refusal::old_disk, "you are old"}));
  CHECK_FALSE(comes<link_refused>(one.listener, 300ms));
}

TEST_CASE("O3: when a node has answered in a later life, its earlier one is not listened to any more") {
  raw_door there;
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", there.port()}}}, {{peer_id{2}, {disk(2), 8, 88}}});
  auto earlier = enter(one.door.bound.port, {"test", peer_id{2}, disk(2), 9, {99, 88}}, peer_id{1});
  auto later = there.welcome({"test", peer_id{2}, disk(2), 10, {100, 99, 88}});
  one.await_up(2);
  earlier.say(encode(heartbeat(2, 1, 7)));
  CHECK_FALSE(comes<append_entries>(one.local, 200ms));
  CHECK(earlier.hear_closing().reason == link_refusal::replaced);
}

TEST_CASE("O3: a node that is known does not wait until the refusal of a copy is noted") {
  host one{options_of(1), false};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}}, {{peer_id{2}, {disk(2), 6, 66}}});
  auto copy = raw_end::dial(one.door.bound.port);
  copy.say(link_frame::hello, encode(introduce({"test", peer_id{2}, disk(2), 6, {60, 55}}, peer_id{1})));
  CHECK(copy.hear_closing().reason == link_refusal::old_disk);
  CHECK(await<peer_identified>(one.listener).met == acquaintance{disk(2), 6, 66, 60}); // A slow disk has that now.
  (void)enter(one.door.bound.port, {"test", peer_id{2}, disk(2), 6, {66, 55}}, peer_id{1});
}

TEST_CASE("a member is told that it is refused, however many strangers are dismissed meanwhile") {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}}, {{peer_id{2}, {disk(2), 1, 20}}});
  for (int i = 0; i < 40; ++i) {
    auto words = introduce(node(2), peer_id{1});
    words.cluster = std::to_string(i);
    auto stranger = raw_end::dial(one.door.bound.port);
    stranger.say(link_frame::hello, encode(words));
    CHECK(stranger.hear_closing().reason == link_refusal::wrong_cluster);
  }
  auto end = enter(one.door.bound.port, node(2), peer_id{1});
  end.say(link_frame::closing, encode_closing({link_refusal::old_disk, "you are old"}));
  CHECK(await<link_refused>(one.listener).reason == link_refusal::old_disk);
}

TEST_CASE("a node that says more before it was answered is dismissed") {
  host one{options_of(1), false};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
  auto end = raw_end::dial(one.door.bound.port);
  end.say(link_frame::hello, encode(introduce(node(2), peer_id{1})));
  end.say(link_frame::ping, "12345678");
  CHECK(end.hear_closing().reason == link_refusal::malformed);
}

TEST_CASE("O1: of two nodes with one id the second is refused, and the first keeps its link") {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
  auto first = enter(one.door.bound.port, node(2), peer_id{1});
  auto impostor = options_of(2);
  impostor.me.disk = disk(3);
  host second{impostor};
  second.open({{peer_id{1}, one.door.bound}});
  CHECK(await<link_refused>(second.listener).reason == link_refusal::changed_disk);
  CHECK(first.say(encode(heartbeat(2, 1, 8))));
  CHECK(await<append_entries>(one.local).number == 8);
}

TEST_CASE("O1: a copied data directory is refused") {
  auto copy = node(2);
  copy.disk = disk(1);
  CHECK(answer_to(introduce(copy, peer_id{1})).reason == link_refusal::copied_disk);
}

TEST_CASE("a node that answers at another's address is refused, and told who was expected") {
  raw_door elsewhere;
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", elsewhere.port()}}});
  auto end = elsewhere.welcome(node(3));
  const auto answer = end.hear_closing();
  CHECK(answer.reason == link_refusal::not_for_us);
  CHECK(mentions(answer.words, "node 3 answers where node 2 was expected"));
  CHECK_FALSE(comes<link_up>(one.listener, 0ms));
}

TEST_CASE("a refusal is reported once, not at every attempt") {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}}, {{peer_id{2}, {disk(2), 1}}});
  auto wiped = options_of(2);
  wiped.me.disk = disk(99);
  host two{wiped};
  two.open({{peer_id{1}, one.door.bound}});
  await<link_refused>(two.listener);
  CHECK_FALSE(comes<link_refused>(two.listener, 300ms));
}
