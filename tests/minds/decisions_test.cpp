// The leaf decisions: each a pure function.
#include "actors/peer/append.hpp"
#include "actors/peer/ballot.hpp"
#include "actors/peer/forwarded_lots.hpp"
#include "actors/peer/quorum.hpp"
#include "actors/peer/vote.hpp"
#include "actors/peer/waiting_line.hpp"
#include "tests/minds/lone_peer.hpp"

#include <set>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("E5 peers whose terms differ by one do not refuse each other's pre-votes for ever") {
  // Peer A has the longer log and term 4, B the higher term 5 and a shorter log: B would vote for A once A runs in 5.
  const hard_state b{term_number{5}, nobody};
  CHECK(would_grant_vote(b, at(3, 2), asks_whether_it_would(1, 5, at(4, 7))));
  CHECK_FALSE(would_grant_vote(b, at(3, 2), asks_whether_it_would(1, 4, at(4, 7))));
}

TEST_CASE("a vote goes only to a log at least as up-to-date, by term first, then by length") {
  const hard_state mine{term_number{5}, nobody};
  CHECK(may_grant_vote(mine, at(3, 9), asks_for_vote(2, 5, at(4, 1))));
  CHECK(may_grant_vote(mine, at(3, 9), asks_for_vote(2, 5, at(3, 9))));
  CHECK_FALSE(may_grant_vote(mine, at(3, 9), asks_for_vote(2, 5, at(3, 8))));
  CHECK_FALSE(may_grant_vote(mine, at(3, 9), asks_for_vote(2, 5, at(2, 99))));
}

TEST_CASE("a quorum of a joint configuration is a majority of both sets") {
  configuration joint;
  joint.incoming = {peer_id{1}, peer_id{2}, peer_id{3}};
  joint.outgoing = {peer_id{3}, peer_id{4}, peer_id{5}};
  const auto has = [](std::set<std::uint64_t> ids) { return [ids](peer_id id) { return ids.contains(id.value()); }; };
  CHECK_FALSE(is_quorum(joint, has({1, 2})));
  CHECK_FALSE(is_quorum(joint, has({1, 2, 4})));
  CHECK(is_quorum(joint, has({1, 3, 4})));
  CHECK(is_quorum(configuration::of({peer_id{1}, peer_id{2}, peer_id{3}, peer_id{4}}), has({1, 2, 4})));
  CHECK_FALSE(is_quorum(configuration::of({peer_id{1}, peer_id{2}, peer_id{3}, peer_id{4}}), has({1, 2})));
}

TEST_CASE("the quorum's value is the largest that a majority has reached") {
  const auto members = configuration::of({peer_id{1}, peer_id{2}, peer_id{3}, peer_id{4}, peer_id{5}});
  const std::uint64_t values[] = {9, 3, 7, 5, 1};
  CHECK(quorum_value(members, [&](peer_id id) { return values[id.value() - 1]; }) == 5);
}

TEST_CASE("R6 I-5 a request no correct leader could send is not well-formed") {
  auto good = sends_entries(2, 5, at(3, 4), {batch(3, 5, {"a"}), batch(5, 6, {"b"})});
  CHECK(is_well_formed(good));
  CHECK_FALSE(is_well_formed(sends_entries(2, 5, at(3, 4), {batch(3, 6, {"a"})}))); // A gap.
  CHECK_FALSE(is_well_formed(sends_entries(2, 5, at(3, 4), {batch(2, 5, {"a"})}))); // A falling term.
  CHECK_FALSE(is_well_formed(sends_entries(2, 5, at(3, 4), {batch(6, 5, {"a"})}))); // A future term.
  CHECK_FALSE(is_well_formed(sends_entries(2, 5, at(3, 0))));                       // A sentinel's term.
  CHECK_FALSE(is_well_formed(sends_entries(2, 5, at(0, 3))));                       // None at all.
  CHECK_FALSE(is_well_formed(sends_entries(2, 5, at(3, 4), {batch(3, 5, {"a"}), batch(3, 7, {"b"})}))); // A hole.
}

TEST_CASE("a plan truncates at the first entry of another term, in the middle of a batch, too") {
  raft_log mine{remembers({1, 1, 2, 2}, 2)};
  auto plan = plan_append(mine, sends_entries(2, 3, at(1, 1), {batch(1, 2, {"a", "b", "c"})}));
  CHECK(plan.consistent);
  REQUIRE(plan.truncate_from);
  CHECK(*plan.truncate_from == log_index{3});
  REQUIRE(plan.fresh.size() == 1);
  CHECK(plan.fresh[0].first() == log_index{3});
  CHECK(plan.proven == log_index{4});
}

TEST_CASE("a log keeps every term when its window has let entries go") {
  raft_log mine;
  for (std::uint64_t i = 1; i <= 100; ++i)
    mine.append(batch(1 + i / 10, i, {std::string(50, 'x')}));
  mine.trim(500, log_index{101});
  CHECK(mine.window_bytes() <= 500);
  CHECK_FALSE(mine.in_window(log_index{1}));
  CHECK(mine.in_window(log_index{100}));
  CHECK(mine.term_at(log_index{5}) == term_number{1});
  CHECK(mine.first_of_run(log_index{57}) == log_index{50});
  mine.truncate_from(log_index{95});
  CHECK(mine.last_position() == at(10, 94));
}

TEST_CASE("a log gives no more entries than fit, but one at least, and splits batches") {
  raft_log mine;
  mine.append(batch(1, 1, {"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"}));
  mine.append(batch(2, 4, {"dddddddddd"}));
  CHECK(mine.entries(log_index{1}, log_index{4}, 1).front().count() == 1);
  CHECK(mine.entries(log_index{1}, log_index{4}, 31).front().count() == 2);
  CHECK(mine.entries(log_index{2}, log_index{4}, 1000).size() == 2);
  CHECK(mine.entries(log_index{2}, log_index{3}, 1000).front().last() == log_index{3});
}

TEST_CASE("log time never goes back, though a truncation empties the window") {
  auto remembered = remembers({1, 1, 2, 2}, 2);
  remembered.tail = {entry_batch::stamp({1, batch(2, 4, {"x"}).payload()}, term_number{2}, log_index{4}, 9'000'000)};
  raft_log mine{remembered};
  mine.truncate_from(log_index{4});
  CHECK(mine.last_time() == 9'000'000);
}

TEST_CASE("N24 a slice taken from a log stays what it was when the log goes on") {
  raft_log mine{remembers({1, 1, 1}, 1)};
  const auto held = mine.entries(log_index{1}, log_index{3}, 1000);
  mine.truncate_from(log_index{2});
  mine.append(batch(2, 2, {"other"}));
  std::string seen;
  for (const auto& b : held)
    for (const auto e : b)
      seen += e.content;
  CHECK(seen == "e1t1e2t1e3t1");
}

TEST_CASE("an entry batch verifies what it is made of and slices with a checksum of its own") {
  const auto whole = batch(3, 7, {"one", "two", "three"});
  CHECK(entry_batch::verify(whole.term(), whole.first(), 3, 0, whole.checksum(), whole.payload()));
  CHECK_FALSE(entry_batch::verify(whole.term(), whole.first(), 2, 0, whole.checksum(), whole.payload()));
  CHECK_FALSE(entry_batch::verify(whole.term(), whole.first(), 3, 0, whole.checksum() ^ 1, whole.payload()));
  const auto part = whole.slice(log_index{8}, log_index{9});
  CHECK(part.count() == 2);
  CHECK((*part.begin()).content == "two");
  CHECK(entry_batch::verify(part.term(), part.first(), 2, 0, part.checksum(), part.payload()));
}

TEST_CASE("CRC-32C is the Castagnoli one") {
  CHECK(crc32c("123456789") == 0xE3069283u);
  CHECK(crc32c("6789", crc32c("12345")) == 0xE3069283u);
}

namespace {

struct somebody {
  log_index first;
  std::uint32_t count = 0;
  std::uint32_t offset = 0;
  instant deadline{};
};

} // namespace

TEST_CASE("what waits longer than its deadline for a commit is given up - what is committed is not") {
  waiting_line<somebody> line;
  line.push({log_index{1}, 2, 0, instant{1s}});
  line.push({log_index{3}, 1, 0, instant{2s}});
  line.push({log_index{4}, 1, 0, instant{3s}});
  const auto overdue = line.take_overdue(log_index{1}, instant{2s});
  REQUIRE(overdue.size() == 2);
  CHECK(overdue[0].first == log_index{2});
  CHECK(overdue[0].offset == 1);
  CHECK(overdue[1].first == log_index{3});
  const auto rest = line.take_up_to(log_index{9});
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].first == log_index{1});
  CHECK(rest[1].first == log_index{4});
}

TEST_CASE("a run that awaits answers is split where the entries are, and what is behind the commit index is lost") {
  waiting_line<somebody> line;
  line.push({log_index{1}, 4, 0, {}});
  line.push({log_index{5}, 2, 0, {}});
  auto taken = line.take_up_to(log_index{2});
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].count == 2);
  const auto lost = line.take_behind(log_index{5});
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].first == log_index{6});
  CHECK(lost[0].offset == 1);
  taken = line.take_up_to(log_index{9});
  REQUIRE(taken.size() == 2);
  CHECK(taken[0].first == log_index{3});
  CHECK(taken[0].offset == 2);
  CHECK(taken[1].first == log_index{5});
}

TEST_CASE("C7 a forwarded lot takes its answers in order, and each once") {
  forwarded_lots<int> lots;
  forwarded_lot<int> lot;
  lot.count = 3;
  lot.bytes = 30;
  lots.add(5, lot);
  CHECK_FALSE(lots.find(5, 1));
  REQUIRE(lots.find(5, 0));
  lots.find(5, 0)->answered = 2;
  CHECK_FALSE(lots.find(5, 0));
  CHECK(lots.find(5, 2));
  CHECK(lots.take_if([](const auto&) { return true; }).size() == 1);
  CHECK(lots.bytes() == 0);
  CHECK(lots.empty());
}
