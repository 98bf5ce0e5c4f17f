// What a hostile reading of snapshots and full disks has found, told as stories to the minds.
#include "actors/replicator/progress.hpp"
#include "tests/minds/lone_peer.hpp"

using namespace troupe;
using namespace troupe::test;

TEST_CASE("A snapshot that rests goes on under steady reads, which send heartbeats of their own") {
  instant now{1000s};
  progress_output out;
  progress mind{{{}, peer_id{1}, peer_id{2}, term_number{5}}, 1, at(5, 60), {}};
  std::uint64_t round = 0;
  const auto answer = [&](const install_snapshot& to) {
    snapshot_reply reply;
    reply.about = {{}, peer_id{2}, peer_id{1}, term_number{5}};
    reply.incarnation = 1;
    reply.number = to.number;
    reply.at = to.at;
    mind.handle(reply, now, out);
  };
  mind.handle(leader_news{now + 500ms, log_index{60}, log_index{60}, round, {}}, now, out);
  mind.handle(entries_fetched{{}, {}, snapshot_mark{at(4, 50), 7, 300'000}}, now, out);
  answer(std::exchange(out.send_pieces, {}).at(0)); // asks
  REQUIRE(out.fetch_piece);
  out.fetch_piece.reset();
  mind.handle(piece_fetched{log_index{50}, 0, shared_bytes{std::string(65536, 's')}}, now, out);
  answer(std::exchange(out.send_pieces, {}).at(0)); // no room: rests
  CHECK_FALSE(out.fetch_piece);
  for (int i = 0; i < 1000; ++i) { // 50 s, one read each 50 ms
    now += 50ms;
    mind.handle(leader_news{now + 500ms, log_index{60}, log_index{60}, ++round, {}}, now, out);
    mind.tick(now, out);
  }
  CHECK(out.fetch_piece);
}

TEST_CASE("A lost piece of a snapshot is asked about under steady reads") {
  instant now{1000s};
  progress_output out;
  progress mind{{{}, peer_id{1}, peer_id{2}, term_number{5}}, 1, at(5, 60), {}};
  std::uint64_t round = 0;
  mind.handle(leader_news{now + 500ms, log_index{60}, log_index{60}, round, {}}, now, out);
  mind.handle(entries_fetched{{}, {}, snapshot_mark{at(4, 50), 7, 300'000}}, now, out);
  REQUIRE(std::exchange(out.send_pieces, {}).size() == 1); // lost
  for (int i = 0; i < 1000; ++i) {
    now += 50ms;
    mind.handle(leader_news{now + 500ms, log_index{60}, log_index{60}, ++round, {}}, now, out);
    mind.tick(now, out);
  }
  CHECK(out.send_pieces.size() > 0);
}

TEST_CASE("Z1 a follower whose disk was full gets entries again under steady reads") {
  progress mind{{{}, peer_id{1}, peer_id{2}, term_number{5}}, 1, at(4, 10), {}};
  progress_output out;
  instant now{1000s};
  std::uint64_t round = 0;
  const auto answer = [&](const append_entries& to, bool success, bool full) {
    append_reply reply;
    reply.about = {{}, peer_id{2}, peer_id{1}, term_number{5}};
    reply.incarnation = 1;
    reply.number = to.number;
    reply.success = success;
    reply.match = success ? to.previous.index : log_index{};
    reply.last = log_index{10};
    reply.is_full = full;
    mind.handle(reply, now, out);
  };
  mind.handle(leader_news{now + 500ms, {}, log_index{10}, 0, {}}, now, out);
  answer(std::exchange(out.send, {}).at(0), true, false);
  mind.handle(leader_news{now + 500ms, {}, log_index{11}, 0, {batch(5, 11, {"c"})}}, now, out);
  answer(std::exchange(out.send, {}).at(0), false, true);
  mind.handle(entries_fetched{at(4, 10), {batch(5, 11, {"c"})}}, now, out);
  bool sent = false;
  for (int i = 0; i < 1000; ++i) {
    now += 50ms;
    mind.handle(leader_news{now + 500ms, {}, log_index{11}, ++round, {}}, now, out);
    mind.tick(now, out);
    for (auto& m : std::exchange(out.send, {})) {
      sent = sent || !m.batches.empty();
      answer(m, true, false); // It has room again.
    }
  }
  CHECK(sent);
}

TEST_CASE("A snapshot that cannot be read is not asked for again in the same instant, over and over") {
  instant now{1000s};
  progress_output out;
  progress mind{{{}, peer_id{1}, peer_id{2}, term_number{5}}, 1, at(5, 60), {}};
  mind.handle(leader_news{now + 500ms, log_index{60}, log_index{60}, 0, {}}, now, out);
  int reads = 0;
  out.fetch = fetch_entries{};
  for (int step = 0; step < 1000; ++step) {
    if (std::exchange(out.fetch, std::nullopt))
      mind.handle(entries_fetched{{}, {}, snapshot_mark{at(4, 50), 7, 300'000}}, now, out);
    for (auto& to : std::exchange(out.send_pieces, {})) {
      snapshot_reply reply;
      reply.about = {{}, peer_id{2}, peer_id{1}, term_number{5}};
      reply.incarnation = 1;
      reply.number = to.number;
      reply.at = to.at;
      mind.handle(reply, now, out);
    }
    if (std::exchange(out.fetch_piece, std::nullopt)) {
      ++reads;
      mind.handle(piece_fetched{log_index{50}, 0, {}}, now, out);
    }
  }
  CHECK(reads < 5);
}

TEST_CASE("A snapshot answer that was overtaken by a term is a refusal in the new one (law 3)") {
  lone_peer peer{1, 3, remembers({1, 1}, 5)};
  peer.hears(sends_piece(at(4, 50), 1, 0, 10));
  peer.stores_pieces();
  peer.stores_pieces();
  CHECK(peer.is_silent());
  peer.hears(sends_entries(3, 6, at(5, 70)));
  peer.disk_catches_up();
  // Two messages: the snapshot answer and the append answer; none may be of term 5.
  bool old_term = false;
  for (auto m = peer.said_now(); auto& each : m)
    old_term = old_term || about(each).term.value() == 5;
  CHECK_FALSE(old_term);
}

TEST_CASE("P9 the term of a recovered snapshot is remembered no later than the log's beginning") {
  auto group = remembers({1, 1, 2}, 2);
  group.snapshots = {{at(3, 20), 7, 100}};
  lone_peer peer{1, 3, group};
  peer.disk_catches_up();
  CHECK(peer.durable().start.before == at(3, 20));
  CHECK(peer.durable().vote.current_term.value() >= 3);
}

TEST_CASE("Withheld answers have an end, heartbeats' too (law 6)") {
  lone_peer peer{1, 3, remembers({1}, 5)};
  for (int i = 0; i < 20000; ++i)
    peer.hears(sends_entries(2, 6, at(1, 1)));
  peer.disk_catches_up();
  CHECK(peer.said_now().size() < 10000);
}

TEST_CASE("A leader outlives the end of a reception it began as a follower") {
  lone_peer peer{1, 3, remembers({4, 4}, 5)};
  peer.hears(sends_piece(at(4, 2), 1, 0, 10));
  peer.stores_pieces(); // the piece; the end is asked for, slowly
  auto end = peer.pieces;
  peer.forgets_what_it_said();
  peer.becomes_leader();
  entry_block_builder block;
  block.add(entry_kind::command, "c");
  (void)peer.mind().propose(block.take(), peer.now()); // not flushed yet
  peer.pieces = end;
  peer.stores_pieces();
  CHECK(peer.mind().is_leader());
}
