// Raft's rules, one at a time, on a peer's mind alone.
#include "tests/minds/lone_peer.hpp"

using namespace troupe;
using namespace troupe::test;

SCENARIO("N26a E1 a peer loses power between two candidates") {
  GIVEN("a peer that has heard candidate 2 in term 7") {
    lone_peer peer;
    peer.hears(asks_for_vote(2, 7));
    CHECK(peer.is_silent()); // A vote is a promise, and it is not yet kept.
    WHEN("the disk catches up, and only then the power goes") {
      peer.disk_catches_up();
      CHECK(peer.says<vote_reply>().granted);
      peer.lose_power();
      THEN("it refuses candidate 3 in the same term, and grants candidate 2 again") {
        peer.hears(asks_for_vote(3, 7));
        CHECK_FALSE(peer.says<vote_reply>().granted);
        peer.hears(asks_for_vote(2, 7));
        CHECK(peer.says<vote_reply>().granted);
      }
    }
    WHEN("the power goes before") {
      peer.lose_power();
      THEN("nobody was promised anything, and candidate 3 gets the vote") {
        peer.hears(asks_for_vote(3, 7));
        peer.disk_catches_up();
        CHECK(peer.says<vote_reply>().granted);
      }
    }
  }
}

SCENARIO("N9 E2 a vote is freed only by a higher term") {
  lone_peer peer;
  peer.hears(asks_for_vote(2, 7));
  peer.disk_catches_up();
  CHECK(peer.says<vote_reply>().granted);
  WHEN("a leader of the same term turns up, and is gone again") {
    peer.hears(sends_entries(2, 7, {}));
    peer.forgets_what_it_said();
    peer.wait(600ms);
    peer.forgets_what_it_said();
    THEN("another candidate of the term still gets nothing") {
      peer.hears(asks_for_vote(3, 7));
      CHECK_FALSE(peer.says<vote_reply>().granted);
    }
    THEN("one of the next term does") {
      peer.hears(asks_for_vote(3, 8));
      peer.disk_catches_up();
      CHECK(peer.says<vote_reply>().granted);
    }
  }
}

SCENARIO("N10 E3 a candidate asks nobody before its own vote is durable") {
  lone_peer peer;
  peer.waits_in_vain_for_a_leader();
  for (const auto& request : peer.requests_for_votes()) {
    CHECK(request.pre_vote);
    CHECK(request.about.term == term_number{1});
    vote_reply yes;
    yes.about = {{}, request.about.to, request.about.from, term_number{0}};
    yes.round = request.round;
    yes.pre_vote = yes.granted = true;
    peer.hears(yes);
  }
  CHECK(peer.term() == 1);
  CHECK(peer.is_silent());
  peer.wait(100ms); // Not when it is time to ask again, either.
  CHECK(peer.is_silent());
  peer.disk_catches_up();
  const auto requests = peer.requests_for_votes();
  REQUIRE(requests.size() == 2);
  CHECK_FALSE(requests[0].pre_vote);
  CHECK(requests[0].about.term == term_number{1});
}

SCENARIO("N15 a candidate repeats its request to those who have not answered") {
  lone_peer peer;
  peer.waits_in_vain_for_a_leader();
  auto first = peer.requests_for_votes();
  REQUIRE(first.size() == 2);
  vote_reply no;
  no.about = {{}, peer_id{2}, peer_id{1}, term_number{0}};
  no.round = first[0].round;
  no.pre_vote = true;
  peer.hears(no);
  peer.wait(100ms);
  const auto again = peer.requests_for_votes();
  REQUIRE(again.size() == 1);
  CHECK(again[0].about.to == peer_id{3});
  CHECK(again[0].round == first[0].round);
}

SCENARIO("N18 E10 votes of another term, phase or round, and second votes of one peer, are not counted") {
  lone_peer peer{1, 5};
  peer.waits_in_vain_for_a_leader();
  const auto round = peer.requests_for_votes().front().round;
  vote_reply yes;
  yes.about = {{}, peer_id{2}, peer_id{1}, term_number{0}};
  yes.granted = yes.pre_vote = true;
  yes.round = round;
  peer.hears(yes);
  peer.hears(yes); // The network may say it twice.
  CHECK(peer.term() == 0);
  yes.about.from = peer_id{3};
  yes.round = round - 1;
  peer.hears(yes);
  CHECK(peer.term() == 0);
  yes.round = round;
  yes.pre_vote = false;
  peer.hears(yes);
  CHECK(peer.term() == 0);
  CHECK(peer.mind().counters().stale_replies_dropped == 2);
  yes.pre_vote = true;
  peer.hears(yes);
  CHECK(peer.term() == 1);
}

SCENARIO("N11 a granted pre-vote refreshes no clock and changes no term") {
  lone_peer peer;
  const auto deadline = peer.mind().next_deadline();
  peer.hears(asks_whether_it_would(2, 1));
  const auto reply = peer.says<vote_reply>();
  CHECK(reply.granted);
  CHECK(reply.about.term == term_number{0});
  CHECK(peer.mind().next_deadline() == deadline);
  CHECK(peer.pending_writes() == 0);
}

SCENARIO("N14 E6 a peer that hears its leader gives no vote away and adopts no term") {
  lone_peer peer;
  peer.hears(sends_entries(2, 3, {}));
  peer.disk_catches_up();
  peer.forgets_what_it_said();
  peer.wait(100ms);
  peer.hears(asks_for_vote(3, 900));
  const auto reply = peer.says<vote_reply>();
  CHECK_FALSE(reply.granted);
  CHECK(reply.about.term == term_number{3});
  CHECK(peer.term() == 3);
  WHEN("the leader itself asked the candidate to run") {
    auto request = asks_for_vote(3, 4);
    request.transfer = true;
    peer.hears(request);
    peer.disk_catches_up();
    THEN("it votes") {
      CHECK(peer.says<vote_reply>().granted);
    }
  }
}

SCENARIO("E13 a term is not adopted from one who is no member") {
  lone_peer peer;
  peer.hears(asks_for_vote(9, 900));
  CHECK(peer.term() == 0);
}

SCENARIO("N12 a higher term deposes a leader, in a request and in a reply") {
  lone_peer peer;
  peer.becomes_leader();
  REQUIRE(peer.mind().is_leader());
  WHEN("it comes in a reply") {
    append_reply reply;
    reply.about = {{}, peer_id{2}, peer_id{1}, term_number{5}};
    reply.incarnation = 1;
    CHECK_FALSE(peer.admits(reply));
  }
  WHEN("it comes in a request") {
    peer.hears(sends_entries(3, 5, {}));
  }
  CHECK_FALSE(peer.mind().is_leader());
  CHECK(peer.leadership_ended);
  CHECK(peer.term() == 5);
}

SCENARIO("N4 replies of an old term or incarnation end at the peer, and are counted") {
  lone_peer peer;
  peer.becomes_leader();
  const auto before = peer.mind().counters().stale_replies_dropped;
  append_reply reply;
  reply.about = {{}, peer_id{2}, peer_id{1}, peer.mind().current_term()};
  reply.incarnation = 2;
  CHECK_FALSE(peer.admits(reply));
  reply.incarnation = 1;
  reply.about.term = term_number{0};
  CHECK_FALSE(peer.admits(reply));
  CHECK(peer.mind().counters().stale_replies_dropped == before + 2);
  reply.about.term = peer.mind().current_term();
  CHECK(peer.admits(reply));
}

SCENARIO("N13 when an election is due, the leader is forgotten in the same transition") {
  lone_peer peer;
  peer.hears(sends_entries(2, 3, {}));
  peer.disk_catches_up();
  CHECK(peer.mind().leader() == peer_id{2});
  peer.waits_in_vain_for_a_leader();
  CHECK(peer.mind().leader() == nobody);
  CHECK(peer.mind().is_candidate());
  CHECK(peer.term() == 3); // A pre-vote raises no term.
}

SCENARIO("law 1: a request that was withheld and overtaken is answered by a refusal, once, in a durable term") {
  lone_peer peer;
  peer.hears(asks_for_vote(2, 7));
  const auto first_write = write_id{1};
  peer.hears(asks_for_vote(3, 8)); // A higher term, before the disk has caught up.
  CHECK(peer.is_silent());
  peer.disk_reports(first_write);
  CHECK(peer.is_silent()); // Term 8 is not durable: nothing of it may be said, and of term 7 nothing holds any more.
  peer.disk_catches_up();
  CHECK(peer.durable().vote == hard_state{term_number{8}, peer_id{3}});
  const auto replies = peer.replies_to_votes();
  REQUIRE(replies.size() == 2);
  for (const auto& reply : replies) {
    CHECK(reply.about.term == term_number{8});
    CHECK(reply.granted == (reply.about.to == peer_id{3}));
  }
}

SCENARIO("law 1: a follower acknowledges entries when they are durable, and a heartbeat at once") {
  lone_peer peer;
  peer.hears(sends_entries(2, 1, {}));
  peer.disk_catches_up();
  peer.forgets_what_it_said();
  peer.hears(sends_entries(2, 1, {}, {batch(1, 1, {"a", "b"})}));
  CHECK(peer.is_silent());
  peer.hears(sends_entries(2, 1, at(1, 2)));
  auto beat = peer.says<append_reply>();
  CHECK(beat.success);
  CHECK(beat.match == log_index{0}); // In memory, but not durable.
  peer.disk_catches_up();
  auto reply = peer.says<append_reply>();
  CHECK(reply.success);
  CHECK(reply.match == log_index{2});
}

SCENARIO("a follower knows the longest silence of the leader of its term") {
  lone_peer peer;
  const auto longest = [&] { return peer.mind().counters().longest_leader_silence; };
  peer.wait(300ms);
  peer.hears(sends_entries(2, 5, {}));
  CHECK(longest() == 0ms); // Before its first word it was no leader.
  peer.disk_catches_up();
  peer.wait(120ms);
  peer.hears(sends_entries(2, 5, {}));
  peer.wait(80ms);
  peer.hears(sends_piece(at(5, 9), 1, 0, 4)); // A piece of its snapshot is a word like any other.
  CHECK(longest() == 120ms);
  WHEN("it is silent until this peer asks whether it would be elected, and then speaks") {
    peer.wait(1100ms);
    REQUIRE(peer.mind().is_candidate());
    peer.hears(sends_entries(2, 5, {}));
    THEN("that was the longest") {
      CHECK(longest() == 1100ms);
    }
  }
  WHEN("another leads in a later term") {
    peer.wait(200ms);
    peer.hears(sends_entries(3, 6, {}));
    CHECK(longest() == 0ms);
    peer.wait(90ms);
    peer.hears(sends_entries(3, 6, {}));
    THEN("only its own silences count") {
      CHECK(longest() == 90ms);
    }
  }
}

SCENARIO("N22 R2 R3 a shorter request that arrives late neither cuts the log nor vouches for more than it carries") {
  lone_peer peer;
  peer.hears(sends_entries(2, 1, {}, {batch(1, 1, {"1", "2", "3", "4", "5", "6", "7"})}));
  peer.disk_catches_up();
  peer.forgets_what_it_said();
  peer.hears(sends_entries(2, 1, at(1, 2), {batch(1, 3, {"3", "4", "5"})}, 7));
  const auto reply = peer.says<append_reply>();
  CHECK(peer.last() == 7);
  CHECK(reply.match == log_index{5});
  CHECK(peer.commit() == 5); // R4: what this request proved, not what the log holds.
}

SCENARIO("N21 an entry that conflicts is replaced with all behind it, and truncation is durable before the answer") {
  lone_peer peer{1, 3, remembers({1, 1, 2, 2}, 2)};
  peer.hears(sends_entries(2, 3, at(1, 2), {batch(3, 3, {"x"})}));
  CHECK(peer.last() == 3);
  CHECK(peer.is_silent());
  CHECK(peer.mind().durable_last() == log_index{2}); // What is about to go does not count.
  peer.disk_catches_up();
  const auto reply = peer.says<append_reply>();
  CHECK(reply.success);
  CHECK(reply.match == log_index{3});
  CHECK(peer.mind().entries().term_at(log_index{3}) == term_number{3});
}

SCENARIO("N25 a refusal names the conflicting term's first index, or the end of a log that is too short") {
  lone_peer peer{1, 3, remembers({1, 2, 2, 2, 2}, 2)};
  peer.hears(sends_entries(2, 4, at(3, 4)));
  peer.disk_catches_up();
  auto reply = peer.says<append_reply>();
  CHECK_FALSE(reply.success);
  CHECK(reply.conflict == at(2, 2));
  peer.hears(sends_entries(2, 4, at(3, 9)));
  reply = peer.says<append_reply>();
  CHECK_FALSE(reply.success);
  CHECK(reply.conflict == at(0, 0));
  CHECK(reply.last == log_index{5});
}

SCENARIO("R14 an old request never lowers the commit index") {
  lone_peer peer;
  peer.hears(sends_entries(2, 1, {}, {batch(1, 1, {"a", "b", "c"})}, 3));
  CHECK(peer.commit() == 3);
  peer.hears(sends_entries(2, 1, {}, {batch(1, 1, {"a"})}, 1));
  CHECK(peer.commit() == 3);
}

SCENARIO("R1 a leader commits no entry of an older term by counting") {
  lone_peer peer{1, 3, remembers({1, 2}, 2), [] {
                   peer_options bare;
                   bare.term_start_no_op = false;
                   return bare;
                 }()};
  peer.becomes_leader();
  peer.hears_of_follower(2, 2);
  CHECK(peer.commit() == 0); // On a quorum, but of an older term (Figure 8).
  (void)peer.proposes("of its own term");
  peer.disk_catches_up();
  CHECK(peer.commit() == 0);
  peer.hears_of_follower(2, 3);
  CHECK(peer.commit() == 3);
}

SCENARIO("R11 a leader counts its own entry only when its own disk has it") {
  lone_peer peer;
  peer.becomes_leader();
  peer.disk_catches_up();
  const auto first = peer.proposes("a").first;
  REQUIRE(first);
  peer.hears_of_follower(2, first->index.value());
  CHECK(peer.commit() < first->index.value());
  peer.disk_catches_up();
  CHECK(peer.commit() == first->index.value());
}

SCENARIO("N16 index 0 is never delivered, and without the no-op the first command has index 1") {
  peer_options bare;
  bare.term_start_no_op = false;
  lone_peer peer{1, 3, {}, bare};
  peer.becomes_leader();
  CHECK(peer.last() == 0);
  CHECK(peer.commit() == 0);
  const auto first = peer.proposes("first").first;
  REQUIRE(first);
  CHECK(first->index == log_index{1});
}

SCENARIO("E8 a leader that hears of no quorum for an election timeout steps down, by when its requests were sent") {
  lone_peer peer;
  peer.becomes_leader();
  peer.disk_catches_up();
  for (int i = 0; i < 9; ++i)
    peer.wait(100ms);
  CHECK(peer.mind().is_leader());
  // An answer that comes now to a request of long ago is no sign of life.
  peer.hears(follower_heard{peer_id{2}, peer.mind().current_term(), 1, log_index{1}, 0, peer.now() - 950ms});
  peer.wait(100ms);
  CHECK_FALSE(peer.mind().is_leader());
  CHECK(peer.leadership_ended);
}

SCENARIO("law 5: a leader whose disk hangs lets its lease lapse and steps down - an idle disk is alive") {
  lone_peer peer;
  peer.becomes_leader();
  peer.disk_catches_up();
  for (int i = 0; i < 30; ++i) {
    peer.wait(100ms);
    peer.hears_of_follower(2, 1);
  }
  REQUIRE(peer.mind().is_leader());
  const auto asked = peer.now();
  (void)peer.proposes("never durable");
  REQUIRE(peer.last_output().news);
  CHECK(peer.last_output().news->lease_until == asked + 500ms);
  for (int i = 0; i < 4; ++i) {
    peer.wait(100ms);
    peer.hears_of_follower(2, 1);
    REQUIRE(peer.mind().is_leader());
  }
  peer.wait(100ms);
  CHECK_FALSE(peer.mind().is_leader());
  CHECK(peer.term() == 1); // In memory: there is no disk to write a term to.
  peer.forgets_what_it_said();
  peer.wait(1000ms);
  CHECK(peer.is_silent()); // Nor does it run while it cannot keep promises.
}

SCENARIO("law 6: beyond the bound on uncommitted bytes a leader refuses at once") {
  peer_options small;
  small.limits.uncommitted_bytes = 100;
  lone_peer peer{1, 3, {}, small};
  peer.becomes_leader();
  peer.disk_catches_up();
  REQUIRE(peer.proposes(std::string(80, 'x')).first);
  CHECK(peer.proposes(std::string(80, 'x')).why == refusal::busy);
  peer.disk_catches_up();
  peer.hears_of_follower(2, peer.last());
  CHECK(peer.proposes(std::string(80, 'x')).first);
}

SCENARIO("a group of one elects itself and commits by itself") {
  lone_peer peer{1, 1};
  peer.becomes_leader();
  CHECK(peer.mind().is_leader());
  const auto first = peer.proposes("alone").first;
  peer.disk_catches_up();
  CHECK(peer.commit() == first->index.value());
  CHECK_FALSE(peer.mind().begin_read(1, peer.now()));
  peer_output out;
  peer.mind().flush(peer.now(), out);
  REQUIRE(out.confirmed_reads.size() == 1);
}

SCENARIO("law 2: a command that waits for its flush reaches the followers although the disk reports first") {
  lone_peer peer;
  peer.becomes_leader(); // Its no-op is being written.
  entry_block_builder block;
  block.add(entry_kind::command, "x");
  REQUIRE(peer.mind().propose(block.take(), peer.now()).first); // Its flush is queued behind the disk's report.
  peer.disk_catches_up();
  REQUIRE(peer.last_output().news);
  CHECK(peer.last_output().news->appended.size() == 1);
  CHECK(peer.last_output().news->last == log_index{2});
  CHECK(peer.last_output().writes.size() == 1);
}

SCENARIO("N23 a leader deposed between a proposal and its flush writes what its log holds, and nothing else") {
  lone_peer peer;
  peer.becomes_leader();
  peer.disk_catches_up();
  entry_block_builder block;
  block.add(entry_kind::command, "old");
  REQUIRE(peer.mind().propose(block.take(), peer.now()).first); // Index 2; its flush is still to come.
  peer.hears(sends_entries(2, 2, at(1, 1), {batch(2, 2, {"new"})}));
  peer.disk_catches_up(); // The model of the disk asserts that entries are consecutive; the real one does, too.
  CHECK(peer.durable().last == log_index{2});
  CHECK(peer.durable().tail.back().term() == term_number{2});
}

SCENARIO("a second leader of the term is not believed, and the operator hears of it") {
  lone_peer peer;
  peer.becomes_leader();
  peer.disk_catches_up();
  peer.forgets_what_it_said();
  peer.hears(sends_entries(2, peer.term(), {}));
  CHECK(peer.mind().is_leader());
  REQUIRE(peer.last_output().facts.size() == 1);
  CHECK(peer.last_output().facts[0].what.find("second_leader") != std::string::npos);
}

SCENARIO("E13 strangers are neither followed nor counted, nor is their term adopted") {
  lone_peer peer;
  WHEN("one sends entries") {
    peer.hears(sends_entries(9, 900, {}));
    CHECK(peer.mind().leader() == nobody);
    CHECK(peer.mind().counters().malformed_dropped == 1);
  }
  WHEN("one answers a request for a vote") {
    peer.waits_in_vain_for_a_leader();
    vote_reply reply;
    reply.about = {{}, peer_id{9}, peer_id{1}, term_number{900}};
    reply.round = peer.requests_for_votes().front().round;
    reply.pre_vote = true;
    peer.hears(reply);
    reply.about.term = term_number{0};
    reply.granted = true;
    peer.hears(reply); // E10: nor would its vote count.
    CHECK(peer.mind().is_candidate());
  }
  CHECK(peer.term() == 0);
}

SCENARIO("the election timer restarts on entering the vote phase") {
  lone_peer peer;
  peer.waits_in_vain_for_a_leader();
  const auto requests = peer.requests_for_votes();
  peer.wait(400ms); // Pre-votes come late, but before the next attempt.
  peer.forgets_what_it_said();
  vote_reply yes;
  yes.about = {{}, peer_id{2}, peer_id{1}, term_number{0}};
  yes.round = requests.front().round;
  yes.pre_vote = yes.granted = true;
  peer.hears(yes);
  REQUIRE(peer.term() == 1);
  peer.disk_catches_up();
  for (int i = 0; i < 4; ++i)
    peer.wait(100ms);
  peer.wait(99ms);
  CHECK(peer.term() == 1);
  for (const auto& request : peer.requests_for_votes())
    CHECK_FALSE(request.pre_vote); // Still the same attempt.
}

SCENARIO("R10 a proposal over its bound is refused before it reaches the log") {
  peer_options small;
  small.limits.proposal_bytes = 100;
  lone_peer peer{1, 3, {}, small};
  peer.becomes_leader();
  const auto last = peer.last();
  CHECK(peer.proposes(std::string(200, 'x')).why == refusal::too_large);
  CHECK(peer.last() == last);
}

SCENARIO("law 6: reads beyond their bound are refused at once") {
  peer_options small;
  small.limits.waiting_reads = 2;
  lone_peer peer{1, 3, {}, small};
  peer.becomes_leader();
  CHECK_FALSE(peer.mind().begin_read(1, peer.now()));
  CHECK_FALSE(peer.mind().begin_read(2, peer.now()));
  CHECK(peer.mind().begin_read(3, peer.now()) == refusal::busy);
}

SCENARIO("a leader that is deposed and elected again has all its room for proposals") {
  peer_options small;
  small.limits.uncommitted_bytes = 100;
  lone_peer peer{1, 3, {}, small};
  peer.becomes_leader();
  peer.disk_catches_up();
  REQUIRE(peer.proposes(std::string(80, 'x')).first);
  peer.hears(sends_entries(2, 5, at(1, 1), {batch(5, 2, {"other"})}));
  peer.disk_catches_up();
  peer.forgets_what_it_said();
  peer.becomes_leader();
  REQUIRE(peer.mind().is_leader());
  CHECK(peer.proposes(std::string(80, 'x')).first);
}

SCENARIO("log time goes on where the log before ended, and never back") {
  auto remembered = remembers({1}, 1);
  entry_block_builder block;
  block.add(entry_kind::command, "x");
  remembered.tail = {entry_batch::stamp(block.take(), term_number{1}, log_index{1}, 9'000'000)};
  lone_peer peer{1, 3, remembered};
  peer.becomes_leader();
  peer.wait(50ms);
  (void)peer.proposes("y");
  const auto stamped = peer.mind().entries().entries(log_index{3}, log_index{3}, 1000).front();
  CHECK(stamped.leader_time() == 9'050'000);
}

SCENARIO("R12 leadership ends with the commit index of that moment, though the same request commits more") {
  lone_peer peer;
  peer.becomes_leader();
  peer.disk_catches_up();
  REQUIRE(peer.proposes("mine").first->index == log_index{2});
  peer.hears(sends_entries(2, 2, at(1, 1), {batch(2, 2, {"another's"})}, 2));
  CHECK(peer.commit() == 2);
  REQUIRE(peer.last_output().leadership_ended);
  CHECK(*peer.last_output().leadership_ended == log_index{0});
}
