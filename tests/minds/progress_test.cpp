// A replicator's mind: one follower, probed, streamed to, backed up.
#include "actors/replicator/progress.hpp"
#include "tests/minds/lone_peer.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

/// A replicator's mind for follower 2 of leader 1 in term 5, and its leader's log behind it.
class lone_replicator {
public:
  explicit lone_replicator(log_position probe_from, peer_options options = {})
      : mind_{{{}, peer_id{1}, peer_id{2}, term_number{5}}, 1, probe_from, options}, last_{probe_from.index} {}

  void leads(std::uint64_t commit = 0, std::vector<entry_batch> appended = {}, std::uint64_t round = 0) {
    if (!appended.empty())
      last_ = appended.back().last();
    commit_ = std::max(commit_, log_index{commit});
    mind_.handle(leader_news{now_ + 500ms, commit_, last_, round, std::move(appended)}, now_, out_);
  }

  void answers(const append_entries& to, bool success, std::uint64_t match, log_position conflict = {},
               std::uint64_t last = 0) {
    append_reply reply;
    reply.about = {{}, peer_id{2}, peer_id{1}, term_number{5}};
    reply.incarnation = 1;
    reply.number = to.number;
    reply.read_round = to.read_round;
    reply.success = success;
    reply.match = log_index{match};
    reply.conflict = conflict;
    reply.last = log_index{last};
    mind_.handle(reply, now_, out_);
  }

  void is_given(log_position previous, std::vector<entry_batch> batches) {
    mind_.handle(entries_fetched{previous, std::move(batches)}, now_, out_);
  }

  void wait(duration span) {
    now_ += span;
    mind_.tick(now_, out_);
  }

  std::vector<append_entries> sent() { return std::exchange(out_.send, {}); }
  append_entries sends_one() {
    REQUIRE(out_.send.size() == 1);
    return sent().front();
  }
  std::optional<follower_heard> reports() { return std::exchange(out_.heard, std::nullopt); }
  std::optional<fetch_entries> asks_for() { return std::exchange(out_.fetch, std::nullopt); }
  progress& mind() { return mind_; }

  /// Brings it to streaming, agreed up to `probe_from`.
  void agrees() {
    leads();
    const auto probe = sends_one();
    answers(probe, true, probe.previous.index.value());
    REQUIRE(mind_.is_streaming());
  }

private:
  progress mind_;
  instant now_{1000s};
  log_index last_;
  log_index commit_;
  progress_output out_;
};

} // namespace

TEST_CASE("N20 a new leader probes at once, before there is anything to replicate") {
  lone_replicator r{at(4, 10)};
  r.leads();
  const auto probe = r.sends_one();
  CHECK(probe.previous == at(4, 10));
  CHECK(probe.batches.empty());
}

TEST_CASE("N6 an idle follower is told ten times a second that the leader lives") {
  lone_replicator r{at(4, 10)};
  r.agrees();
  (void)r.sent();
  std::size_t beats = 0;
  for (int i = 0; i < 100; ++i) {
    r.leads();
    r.wait(10ms);
    beats += r.sent().size();
  }
  CHECK(beats == 10);
}

TEST_CASE("entries stream without waiting for answers, within the window") {
  peer_options options;
  options.limits.in_flight_requests = 3;
  lone_replicator r{at(4, 10), options};
  r.agrees();
  for (std::uint64_t i = 11; i <= 20; ++i)
    r.leads(0, {batch(5, i, {"x"})});
  auto requests = r.sent();
  CHECK(requests.size() == 3);
  CHECK(r.mind().requests_in_flight() == 3);
  r.answers(requests[2], true, 13); // Cumulative: all three leave the window.
  requests = r.sent();
  REQUIRE(requests.size() == 1); // What has gathered goes together.
  CHECK(requests[0].batches.size() == 7);
  CHECK(requests[0].previous == at(5, 13));
}

TEST_CASE("N25 back-up takes one round trip per conflicting term") {
  lone_replicator r{at(4, 100)};
  r.leads();
  auto probe = r.sends_one();
  // The follower's log ends in two foreign terms: 3 from 60 on, 2 from 30 on.
  r.answers(probe, false, 0, at(3, 60), 120);
  CHECK(r.asks_for()->from == log_index{60});
  r.is_given(at(4, 59), {batch(4, 60, {"z"})});
  probe = r.sends_one();
  CHECK(probe.previous == at(4, 59));
  r.answers(probe, false, 0, at(2, 30), 120);
  CHECK(r.asks_for()->from == log_index{30});
  r.is_given(at(1, 29), {batch(1, 30, {"a"})});
  probe = r.sends_one();
  r.answers(probe, true, 30);
  CHECK(r.mind().is_streaming());
  CHECK(r.mind().refusals() == 2);
}

TEST_CASE("R5 a refusal that comes late moves nothing") {
  lone_replicator r{at(4, 10)};
  r.agrees();
  r.leads(0, {batch(5, 11, {"a"})});
  r.leads(0, {batch(5, 12, {"b"})});
  r.leads(0, {batch(5, 13, {"c"})});
  const auto requests = r.sent();
  REQUIRE(requests.size() == 3);
  r.answers(requests[1], false, 0, {}, 10); // The first was lost.
  CHECK(r.mind().next() == log_index{11});
  CHECK_FALSE(r.mind().is_streaming());
  r.is_given(at(4, 10), {batch(5, 11, {"a"}), batch(5, 12, {"b"}), batch(5, 13, {"c"})});
  auto probe = r.sends_one();
  r.answers(requests[2], false, 0, {}, 10); // Of before: it must not start another repair.
  CHECK(r.sent().empty());
  r.answers(probe, true, 13);
  CHECK(r.mind().match() == log_index{13});
  r.answers(requests[1], false, 0, {}, 10);
  CHECK(r.mind().next() == log_index{14});
  CHECK(r.mind().stale_replies() == 1);
}

TEST_CASE("N18 a success is proof however late it comes") {
  lone_replicator r{at(4, 10)};
  r.agrees();
  r.leads(0, {batch(5, 11, {"a"}), batch(5, 12, {"b"})});
  const auto request = r.sends_one();
  for (int i = 0; i < 11; ++i) {
    r.leads();
    r.wait(100ms); // It leaves the window after one election timeout.
  }
  (void)r.sent();
  (void)r.reports();
  r.answers(request, true, 12);
  CHECK(r.mind().match() == log_index{12});
  CHECK(r.mind().next() == log_index{13});
  CHECK(r.reports()->match == log_index{12});
}

TEST_CASE("a lost request is found by the next heartbeat, and repaired") {
  lone_replicator r{at(4, 10)};
  r.agrees();
  r.leads(0, {batch(5, 11, {"a"})});
  (void)r.sends_one();
  r.leads();
  r.wait(100ms);
  auto beat = r.sends_one();
  CHECK(beat.previous == at(5, 11)); // Overdue: it asks for the entry.
  r.answers(beat, false, 0, {}, 10);
  CHECK(r.mind().next() == log_index{11});
  CHECK(r.asks_for()->from == log_index{11});
  r.is_given(at(4, 10), {batch(5, 11, {"a"})});
  CHECK(r.sends_one().batches.size() == 1);
}

TEST_CASE("a lost answer is made good by the next heartbeat") {
  lone_replicator r{at(4, 10)};
  r.agrees();
  r.leads(0, {batch(5, 11, {"a"})});
  (void)r.sends_one();
  r.leads();
  r.wait(100ms);
  r.answers(r.sends_one(), true, 11);
  CHECK(r.mind().match() == log_index{11});
  CHECK(r.mind().requests_in_flight() == 0);
}

TEST_CASE("no request is sent for a commit index while entries are in flight - idle, one follows soon") {
  lone_replicator r{at(4, 10)};
  r.agrees();
  r.leads(0, {batch(5, 11, {"a"})});
  const auto first = r.sends_one();
  r.leads(0, {batch(5, 12, {"b"})});
  const auto second = r.sends_one();
  r.answers(first, true, 11);
  r.leads(11);
  CHECK(r.sent().empty());
  CHECK_FALSE(r.mind().notice_due());
  r.answers(second, true, 12);
  r.leads(12);
  CHECK(r.sent().empty());
  REQUIRE(r.mind().notice_due());
  r.wait(10ms);
  const auto notice = r.sends_one();
  CHECK(notice.batches.empty());
  CHECK(notice.commit == log_index{12});
  CHECK(notice.previous == at(5, 12));
  CHECK_FALSE(r.mind().notice_due());
}

TEST_CASE("a read round goes out at once") {
  lone_replicator r{at(4, 10)};
  r.agrees();
  r.leads(0, {}, 7);
  const auto beat = r.sends_one();
  CHECK(beat.read_round == 7);
  r.answers(beat, true, 10);
  CHECK(r.reports()->read_round == 7);
  r.leads(0, {}, 7);
  CHECK(r.sent().empty());
}

TEST_CASE("law 5: without a lease a replicator says nothing, and with a new one it goes on") {
  lone_replicator r{at(4, 10)};
  r.agrees();
  r.wait(400ms);
  CHECK_FALSE(r.sent().empty());
  r.wait(100ms); // The lease has lapsed.
  r.wait(100ms);
  r.wait(400ms);
  CHECK(r.sent().empty());
  r.leads(0, {batch(5, 11, {"a"})});
  CHECK(r.sent().size() == 1);
}

TEST_CASE("a probe that may fail carries little") {
  lone_replicator r{at(4, 10)};
  r.leads(0, {batch(5, 11, {std::string(50'000, 'x')}), batch(5, 12, {std::string(50'000, 'y')})});
  const auto probe = r.sends_one();
  CHECK(probe.batches.size() == 1);
  r.answers(probe, true, 11);
  CHECK(r.sends_one().batches.front().first() == log_index{12});
}

TEST_CASE("R6 requests are cut to their bounds without skipping an entry") {
  peer_options options;
  options.limits.request_bytes = 40;
  options.limits.request_entries = 3;
  lone_replicator r{at(4, 10), options};
  r.agrees();
  r.leads(0, {batch(5, 11, {"a", "b", "c", "d", "e"}), batch(5, 16, {std::string(100, 'x')}), batch(5, 17, {"f"})});
  auto expected = log_index{11};
  for (const auto& request : r.sent()) {
    CHECK(request.previous.index.next() == expected);
    for (const auto& b : request.batches) {
      CHECK(b.first() == expected);
      expected = b.last().next();
    }
  }
  CHECK(expected == log_index{18});
}
