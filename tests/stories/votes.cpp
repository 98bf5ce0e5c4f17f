// One peer's votes and terms: what it promises, when, and what a crash may not change.
#include "tests/support/lone_peer.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

SCENARIO("N26a: a peer that loses power between two candidates votes once") {
  over_seeds(20, [](std::uint64_t seed) {
    lone_peer peer{seed};
    peer.disk_hangs();
    peer.hears(asks_for_vote(/*candidate=*/2, /*in term*/ 7));
    CHECK(peer.is_silent()); // A vote is a promise, and it is not yet kept.
    peer.disk_catches_up();
    REQUIRE(peer.last_said<vote_reply>() != nullptr);
    CHECK(peer.last_said<vote_reply>()->granted);
    peer.loses_power();
    peer.returns();
    peer.hears(asks_for_vote(3, 7));
    REQUIRE(peer.last_said<vote_reply>() != nullptr);
    CHECK_FALSE(peer.last_said<vote_reply>()->granted);
    peer.hears(asks_for_vote(2, 7));
    CHECK(peer.last_said<vote_reply>()->granted); // It still stands by the one it gave.
  });
}

SCENARIO("N26a: power that goes before a vote is durable takes a vote that nobody has heard of") {
  over_seeds(20, [](std::uint64_t seed) {
    lone_peer peer{seed};
    peer.disk_hangs();
    peer.hears(asks_for_vote(2, 7));
    peer.waits(2ms);
    CHECK(peer.last_said<vote_reply>() == nullptr);
    peer.loses_power();
    peer.node().valve().open();
    peer.returns();
    peer.hears(asks_for_vote(3, 7));
    peer.hears(asks_for_vote(2, 7));
    int granted = 0;
    for (const auto& message : peer.said())
      if (const auto* reply = std::get_if<vote_reply>(&message))
        granted += reply->granted;
    CHECK(granted <= 1);
  });
}

SCENARIO("N26b: a term heard of once is never forgotten") {
  lone_peer peer;
  peer.hears(appends(2, 9, 1));
  peer.waits(1ms);
  peer.loses_power();
  peer.returns();
  CHECK(peer.state().term == term_number{9});
  peer.hears(appends(3, 8, 1)); // A leader of the past.
  REQUIRE(peer.last_said<append_reply>() != nullptr);
  CHECK_FALSE(peer.last_said<append_reply>()->success);
  CHECK(peer.last_said<append_reply>()->about.term == term_number{9});
}

SCENARIO("N9: a candidate that steps down within a term has voted for itself, and stays with it") {
  lone_peer peer;
  const auto request = peer.becomes_candidate();
  peer.hears(appends(2, request.about.term.value(), 1)); // Peer 2 has won this term.
  CHECK(peer.state().role == "follower");
  auto other = asks_for_vote(3, request.about.term.value());
  other.transfer = true; // Asked by the leader itself, so that nothing but the vote can stand in the way.
  peer.hears(other);
  REQUIRE(peer.last_said<vote_reply>() != nullptr);
  CHECK_FALSE(peer.last_said<vote_reply>()->granted);
  CHECK(peer.disk().vote() == hard_state{request.about.term, peer_id{1}});
  other = asks_for_vote(3, request.about.term.value() + 1);
  other.transfer = true;
  peer.hears(other);
  CHECK(peer.last_said<vote_reply>()->granted); // A higher term frees the vote.
}

SCENARIO("A peer votes for nobody whose log is behind its own, by term first and then by index (E5)") {
  lone_peer peer;
  peer.hears(appends(2, 3, 1, {}, {entries(1, 1, 4), entries(3, 5)}));
  peer.waits(1ms);
  const auto grants = [&](std::uint64_t term, std::uint64_t last_term, std::uint64_t last_index) {
    auto request = asks_for_vote(3, term, {term_number{last_term}, log_index{last_index}});
    request.transfer = true;
    peer.hears(request);
    return peer.last_said<vote_reply>()->granted;
  };
  CHECK_FALSE(grants(4, 2, 100)); // Longer, but of an earlier term.
  CHECK_FALSE(grants(5, 3, 4));   // Of the same term, but shorter.
  CHECK(grants(6, 3, 5));
  CHECK(grants(7, 4, 1)); // Shorter, but of a later term.
}

SCENARIO("N10: a candidate asks nobody before its own vote is on disk") {
  lone_peer peer;
  REQUIRE(peer.waits_to_say<request_vote>(2s));
  const auto pre_vote = *peer.last_said<request_vote>();
  REQUIRE(pre_vote.pre_vote);
  peer.disk_hangs();
  peer.forgets();
  peer.hears(votes(2, pre_vote, true));
  peer.waits(400ms);
  CHECK(peer.last_said<request_vote>() == nullptr);
  peer.disk_catches_up();
  REQUIRE(peer.last_said<request_vote>() != nullptr);
  CHECK_FALSE(peer.last_said<request_vote>()->pre_vote);
  CHECK(peer.disk().vote() == hard_state{term_number{1}, peer_id{1}});
}

SCENARIO("N11: promising a pre-vote, or refusing a vote, does not put off a peer's own election") {
  over_seeds(20, [](std::uint64_t seed) {
    lone_peer peer{seed};
    peer.follows(peer_id{2}, term_number{3});
    peer.waits(499ms);
    const auto latest = peer.runtime().now() + 500ms; // A whole second after its leader was last heard.
    while (peer.last_said<request_vote>() == nullptr && peer.runtime().now() < latest) {
      peer.hears(asks_whether_it_would_vote(3, 4));
      peer.hears(asks_for_vote(3, 2));
      peer.waits(20ms);
    }
    CHECK(peer.last_said<request_vote>() != nullptr);
  });
}

SCENARIO("N11: a granted vote does put off a peer's own election") {
  over_seeds(20, [](std::uint64_t seed) {
    lone_peer peer{seed};
    peer.follows(peer_id{2}, term_number{3});
    peer.waits(450ms);
    auto request = asks_for_vote(3, 4);
    request.transfer = true;
    peer.hears(request);
    REQUIRE(peer.last_said<vote_reply>() != nullptr);
    REQUIRE(peer.last_said<vote_reply>()->granted);
    CHECK_FALSE(peer.waits_to_say<request_vote>(495ms));
    CHECK(peer.waits_to_say<request_vote>(510ms));
  });
}

namespace {

void expect_deposed(lone_peer& peer, term_number by) {
  peer.waits(1ms);
  const auto now = peer.state();
  CHECK(now.role == "follower");
  CHECK(now.term == by);
  CHECK(peer.disk().vote().current_term == by);
  peer.forgets();
  peer.waits(300ms);
  CHECK(peer.last_said<append_entries>() == nullptr); // It beats no more.
}

} // namespace

SCENARIO("N12: a higher term in any message deposes a leader, in a reply as in a request") {
  GIVEN("a leader") {
    lone_peer peer;
    const auto term = peer.becomes_leader();
    const auto higher = term + 4;
    WHEN("a reply to AppendEntries carries a higher term") {
      append_reply reply;
      reply.about = {group_id{}, peer_id{3}, peer_id{1}, higher};
      peer.hears(reply);
      expect_deposed(peer, higher);
    }
    WHEN("a vote of an earlier round carries a higher term") {
      auto reply = votes(3, asks_for_vote(1, term.value()), false);
      reply.about.term = higher;
      peer.hears(reply);
      expect_deposed(peer, higher);
    }
    WHEN("another leader's AppendEntries carries a higher term") {
      peer.hears(appends(3, higher.value(), 1));
      expect_deposed(peer, higher);
    }
  }
}

SCENARIO("N13: when an election is due, role, leader, term and timer change in one step") {
  lone_peer peer;
  peer.follows(peer_id{2}, term_number{3});
  CHECK(peer.state().leader == peer_id{2});
  REQUIRE(peer.waits_to_say<request_vote>(1100ms));
  // The moment the first word of the election is out, nothing is left of the old state.
  const auto now = peer.state();
  CHECK(now.role == "candidate");
  CHECK(now.leader == nobody);
  CHECK_FALSE(now.is_leader);
  CHECK(now.term == term_number{3}); // A pre-vote raises no term.
}

SCENARIO("N14: a higher term is adopted in every role") {
  lone_peer peer;
  peer.hears(appends(2, 5, 1)); // As a follower.
  peer.waits(1ms);
  CHECK(peer.state().term == term_number{5});
  const auto request = peer.becomes_candidate(); // As a candidate.
  CHECK(request.about.term == term_number{6});
  peer.hears(asks_for_vote(3, 9));
  peer.waits(1ms);
  CHECK(peer.state().term == term_number{9});
  CHECK(peer.state().role == "follower");
  peer.forgets();
  const auto term = peer.becomes_leader(); // As a leader.
  peer.hears(appends(3, term.value() + 1, 1));
  peer.waits(1ms);
  CHECK(peer.state().term == term.next());
}

SCENARIO("N14: a pre-vote's term is adopted by nobody, nor one from a peer whose leader lives, nor from a stranger") {
  lone_peer peer;
  peer.hears(asks_whether_it_would_vote(3, 40));
  CHECK(peer.state().term == term_number{});
  peer.follows(peer_id{2}, term_number{5});
  peer.hears(asks_for_vote(3, 40)); // Cut off for long, and back; but the leader lives (E6).
  CHECK(peer.state().term == term_number{5});
  REQUIRE(peer.last_said<vote_reply>() != nullptr);
  CHECK_FALSE(peer.last_said<vote_reply>()->granted);
  auto stranger = appends(7, 50, 1);
  peer.hears(stranger); // E13
  CHECK(peer.state().term == term_number{5});
}

SCENARIO("N15: requests for votes are repeated until they are answered, and granted as often as they come") {
  GIVEN("a candidate whose requests are lost") {
    lone_peer peer;
    REQUIRE(peer.waits_to_say<request_vote>(2s));
    peer.forgets();
    peer.waits(450ms);
    int repeated = 0;
    for (const auto& message : peer.said())
      if (const auto* request = std::get_if<request_vote>(&message))
        repeated += request->about.to == peer_id{2};
    CHECK(repeated >= 3); // Every heartbeat interval.
  }
  GIVEN("a voter whose reply was lost") {
    lone_peer peer;
    for (int time = 0; time < 3; ++time) {
      peer.forgets();
      peer.hears(asks_for_vote(2, 7));
      REQUIRE(peer.last_said<vote_reply>() != nullptr);
      CHECK(peer.last_said<vote_reply>()->granted);
    }
  }
}

SCENARIO("N18: a vote counts in the round and phase it was asked for, and in no other") {
  lone_peer peer;
  REQUIRE(peer.waits_to_say<request_vote>(2s));
  const auto pre_vote = *peer.last_said<request_vote>();
  const auto dropped = peer.state().stale_replies_dropped;
  auto wrong = votes(2, pre_vote, true);
  wrong.round = pre_vote.round + 1;
  peer.hears(wrong); // Of another round.
  wrong = votes(2, pre_vote, true);
  wrong.pre_vote = false;
  peer.hears(wrong); // Of another phase.
  CHECK(peer.state().term == term_number{});
  CHECK(peer.state().stale_replies_dropped == dropped + 2);
  const auto request = peer.becomes_candidate();
  peer.hears(votes(2, pre_vote, true)); // Late: of the phase before.
  CHECK_FALSE(peer.state().is_leader);
  peer.hears(votes(2, request, true));
  peer.waits(1ms);
  CHECK(peer.state().is_leader);
}

SCENARIO("N4: what a past term's replies say is dropped where it arrives, and counted") {
  lone_peer peer;
  const auto term = peer.becomes_leader();
  const auto dropped = peer.state().stale_replies_dropped;
  append_reply reply;
  reply.about = {group_id{}, peer_id{3}, peer_id{1}, term.before()};
  reply.success = true;
  reply.match = log_index{100};
  reply.incarnation = 1;
  reply.number = 1;
  peer.hears(reply);
  peer.hears(votes(3, asks_for_vote(1, term.value() - 1), true));
  peer.waits(1ms);
  CHECK(peer.state().stale_replies_dropped == dropped + 2);
  CHECK(peer.state().commit == log_index{});
}
