// A peer whose log may lack what it has acknowledged: it has no say, and gets it back from a leader that knows of it.
#include "tests/minds/lone_peer.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

/// Ten entries of term 7, of which the disk has lost what was behind.
recovered_group damaged() {
  auto group = remembers(std::vector<std::uint64_t>(10, 7), 7);
  group.vote = {term_number{7}, peer_id{2}, 5};
  return group;
}

/// Leader 2 of term 7 speaks: of entries behind `index`, or only that it is there.
append_entries speaks(std::uint64_t index, std::uint64_t commit, repair said, std::vector<entry_batch> batches = {}) {
  auto request = sends_entries(2, 7, at(7, index), std::move(batches), commit);
  request.repair = said;
  return request;
}

} // namespace

SCENARIO("I14 who may lack what it acknowledged votes for nobody, and runs for nothing") {
  lone_peer peer{1, 3, damaged()};
  CHECK_FALSE(peer.mind().has_say());
  THEN("it refuses every candidate, as good as that one's log may be") {
    peer.hears(asks_for_vote(3, 8, at(7, 1000)));
    peer.disk_catches_up();
    CHECK_FALSE(peer.says<vote_reply>().granted);
    peer.hears(asks_whether_it_would(3, 9, at(7, 1000)));
    CHECK_FALSE(peer.says<vote_reply>().granted);
  }
  THEN("it asks for no vote when there is no leader") {
    for (int i = 0; i < 5; ++i)
      peer.waits_in_vain_for_a_leader();
    CHECK(peer.requests_for_votes().empty());
  }
  THEN("it does not follow an order to run") {
    peer.hears(sends_entries(2, 7, {}));
    peer.forgets_what_it_said();
    peer.hears(timeout_now{{{}, peer_id{2}, peer_id{1}, term_number{7}}});
    CHECK(peer.requests_for_votes().empty());
  }
}

SCENARIO("Who has no say does not go on naming a leader that it does not hear any more") {
  lone_peer peer{1, 3, damaged()};
  peer.hears(speaks(10, 10, {}));
  REQUIRE(peer.mind().leader() == peer_id{2});
  peer.waits_in_vain_for_a_leader();
  CHECK(peer.mind().leader() == nobody);
  peer.hears(speaks(10, 10, {}));
  CHECK(peer.mind().leader() == peer_id{2});
}

SCENARIO("I14 who lost something has its say again when all is back that it can have acknowledged") {
  lone_peer peer{1, 3, damaged()};
  const auto is_repaired = [&] { return peer.durable().vote.lost == 0; };
  const auto hears = [&](const append_entries& request) {
    peer.hears(request);
    peer.disk_catches_up();
    return peer.says<append_reply>();
  };
  WHEN("the leader has sent all, it is durable and committed") {
    CHECK(hears(speaks(10, 11, {5, log_index{11}}, {batch(7, 11, {"x"})})).lost == 5);
    CHECK_FALSE(is_repaired()); // It was not durable yet when the request came.
    CHECK(hears(speaks(11, 11, {5, log_index{11}})).success);
    CHECK(is_repaired());
    CHECK(peer.durable().vote.voted_for == peer_id{2}); // Its vote it never lost.
    CHECK(hears(speaks(11, 11, {5, log_index{11}})).lost == 0);
  }
  WHEN("it has an entry of the leader's own term that is committed, and the leader's log went further") {
    hears(speaks(10, 11, {5, log_index{11}}));
    THEN("it waits: it may have acknowledged entry 11") {
      CHECK_FALSE(is_repaired());
    }
  }
  WHEN("the leader speaks of another loss, or of none") {
    hears(speaks(10, 10, {4, log_index{1}}));
    hears(speaks(10, 10, {}));
    THEN("it waits") {
      CHECK_FALSE(is_repaired());
    }
  }
  WHEN("not all of it is committed yet") {
    hears(speaks(10, 9, {5, log_index{10}}));
    THEN("it waits") {
      CHECK_FALSE(is_repaired());
    }
  }
}

SCENARIO("I7 a leader forgets what a follower proved, once that one says that it lost something") {
  lone_peer leader;
  leader.becomes_leader();
  leader.disk_catches_up();
  (void)leader.proposes("a");
  leader.hears_of_follower(2, leader.last());
  const auto acknowledged = leader.last();
  (void)leader.proposes("b");
  append_reply reply;
  reply.about = {{}, peer_id{2}, peer_id{1}, leader.mind().current_term()};
  reply.incarnation = 1;
  reply.lost = 9;
  CHECK_FALSE(leader.admits(reply));
  CHECK(leader.last_output().renew == peer_id{2});
  CHECK(leader.mind().leadership()->members.at(peer_id{2}).match == log_index{});
  CHECK(leader.mind().repair_of(peer_id{2}) == repair{9, log_index{leader.last()}});
  CHECK(leader.last() > acknowledged);
  WHEN("the replicator was started anew") {
    CHECK(leader.mind().renew_incarnation(peer_id{2}) == 2);
    THEN("what was on its way before counts no more, and what comes now does") {
      reply.lost = 0;
      CHECK_FALSE(leader.admits(reply));
      reply.incarnation = 2;
      reply.lost = 9;
      CHECK(leader.admits(reply));
      CHECK_FALSE(leader.last_output().renew);
    }
    THEN("another loss is another matter") {
      reply.incarnation = 2;
      reply.lost = 10;
      CHECK_FALSE(leader.admits(reply));
      CHECK(leader.last_output().renew == peer_id{2});
    }
  }
}

SCENARIO("Z2 I14 a leader whose disk is full does not hand over to who has no say") {
  lone_peer leader;
  leader.becomes_leader();
  leader.disk_catches_up();
  append_reply reply;
  reply.about = {{}, peer_id{2}, peer_id{1}, leader.mind().current_term()};
  reply.incarnation = 1;
  reply.lost = 9;
  CHECK_FALSE(leader.admits(reply));
  reply.incarnation = leader.mind().renew_incarnation(peer_id{2});
  const auto follower_has_all = [&] {
    REQUIRE(leader.admits(reply));
    leader.hears(follower_heard{peer_id{2}, leader.mind().current_term(), reply.incarnation, log_index{leader.last()},
                                0, leader.now()});
    leader.wait(100ms);
  };
  leader.hears(disk_room{true});
  follower_has_all();
  CHECK(leader.mind().is_leader());
  reply.lost = 0;
  follower_has_all();
  CHECK_FALSE(leader.mind().is_leader());
}

SCENARIO("I14 a leader knows which follower has no say, from what that one says last") {
  lone_peer leader;
  leader.becomes_leader();
  leader.disk_catches_up();
  const auto has_say = [&] { return leader.mind().leadership()->members.at(peer_id{2}).has_say; };
  append_reply reply;
  reply.about = {{}, peer_id{2}, peer_id{1}, leader.mind().current_term()};
  reply.incarnation = 1;
  CHECK(has_say()); // It has not answered this leader.
  reply.lost = 9;
  CHECK_FALSE(leader.admits(reply));
  CHECK_FALSE(has_say());
  reply.incarnation = leader.mind().renew_incarnation(peer_id{2});
  CHECK(leader.admits(reply));
  CHECK_FALSE(has_say());
  WHEN("it says that it is repaired") {
    reply.lost = 0;
    CHECK(leader.admits(reply));
    THEN("it has its say, whatever it said before and comes late") {
      CHECK(has_say());
      reply.lost = 9;
      CHECK(leader.admits(reply));
      CHECK(has_say());
    }
    THEN("it has none after another loss") {
      reply.lost = 10;
      CHECK_FALSE(leader.admits(reply));
      CHECK_FALSE(has_say());
    }
  }
  WHEN("what it said before the loss comes late") {
    reply.incarnation = 1;
    reply.lost = 0;
    CHECK_FALSE(leader.admits(reply));
    THEN("it has no say all the same") {
      CHECK_FALSE(has_say());
    }
  }
}

// Why a disk that went back as a whole (an older copy, put back) is refused by its peers and not repaired: its votes
// went back, too, and no leader can know of them.
SCENARIO("O3 refuted: repair by a leader does not help a peer that has forgotten a vote") {
  GIVEN("a peer that has voted for candidate 3 in term 8, while leader 2 of term 7 has not heard of it") {
    lone_peer peer{1, 5, remembers(std::vector<std::uint64_t>(10, 7), 7)};
    peer.hears(asks_for_vote(3, 8, at(7, 10)));
    peer.disk_catches_up();
    REQUIRE(peer.says<vote_reply>().granted);
    WHEN("its disk is put back to before, is declared to have lost something, and the leader repairs it") {
      lone_peer again{1, 5, damaged()};
      again.hears(speaks(10, 10, {5, log_index{10}}));
      again.disk_catches_up();
      again.forgets_what_it_said();
      again.waits_in_vain_for_a_leader();
      again.forgets_what_it_said();
      THEN("it votes for candidate 4 in term 8, in which candidate 3 has its vote: two leaders in a term") {
        again.hears(asks_for_vote(4, 8, at(7, 10)));
        again.disk_catches_up();
        CHECK(again.says<vote_reply>().granted);
      }
    }
  }
}
