// Snapshots in a peer's mind: what they stand for, how one is received, and that nothing else is believed meanwhile.
#include "actors/peer/snapshot_policy.hpp"
#include "messages/snapshot_content.hpp"
#include "messages/wire.hpp"
#include "tests/minds/lone_peer.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::test;

namespace {

/// Entries 1 to 20 are forgotten; the log goes on with these terms.
recovered_group remembers_behind(log_position before, std::vector<std::uint64_t> terms, std::uint64_t current_term) {
  recovered_group group;
  group.vote = {term_number{current_term}, nobody};
  group.start = {before, 7, before.index};
  group.snapshots = {{before, 7, 100}};
  group.last = before.index;
  for (const auto term : terms) {
    group.tail.push_back(batch(term, group.last.value() + 1, {"x"}));
    if (group.terms.empty() || group.terms.back().term.value() != term)
      group.terms.push_back({group.last.next(), term_number{term}});
    group.last = group.last.next();
  }
  return group;
}

} // namespace

TEST_CASE("A log that begins behind a snapshot knows where it begins, and nothing before") {
  raft_log log{remembers_behind(at(3, 20), {3, 3, 4}, 4)};
  CHECK(log.base() == at(3, 20));
  CHECK(log.last_position() == at(4, 23));
  CHECK(log.term_at(log_index{20}).value() == 3);
  CHECK(log.has(at(3, 20)));
  CHECK_FALSE(log.has(at(3, 19)));
  CHECK(log.agrees_at(at(1, 7))); // It was committed, whatever it was.
  CHECK(log.first_of_run(log_index{22}).value() == 21);
  log.forget_up_to(at(3, 22));
  CHECK(log.base() == at(3, 22));
  CHECK(log.first_of_run(log_index{23}).value() == 23);
  log.forget_up_to(at(4, 23));
  CHECK(log.last_position() == at(4, 23));
  log.append(batch(4, 24, {"y"}));
  CHECK(log.term_at(log_index{24}).value() == 4);
  log.begin_behind(at(6, 90), 0);
  CHECK(log.last_position() == at(6, 90));
  CHECK_FALSE(log.in_window(log_index{24}));
}

TEST_CASE("A log that forgets a part of a batch keeps the rest of it") {
  raft_log log;
  log.append(batch(2, 1, {"a", "b", "c", "d"}));
  log.forget_up_to(at(2, 2));
  CHECK(log.in_window(log_index{3}));
  CHECK_FALSE(log.in_window(log_index{2}));
  CHECK(log.entries(log_index{3}, log_index{4}, 1000).front().count() == 2);
}

TEST_CASE("A peer begins with what its snapshot stands for committed, and its state loaded") {
  lone_peer peer{1, 3, remembers_behind(at(3, 20), {3, 4}, 4)};
  CHECK(peer.commit() == 20);
  CHECK(peer.last() == 22);
  REQUIRE(peer.installed.size() == 1);
  CHECK(peer.installed.front().at == at(3, 20));
  CHECK(peer.pending_writes() == 0);
}

TEST_CASE("S2 a snapshot that became durable before its log did is the log's beginning all the same") {
  GIVEN("a disk whose log ends before its newest snapshot") {
    auto group = remembers({1, 1, 2}, 4);
    group.snapshots = {{at(3, 20), 7, 100}};
    lone_peer peer{1, 3, group};
    THEN("the peer goes on behind the snapshot, and tells its disk so") {
      CHECK(peer.last() == 20);
      CHECK(peer.commit() == 20);
      CHECK(peer.pending_writes() == 1);
      peer.disk_catches_up();
      CHECK(peer.durable().start.before == at(3, 20));
    }
  }
  GIVEN("a disk whose log has another term where the snapshot ends") {
    auto group = remembers({1, 1, 2}, 4);
    group.snapshots = {{at(3, 2), 7, 100}};
    lone_peer peer{1, 3, group};
    THEN("that log is void") {
      CHECK(peer.last() == 2);
      CHECK(peer.mind().entries().last_position() == at(3, 2));
    }
  }
}

TEST_CASE("An AppendEntries from before the log's beginning is taken from there on (R2)") {
  lone_peer peer{1, 3, remembers_behind(at(3, 20), {3}, 5)};
  peer.hears(sends_entries(2, 5, at(3, 18), {batch(3, 19, {"s", "t", "x", "y"})}, 22));
  peer.disk_catches_up();
  const auto reply = peer.says<append_reply>();
  CHECK(reply.success);
  CHECK(reply.match.value() == 22);
  CHECK(peer.last() == 22);
  CHECK(peer.mind().entries().base() == at(3, 20));
}

TEST_CASE("A snapshot is received piece by piece, verified as a whole, and takes the log's place in one write") {
  lone_peer peer{1, 3, remembers({1, 1}, 5)};
  peer.hears(sends_piece(at(4, 50), 1, 0, 6));
  CHECK(peer.is_silent()); // The answer waits for the disk.
  peer.stores_pieces();
  auto reply = peer.says<snapshot_reply>();
  CHECK(reply.received_bytes == 6);
  CHECK_FALSE(reply.is_installed);
  CHECK(peer.last() == 2); // Received aside.

  peer.hears(sends_piece(at(4, 50), 2, 6, 4));
  peer.stores_pieces(); // The last piece;
  CHECK(peer.is_silent());
  REQUIRE(peer.pieces.size() == 1);
  CHECK(peer.pieces.front().is_end);
  CHECK(peer.last() == 2);
  peer.stores_pieces(); // and the whole, durable.
  CHECK(peer.last() == 50);
  CHECK(peer.commit() == 50);
  REQUIRE(peer.installed.size() == 1);
  CHECK(peer.is_silent()); // Its log does not begin there yet, on the disk.
  peer.disk_catches_up();
  reply = peer.says<snapshot_reply>();
  CHECK(reply.number == 2);
  CHECK(reply.is_installed);
  CHECK(reply.match.value() == 50);
  CHECK(peer.durable().start.before == at(4, 50));

  // And the log goes on behind it.
  peer.hears(sends_entries(2, 5, at(4, 50), {batch(5, 51, {"n"})}));
  peer.disk_catches_up();
  CHECK(peer.says<append_reply>().match.value() == 51);
}

TEST_CASE("S2 what continues an installed snapshot is kept") {
  lone_peer peer{1, 3, remembers({1, 1, 2, 2}, 5)};
  peer.hears(sends_piece(at(2, 3), 1, 0, 10));
  peer.stores_pieces();
  peer.stores_pieces();
  peer.disk_catches_up();
  CHECK(peer.says<snapshot_reply>().match.value() == 3);
  CHECK(peer.last() == 4);
  CHECK(peer.mind().entries().base() == at(2, 3));
  CHECK(peer.mind().durable_last().value() == 4);
}

TEST_CASE("S3 what conflicts with an installed snapshot goes, all of it") {
  lone_peer peer{1, 3, remembers({1, 1, 2, 2, 2}, 5)};
  peer.hears(sends_piece(at(4, 3), 1, 0, 10));
  peer.stores_pieces();
  peer.stores_pieces();
  CHECK(peer.mind().durable_last().value() == 0); // Until the disk knows: what it has is void.
  peer.disk_catches_up();
  CHECK(peer.says<snapshot_reply>().match.value() == 3);
  CHECK(peer.mind().entries().last_position() == at(4, 3));
  CHECK(peer.durable().tail.empty());
}

TEST_CASE("A snapshot of what is committed already is not needed, and the leader hears so (S2)") {
  lone_peer peer{1, 3, remembers({1, 1, 2}, 5)};
  peer.hears(sends_entries(2, 5, at(2, 3), {}, 3));
  peer.forgets_what_it_said();
  peer.hears(sends_piece(at(1, 2), 1, 0, 6));
  const auto reply = peer.says<snapshot_reply>();
  CHECK(reply.is_installed);
  CHECK(reply.match.value() == 2);
  CHECK(peer.pieces.empty());
}

TEST_CASE("S9 pieces out of order, doubled, or of another snapshot are answered with where to go on") {
  lone_peer peer{1, 3, remembers({1}, 5)};
  peer.hears(sends_piece(at(4, 50), 1, 6, 4)); // Never begun.
  CHECK(peer.says<snapshot_reply>().received_bytes == 0);
  peer.hears(sends_piece(at(4, 50), 2, 0, 6));
  peer.hears(sends_piece(at(4, 50), 3, 0, 6)); // Doubled, while the first is on its way to the disk.
  CHECK(peer.says<snapshot_reply>().number == 3);
  peer.stores_pieces();
  CHECK(peer.says<snapshot_reply>().number == 2);
  peer.hears(sends_piece(at(4, 50), 4, 8, 2)); // One is missing.
  CHECK(peer.says<snapshot_reply>().received_bytes == 6);
  peer.hears(sends_piece(at(4, 50), 5, 6, 0)); // A question.
  CHECK(peer.says<snapshot_reply>().received_bytes == 6);
  GIVEN("another leader with a snapshot of the same place") {
    auto piece = sends_piece(at(4, 50), 1, 6, 4);
    piece.about.from = peer_id{3};
    piece.about.term = term_number{6};
    peer.hears(piece);
    peer.disk_catches_up();
    THEN("what came of the first is worth nothing: its bytes may differ") {
      CHECK(peer.says<snapshot_reply>().received_bytes == 0);
      CHECK(peer.pieces.empty());
    }
  }
}

TEST_CASE("A newer snapshot that is begun gives up the older, and both requests are answered") {
  lone_peer peer{1, 3, remembers({1}, 5)};
  peer.hears(sends_piece(at(4, 50), 1, 0, 6));
  peer.hears(sends_piece(at(4, 60), 2, 0, 6));
  CHECK(peer.says<snapshot_reply>().number == 1);
  peer.stores_pieces();
  const auto reply = peer.says<snapshot_reply>();
  CHECK(reply.number == 2);
  CHECK(reply.received_bytes == 6);
}

TEST_CASE("A piece that cannot be stored is answered, and reception begins anew (Z1)") {
  lone_peer peer{1, 3, remembers({1}, 5)};
  peer.hears(sends_piece(at(4, 50), 1, 0, 6));
  peer.hears(reception_failed{{}, {at(4, 50), 7, 10}, "no room"});
  CHECK(peer.says<snapshot_reply>().received_bytes == 0);
  peer.hears(sends_piece(at(4, 50), 2, 6, 4));
  CHECK(peer.says<snapshot_reply>().received_bytes == 0);
}

TEST_CASE("A whole snapshot that cannot be made durable is answered, and the next is received like any (Z1)") {
  lone_peer peer{1, 3, remembers({1}, 5)};
  peer.hears(sends_piece(at(4, 50), 1, 0, 10));
  peer.stores_pieces();
  REQUIRE(peer.pieces.size() == 1);
  REQUIRE(peer.pieces.front().is_end);
  peer.pieces.clear();
  peer.hears(reception_failed{{}, {at(4, 50), 7, 10}, "no room"});
  CHECK(peer.says<snapshot_reply>().received_bytes == 0);
  peer.hears(sends_piece(at(4, 50), 2, 0, 10));
  peer.stores_pieces();
  peer.stores_pieces();
  CHECK(peer.commit() == 50);
}

TEST_CASE("A newer snapshot that is begun while the older is made durable is received like any, and the older is not "
          "taken for it") {
  for (const std::uint64_t index : {50, 60}) { // Another leader's may be of the same place.
    lone_peer peer{1, 3, remembers({1}, 5)};
    peer.hears(sends_piece(at(4, 50), 1, 0, 10));
    peer.stores_pieces();
    REQUIRE(peer.pieces.size() == 1);
    REQUIRE(peer.pieces.front().is_end);
    auto newer = sends_piece(at(4, index), 2, 0, 6);
    newer.time = 8;
    peer.hears(newer);
    peer.forgets_what_it_said();
    peer.stores_pieces();
    CHECK(peer.installed.empty());
    newer = sends_piece(at(4, index), 3, 6, 4);
    newer.time = 8;
    peer.hears(newer);
    peer.stores_pieces();
    peer.stores_pieces();
    REQUIRE(peer.installed.size() == 1);
    CHECK(peer.installed.front().time == 8);
    CHECK(peer.commit() == index);
  }
}

TEST_CASE("No snapshot is made durable before the term it came in is") {
  lone_peer peer{1, 3, remembers({1}, 4)};
  peer.hears(sends_piece(at(4, 50), 1, 0, 10)); // Term 5 is news to it.
  peer.stores_pieces();
  CHECK(peer.pieces.empty());
  peer.disk_catches_up();
  REQUIRE(peer.pieces.size() == 1);
  CHECK(peer.pieces.front().is_end);
}

TEST_CASE(
    "A piece of an old term is refused in the present one, and a leader's word is taken like any leader's (N12)") {
  lone_peer peer{1, 3, remembers({1}, 9)};
  peer.hears(sends_piece(at(4, 50), 1, 0, 6));
  CHECK(peer.says<snapshot_reply>().about.term.value() == 9);
  CHECK(peer.pieces.empty());
}

TEST_CASE("A peer forgets its log up to a snapshot, and its disk does") {
  lone_peer peer{1, 1};
  peer.becomes_leader();
  peer.disk_catches_up();
  for (int i = 0; i < 9; ++i)
    peer.proposes("c");
  peer.disk_catches_up();
  REQUIRE(peer.commit() == 10);
  peer.mind().note_snapshot({at(1, 8), 0, 100});
  peer_output out;
  peer.mind().forget_up_to(log_index{6}, log_index{8}, peer.now(), out);
  REQUIRE(out.writes.size() == 1);
  CHECK(out.writes.front().what.start->before == at(1, 6));
  CHECK(out.writes.front().what.start->oldest_snapshot.value() == 8);
  CHECK(peer.mind().entries().base() == at(1, 6));
}

// -- a disk without room ---------------------------------------------------------------------------------------------

TEST_CASE("Z1 a follower whose disk is full refuses commands, says why, and takes what opens a term") {
  lone_peer peer{1, 3, remembers({1}, 5)};
  peer.hears(disk_room{true});
  peer.hears(sends_entries(2, 5, at(1, 1), {batch(5, 2, {"c"})}));
  auto reply = peer.says<append_reply>();
  CHECK_FALSE(reply.success);
  CHECK(reply.is_full);
  CHECK(peer.last() == 1);
  entry_block_builder no_op;
  no_op.add(entry_kind::no_op, {});
  peer.hears(sends_entries(2, 5, at(1, 1), {entry_batch::stamp(no_op.take(), term_number{5}, log_index{2}, 0)}));
  peer.disk_catches_up();
  CHECK(peer.says<append_reply>().match.value() == 2);
  peer.hears(disk_room{false});
  peer.hears(sends_entries(2, 5, at(5, 2), {batch(5, 3, {"c"})}));
  peer.disk_catches_up();
  reply = peer.says<append_reply>();
  CHECK(reply.success);
  CHECK_FALSE(reply.is_full);
}

TEST_CASE("Z2 a leader whose disk is full refuses commands and hands over to who has room and all entries") {
  lone_peer peer{1, 3};
  peer.becomes_leader();
  peer.disk_catches_up();
  peer.hears_of_follower(2, 1);
  peer.forgets_what_it_said();
  GIVEN("a follower that has room, but not everything") {
    peer.hears_of_follower(2, 0);
    peer.proposes("late");
    peer.disk_catches_up();
    peer.hears(disk_room{true});
    THEN("it goes on, takes no commands, and hands over when the follower has caught up") {
      CHECK(peer.proposes("more").why == refusal::busy);
      CHECK(peer.mind().is_leader());
      peer.forgets_what_it_said();
      peer.hears_of_follower(2, 2);
      peer.wait(100ms);
      CHECK_FALSE(peer.mind().is_leader());
      CHECK(peer.says<timeout_now>().about.to == peer_id{2});
    }
  }
  GIVEN("followers that are all as full") {
    for (const std::uint64_t id : {2, 3})
      peer.hears(follower_heard{peer_id{id}, peer.mind().current_term(), 1, log_index{1}, 0, peer.now(), true});
    peer.hears(disk_room{true});
    peer.wait(100ms);
    THEN("it goes on leading: reads are still answered (Z3)") {
      CHECK(peer.mind().is_leader());
    }
  }
}

TEST_CASE("Z3 a leader whose full disk holds a write goes on for as long as nobody else has room") {
  // One burst of commands was larger than what was set aside.
  lone_peer peer{1, 3};
  peer.becomes_leader();
  peer.disk_catches_up();
  const auto hears_of = [&](std::uint64_t follower, std::uint64_t match, bool is_full) {
    peer.hears(
        follower_heard{peer_id{follower}, peer.mind().current_term(), 1, log_index{match}, 0, peer.now(), is_full});
  };
  REQUIRE(peer.proposes("held").first);
  peer.hears(disk_room{true});
  for (int heartbeat = 0; heartbeat < 50; ++heartbeat) {
    for (const std::uint64_t id : {2, 3})
      hears_of(id, 1, true);
    peer.wait(100ms);
  }
  CHECK(peer.mind().is_leader());
  peer.forgets_what_it_said();
  hears_of(2, 2, false);
  peer.wait(100ms);
  CHECK_FALSE(peer.mind().is_leader());
  CHECK(peer.says<timeout_now>().about.to == peer_id{2});
}

TEST_CASE("Z3 a follower that is gone has no room for anything, once another's disk is full") {
  lone_peer peer{1, 3};
  peer.becomes_leader();
  peer.disk_catches_up();
  for (int heartbeat = 0; heartbeat < 50; ++heartbeat) {
    peer.hears(follower_heard{peer_id{2}, peer.mind().current_term(), 1, log_index{1}, 0, peer.now(), true});
    peer.wait(100ms);
  }
  CHECK(peer.mind().is_leader());
  CHECK(peer.proposes("nobody would acknowledge it").why == refusal::busy);
  peer.hears(follower_heard{peer_id{3}, peer.mind().current_term(), 1, log_index{1}, 0, peer.now(), false});
  CHECK(peer.proposes("it is back").first);
}

TEST_CASE("Z3 a leader takes commands only while the disks of a quorum have room") {
  lone_peer peer{1, 3};
  peer.becomes_leader();
  peer.disk_catches_up();
  const auto hears_of_room = [&](std::uint64_t follower, bool is_full) {
    peer.hears(follower_heard{peer_id{follower}, peer.mind().current_term(), 1, log_index{1}, 0, peer.now(), is_full});
  };
  hears_of_room(2, true);
  CHECK(peer.proposes("with two of three").first);
  hears_of_room(3, true);
  CHECK(peer.proposes("nobody would acknowledge it").why == refusal::busy);
  CHECK(peer.mind().is_leader());
  hears_of_room(2, false);
  CHECK(peer.proposes("again").first);
}

TEST_CASE("A follower that is told to runs at once, and its request overcomes the others' stickiness (E12)") {
  lone_peer peer{1, 3, remembers({1}, 5)};
  peer.hears(sends_entries(2, 5, at(1, 1)));
  peer.forgets_what_it_said();
  timeout_now run;
  run.about = {{}, peer_id{3}, peer_id{1}, term_number{5}};
  peer.hears(run); // Not its leader.
  CHECK(peer.term() == 5);
  run.about.from = peer_id{2};
  peer.hears(run);
  peer.disk_catches_up();
  const auto requests = peer.requests_for_votes();
  REQUIRE(requests.size() == 2);
  CHECK(requests.front().transfer);
  CHECK_FALSE(requests.front().pre_vote);
  CHECK(requests.front().about.term.value() == 6);
}

TEST_CASE("A peer whose disk is full lets others run first") {
  lone_peer peer{1, 3};
  peer.hears(disk_room{true});
  peer.waits_in_vain_for_a_leader();
  CHECK_FALSE(peer.mind().is_candidate());
  peer.waits_in_vain_for_a_leader();
  CHECK_FALSE(peer.mind().is_candidate());
  peer.waits_in_vain_for_a_leader();
  CHECK(peer.mind().is_candidate());
}

// -- when, and what of the log stays ---------------------------------------------------------------------------------

TEST_CASE("A snapshot is due by bytes or entries, not too often for its size, and in any case at last") {
  snapshot_policy policy;
  policy.log_bytes = 100;
  policy.log_entries = 10;
  policy.ratio_percent = 50;
  policy.most_log_bytes = 1000;
  CHECK_FALSE(is_snapshot_due(policy, {0, 0}, 0));
  CHECK_FALSE(is_snapshot_due(policy, {99, 9}, 0));
  CHECK(is_snapshot_due(policy, {100, 1}, 0));
  CHECK(is_snapshot_due(policy, {9, 10}, 0));
  CHECK_FALSE(is_snapshot_due(policy, {100, 20}, 400));
  CHECK(is_snapshot_due(policy, {200, 20}, 400));
  CHECK_FALSE(is_snapshot_due(policy, {999, 20}, 4000));
  CHECK(is_snapshot_due(policy, {1000, 20}, 4000));
}

TEST_CASE("The log goes up to the older of two snapshots, never into what a follower is being sent (S6, S11)") {
  const auto mark = [](std::uint64_t index) { return snapshot_mark{at(1, index), 0, 1}; };
  snapshot_policy policy;
  policy.trailing_entries = 5;
  CHECK_FALSE(plan_forgetting(policy, {}, 0, {}));
  CHECK_FALSE(plan_forgetting(policy, {mark(100)}, 0, {}));
  CHECK(plan_forgetting(policy, {mark(100), mark(200)}, 0, {}) == forgetting{log_index{100}, log_index{100}});
  CHECK(plan_forgetting(policy, {mark(100), mark(200), mark(300)}, 0, {})
        == forgetting{log_index{200}, log_index{200}});
  CHECK(plan_forgetting(policy, {mark(100), mark(200), mark(300)}, 0, log_index{100})
        == forgetting{log_index{100}, log_index{100}});
  policy.trailing_entries = 250;
  CHECK(plan_forgetting(policy, {mark(100), mark(200), mark(300)}, 0, {}) == forgetting{log_index{50}, log_index{200}});
  // Where entries are large, so many of them are too much to keep.
  CHECK(plan_forgetting(policy, {mark(100), mark(200), mark(300)}, policy.log_bytes, {})
        == forgetting{log_index{200}, log_index{200}});
  policy.trailing_entries = 0;
  policy.kept = 1;
  CHECK(plan_forgetting(policy, {mark(100), mark(200)}, 0, {}) == forgetting{log_index{200}, log_index{200}});
}

// -- content ---------------------------------------------------------------------------------------------------------

namespace {

class text_reader final : public snapshot_reader {
public:
  explicit text_reader(std::string content) : mark_{at(1, 9), 0, content.size()}, content_{std::move(content)} {}
  const snapshot_mark& mark() const override { return mark_; }
  std::string read(std::uint64_t offset, std::size_t max_bytes) override { return content_.substr(offset, max_bytes); }

private:
  snapshot_mark mark_;
  std::string content_;
};

std::string content_of(const snapshot_head& head, const std::string& state) {
  snapshot_content content{encode(head), view_of(state)};
  return read_all(content);
}

std::string read_back(const std::string& content) {
  snapshot_state state{std::make_shared<text_reader>(content)};
  return read_all(state);
}

} // namespace

TEST_CASE("S8 a snapshot holds members, sessions, removed members and cluster version beside the state") {
  const snapshot_head head{configuration::of({peer_id{1}, peer_id{2}, peer_id{3}}), {peer_id{9}}, 1};
  const std::string state(700'000, 's');
  const auto content = content_of(head, state);
  snapshot_state read{std::make_shared<text_reader>(content)};
  CHECK(read.head() == head);
  CHECK(read_all(read) == state);
  CHECK(read_back(content_of(head, "")) == "");
}

TEST_CASE("S8 a snapshot that lacks one of the mandatory sections is refused, whole as it is otherwise") {
  const auto content = content_of({configuration::of({peer_id{1}, peer_id{2}}), {peer_id{9}}, 1}, "the state");
  constexpr std::size_t sections_at = 16;
  constexpr std::size_t checksum_bytes = 4;
  const auto number_at = [&](std::size_t offset) {
    return wire_reader{std::string_view{content}.substr(offset, 4)}.take<std::uint32_t>();
  };
  const auto sections_end = sections_at + number_at(12);
  std::size_t sections = 0;
  for (auto at = sections_at; at < sections_end; ++sections) {
    const auto size = 1 + 4 + number_at(at + 1);
    std::string length;
    wire_writer{length}.put(static_cast<std::uint32_t>(sections_end - sections_at - size));
    auto without = content.substr(0, 12) + length + content.substr(sections_at, at - sections_at)
        + content.substr(at + size, content.size() - at - size - checksum_bytes);
    wire_writer{without}.put(crc32c(without));
    CHECK_THROWS_WITH(read_back(without), doctest::Contains("lacks a mandatory section"));
    at += size;
  }
  CHECK(sections == 4);
}

TEST_CASE("S10 a snapshot's content with any bit flipped, or cut anywhere, is refused") {
  const auto content = content_of({configuration::of({peer_id{1}, peer_id{2}}), {}, 1}, "the state");
  std::size_t cases = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit, ++cases) {
      auto damaged = content;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      CHECK_THROWS(read_back(damaged));
    }
    CHECK_THROWS(read_back(content.substr(0, i)));
  }
  MESSAGE(cases << " bit flips");
}

TEST_CASE("Content that comes in pieces is whole when all of it came and matches its checksum") {
  const auto content = content_of({configuration::of({peer_id{1}}), {}, 1}, "the state");
  for (const std::size_t piece : {1, 3, 7, 1000}) {
    content_check check{content.size()};
    for (std::size_t i = 0; i < content.size(); i += piece) {
      CHECK_FALSE(check.is_whole());
      check.take(std::string_view{content}.substr(i, piece));
    }
    CHECK(check.is_whole());
  }
  content_check other{content.size()};
  auto damaged = content;
  damaged[20] = static_cast<char>(damaged[20] ^ 1);
  other.take(damaged);
  CHECK_FALSE(other.is_whole());
}
