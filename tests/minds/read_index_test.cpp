// Linearizable reads (thesis 6.4).
#include "tests/minds/lone_peer.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

void reads(lone_peer& peer, std::uint64_t ticket) {
  REQUIRE_FALSE(peer.mind().begin_read(ticket, peer.now()));
  peer_output out;
  peer.mind().flush(peer.now(), out);
}

} // namespace

SCENARIO("Q2 a read waits until the leader has committed an entry of its own term") {
  lone_peer peer{1, 3, remembers({1, 1}, 1)};
  peer.becomes_leader();
  reads(peer, 1);
  peer.hears_of_follower(2, 2, 1); // The quorum knows the leader, but the leader may not know all that is committed.
  CHECK(peer.confirmed.empty());
  peer.disk_catches_up();
  peer.hears_of_follower(2, 3, 1);
  REQUIRE(peer.confirmed.size() == 1);
  CHECK(peer.confirmed[0].at == log_index{3});
}

SCENARIO("Q3 an answer to a request sent before a read confirms nothing") {
  lone_peer peer;
  peer.becomes_leader();
  peer.disk_catches_up();
  peer.hears_of_follower(2, 1);
  reads(peer, 1);
  reads(peer, 2);
  peer.hears_of_follower(2, 1, 1); // Echoes the first round only.
  REQUIRE(peer.confirmed.size() == 1);
  CHECK(peer.confirmed[0].ticket == 1);
  peer.hears_of_follower(3, 1, 2);
  CHECK(peer.confirmed.size() == 2);
}

SCENARIO("Q6 a read that cannot be confirmed ends by its deadline") {
  peer_options options;
  options.client_deadline = 300ms;
  lone_peer peer{1, 3, {}, options};
  peer.becomes_leader();
  peer.disk_catches_up();
  reads(peer, 1);
  for (int i = 0; i < 4; ++i)
    peer.wait(100ms);
  REQUIRE(peer.failed.size() == 1);
  CHECK(peer.failed[0].why == refusal::not_ready);
}

SCENARIO("Q1 a deposed leader answers no read") {
  lone_peer peer;
  peer.becomes_leader();
  peer.disk_catches_up();
  reads(peer, 1);
  peer.hears(sends_entries(2, 9, {}));
  REQUIRE(peer.failed.size() == 1);
  CHECK(peer.failed[0].why == refusal::no_leader);
  CHECK(peer.confirmed.empty());
  CHECK(peer.mind().begin_read(2, peer.now()) == refusal::no_leader);
}
