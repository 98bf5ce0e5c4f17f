// What one follower does with AppendEntries that come late, twice or in the wrong order.
#include "tests/support/lone_peer.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

log_position at(std::uint64_t term, std::uint64_t index) {
  return {term_number{term}, log_index{index}};
}

} // namespace

SCENARIO("N22: entries 3-5 that arrive after 3-7 leave 1 to 7") {
  lone_peer peer;
  peer.hears(appends(2, 1, 1, {}, {entries(1, 1, 2)}));
  peer.hears(appends(2, 1, 3, at(1, 2), {entries(1, 3, 5)}));
  peer.hears(appends(2, 1, 2, at(1, 2), {entries(1, 3, 3)}));
  peer.waits(1ms);
  CHECK(peer.disk().last() == log_index{7});
  CHECK(peer.last_said<append_reply>()->success);
  CHECK(peer.last_said<append_reply>()->match == log_index{5}); // It proves no more than it carried (R3).
}

SCENARIO("N22: only a real conflict truncates, and then everything behind it goes") {
  lone_peer peer;
  peer.hears(appends(2, 1, 1, {}, {entries(1, 1, 7)}));
  peer.waits(1ms);
  peer.hears(appends(3, 2, 1, at(1, 3), {entries(1, 4, 1), entries(2, 5, 1)}));
  peer.waits(1ms);
  CHECK(peer.disk().last() == log_index{5});
  CHECK(peer.disk().durable_at(log_index{5})->term == term_number{2});
  CHECK(peer.last_said<append_reply>()->match == log_index{5});
}

SCENARIO("N22: a follower commits no further than a request has proven") {
  lone_peer peer;
  peer.hears(appends(2, 1, 1, {}, {entries(1, 1, 7)}));
  peer.waits(1ms);
  // The leader of term 2 has committed up to 7, of its own log; this request proves only up to 3 (R4).
  peer.hears(appends(3, 2, 1, at(1, 3), {}, 7));
  peer.waits(1ms);
  CHECK(peer.state().commit == log_index{3});
  CHECK(peer.delivered() == std::vector<std::string>{"1/1", "1/2", "1/3"});
}

SCENARIO("N18: a commit index in an overtaken request does not take the follower's back (R14)") {
  lone_peer peer;
  peer.hears(appends(2, 1, 1, {}, {entries(1, 1, 5)}, 0));
  peer.hears(appends(2, 1, 3, at(1, 5), {}, 5));
  peer.hears(appends(2, 1, 2, at(1, 5), {}, 2));
  peer.waits(1ms);
  CHECK(peer.state().commit == log_index{5});
  CHECK(peer.delivered().size() == 5);
}

SCENARIO("N26c: a success is said when the entries are on disk, a heartbeat's answer at once") {
  lone_peer peer;
  peer.hears(appends(2, 1, 1));
  peer.waits(1ms);
  peer.disk_hangs();
  peer.forgets();
  peer.hears(appends(2, 1, 2, {}, {entries(1, 1, 3)}));
  peer.waits(10ms);
  CHECK(peer.is_silent());
  peer.hears(appends(2, 1, 3));
  REQUIRE(peer.last_said<append_reply>() != nullptr);
  CHECK(peer.last_said<append_reply>()->number == 3);
  CHECK(peer.last_said<append_reply>()->match == log_index{});
  peer.disk_catches_up();
  CHECK(peer.last_said<append_reply>()->number == 2);
  CHECK(peer.last_said<append_reply>()->match == log_index{3});
  peer.loses_power();
  peer.returns();
  CHECK(peer.state().last == log_index{3});
}

SCENARIO("N25: a refusal names the term in the way and where its run begins") {
  lone_peer peer;
  peer.hears(appends(2, 5, 1, {}, {entries(1, 1, 3), entries(2, 4, 10), entries(5, 14, 4)}));
  peer.waits(1ms);
  peer.hears(appends(3, 6, 1, at(4, 20)));
  CHECK_FALSE(peer.last_said<append_reply>()->success);
  CHECK(peer.last_said<append_reply>()->last == log_index{17});
  CHECK(peer.last_said<append_reply>()->conflict == log_position{}); // Too short: no entry there at all.
  peer.hears(appends(3, 6, 2, at(1, 11)));
  CHECK(peer.last_said<append_reply>()->conflict == at(2, 4));
}

SCENARIO("N2: start answers at once in every role, even while the disk hangs") {
  lone_peer peer;
  peer.disk_hangs();
  GIVEN("a follower") {
    peer.hears(appends(2, 1, 1));
    const auto reply = peer.start("x");
    REQUIRE(reply.has_value());
    CHECK_FALSE(reply->is_leader);
  }
  GIVEN("a pre-candidate") {
    REQUIRE(peer.waits_to_say<request_vote>(2s));
    const auto reply = peer.start("x");
    REQUIRE(reply.has_value());
    CHECK_FALSE(reply->is_leader);
  }
  GIVEN("a leader") {
    peer.disk_catches_up();
    const auto term = peer.becomes_leader();
    peer.disk_hangs();
    for (std::uint64_t i = 1; i <= 10; ++i) {
      const auto reply = peer.start("x");
      REQUIRE(reply.has_value());
      CHECK(reply->is_leader);
      CHECK(reply->term == term);
      CHECK(reply->index == log_index{i});
    }
    CHECK(peer.state().commit == log_index{}); // Nobody has it on disk.
  }
}
