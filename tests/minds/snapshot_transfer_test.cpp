// A replicator whose follower needs entries that the leader's log has no more.
#include "actors/replicator/progress.hpp"
#include "tests/minds/lone_peer.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr std::uint64_t size_bytes = 300'000;

/// Follower 2 of leader 1 in term 5 has refused all the way back; what it needs is forgotten, and a snapshot at 50 of
/// term 4 stands for it. The leader's log ends at 60.
class needs_snapshot {
public:
  needs_snapshot() {
    renew();
    mind_.handle(entries_fetched{{}, {}, snapshot_mark{at(4, 50), 7, size_bytes}}, now_, out_);
  }

  void renew() { mind_.handle(leader_news{now_ + 500ms, log_index{60}, log_index{60}, 0, {}}, now_, out_); }

  void wait(duration span) {
    now_ += span;
    renew();
    mind_.tick(now_, out_);
  }

  /// The piece it asked its leader for.
  void is_given() {
    const auto wanted = asks_for();
    REQUIRE(wanted);
    const auto count = std::min<std::uint64_t>(wanted->max_bytes, size_bytes - wanted->offset);
    mind_.handle(piece_fetched{wanted->index, wanted->offset, shared_bytes{std::string(count, 's')}}, now_, out_);
  }

  void answers(const install_snapshot& to, std::uint64_t received, bool installed = false) {
    snapshot_reply reply;
    reply.about = {{}, peer_id{2}, peer_id{1}, term_number{5}};
    reply.incarnation = 1;
    reply.number = to.number;
    reply.at = to.at;
    reply.received_bytes = received;
    reply.is_installed = installed;
    reply.match = installed ? to.at.index : log_index{};
    mind_.handle(reply, now_, out_);
  }

  std::optional<fetch_piece> asks_for() { return std::exchange(out_.fetch_piece, std::nullopt); }
  std::vector<install_snapshot> pieces() { return std::exchange(out_.send_pieces, {}); }
  install_snapshot sends_piece() {
    REQUIRE(out_.send_pieces.size() == 1);
    return pieces().front();
  }
  std::vector<append_entries> entries_sent() { return std::exchange(out_.send, {}); }
  std::optional<fetch_entries> asks_for_entries() { return std::exchange(out_.fetch, std::nullopt); }
  progress& mind() { return mind_; }
  [[nodiscard]] instant now() const { return now_; }
  void gone() { mind_.handle(piece_fetched{log_index{50}, 0, {}}, now_, out_); }

private:
  instant now_{1000s};
  progress_output out_;
  progress mind_{{{}, peer_id{1}, peer_id{2}, term_number{5}}, 1, at(5, 60), {}};
};

} // namespace

TEST_CASE("A replicator sends a snapshot one piece at a time, and feels for the log behind it") {
  needs_snapshot r;
  CHECK(r.mind().is_sending_snapshot());
  auto piece = r.sends_piece(); // What does the follower have of it already?
  CHECK(piece.bytes.empty());
  r.answers(piece, 0);
  std::uint64_t sent = 0;
  while (sent < size_bytes) {
    r.is_given();
    piece = r.sends_piece();
    CHECK(piece.offset == sent);
    CHECK_FALSE(r.asks_for()); // One at a time.
    sent += piece.bytes.size();
    if (sent < size_bytes)
      r.answers(piece, sent);
  }
  (void)r.entries_sent();
  r.answers(piece, size_bytes, true);
  CHECK_FALSE(r.mind().is_sending_snapshot());
  CHECK(r.mind().match().value() == 50);
  const auto wanted = r.asks_for_entries();
  REQUIRE(wanted);
  CHECK(wanted->from.value() == 51);
  r.wait(100ms);
  CHECK(r.entries_sent().back().previous == at(4, 50));
}

TEST_CASE("A transfer goes on where the follower says it is: after a lost link, too (S9)") {
  needs_snapshot r;
  r.answers(r.sends_piece(), 200'000);
  const auto wanted = r.asks_for();
  REQUIRE(wanted);
  CHECK(wanted->offset == 200'000);
}

TEST_CASE("A piece that nobody answers is asked about again, no sooner than an election timeout") {
  needs_snapshot r;
  r.answers(r.sends_piece(), 0);
  r.is_given();
  (void)r.sends_piece();
  r.wait(900ms);
  CHECK(r.pieces().empty());
  r.wait(200ms);
  CHECK(r.sends_piece().bytes.empty());
}

TEST_CASE("A piece that brought nothing is tried again with the next heartbeat, not at once (Z1)") {
  needs_snapshot r;
  r.answers(r.sends_piece(), 0);
  r.is_given();
  r.answers(r.sends_piece(), 0);
  CHECK_FALSE(r.asks_for());
  CHECK(r.pieces().empty());
  r.wait(100ms);
  CHECK(r.asks_for());
}

TEST_CASE("N9 S12 heartbeats go on beside a snapshot, and pieces shrink on a slow link") {
  needs_snapshot r;
  r.answers(r.sends_piece(), 0);
  r.is_given();
  const auto first = r.sends_piece();
  (void)r.entries_sent();
  r.wait(100ms);
  CHECK(r.entries_sent().size() == 1);
  r.wait(100ms); // Longer than a heartbeat.
  r.answers(first, first.bytes.size());
  const auto wanted = r.asks_for();
  REQUIRE(wanted);
  CHECK(wanted->max_bytes == first.bytes.size() / 2);
}

TEST_CASE("Pieces grow on a quick link, up to their bound") {
  needs_snapshot r;
  r.answers(r.sends_piece(), 0);
  r.is_given();
  const auto first = r.sends_piece();
  r.answers(first, first.bytes.size());
  const auto wanted = r.asks_for();
  REQUIRE(wanted);
  CHECK(wanted->max_bytes == 2 * first.bytes.size());
}

TEST_CASE("No piece is larger than its bound, however long the one before was unanswered") {
  snapshot_transfer transfer{{at(4, 50), 7, size_bytes}, 1024};
  transfer.sent(1, instant{1000s});
  transfer.beat(instant{1002s}, 1s);
  CHECK(transfer.next() == snapshot_transfer::step::ask);
  CHECK(transfer.piece_bytes() == 1024);
}

TEST_CASE("A snapshot that is gone is given up for what stands there now") {
  needs_snapshot r;
  r.answers(r.sends_piece(), 0);
  REQUIRE(r.asks_for());
  r.gone();
  CHECK_FALSE(r.asks_for_entries()); // Not at once: perhaps there is no other yet.
  r.wait(100ms);
  CHECK_FALSE(r.mind().is_sending_snapshot());
  CHECK(r.asks_for_entries());
}

TEST_CASE("A late word that a snapshot is installed counts, and one of an unknown request that it is not does not") {
  needs_snapshot r;
  auto piece = r.sends_piece();
  piece.number = 999;
  r.answers(piece, 5);
  CHECK(r.mind().stale_replies() == 1);
  CHECK(r.mind().is_sending_snapshot());
  r.answers(piece, size_bytes, true);
  CHECK(r.mind().match().value() == 50);
  CHECK_FALSE(r.mind().is_sending_snapshot());
}

TEST_CASE("A follower whose disk is full is asked again with each heartbeat, not in between (Z1)") {
  progress mind{{{}, peer_id{1}, peer_id{2}, term_number{5}}, 1, at(4, 10), {}};
  progress_output out;
  instant now{1000s};
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
  CHECK(out.heard->is_disk_full);
  REQUIRE(out.fetch);
  mind.handle(entries_fetched{at(4, 10), {batch(5, 11, {"c"})}}, now, out);
  CHECK(out.send.empty());
  now += 100ms;
  mind.handle(leader_news{now + 500ms, {}, log_index{11}, 0, {}}, now, out);
  mind.tick(now, out);
  const auto again = std::exchange(out.send, {});
  REQUIRE(!again.empty());
  CHECK(again.front().batches.size() == 1);
}
