#include "tests/hosts/cluster.hpp"

using namespace troupe;
using namespace troupe::testing;

namespace {

/// A new leader must be there by then: the old one has to be missed, and votes may split once or twice. Far above what
/// it takes (about two election timeouts), and far below what a connection's own timeouts would take (minutes).
constexpr duration few_election_timeouts = 15 * election_timeout;

/// Waits until a host's node does not lead any more.
void await_stepping_down(hosted_cluster& three, host_number host) {
  REQUIRE(comes_true(
      [&] {
        const auto status = three.status_of(host);
        return status && status->role != "leader";
      },
      few_election_timeouts));
}

/// Whether a reply is an error that says the truth: not carried out, or perhaps.
bool is_refusal(const resp_reply& reply) {
  return reply.is_error("CLUSTERDOWN") || reply.is_error("UNCERTAIN");
}

} // namespace

TEST_CASE("N7 a leader that is cut off serves nothing, is replaced, and follows when it is back") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster three{3};
  three.start_all({"--client-deadline", "2s"});
  const auto first = three.await_leader();
  const auto old = host_of(first);
  three.must_set(three.all(), "before", "1");
  three.must_set(three.all(), "contested", "old");

  three.network.unplug(old);
  CHECK(is_refusal(three.call(old, {"SET", "contested", "lost"})));
  CHECK(is_refusal(three.call(old, {"GET", "contested"})));
  const auto second = three.await_leader(three.all_but(old), first.term, few_election_timeouts);
  three.must_set(three.all_but(old), "contested", "new");
  await_stepping_down(three, old);
  CHECK(three.call(old, {"GET", "contested"}).is_error("CLUSTERDOWN"));
  CHECK(three.call(old, {"SET", "contested", "late"}).is_error("CLUSTERDOWN"));

  three.network.plug(old);
  CHECK(comes_true([&] { return three.call(old, {"GET", "contested"}).text == "new"; }, patience));
  CHECK(three.call(old, {"GET", "before"}).text == "1");
  CHECK(three.await_leader().term >= second.term);
}

TEST_CASE("E8 a leader that can send and not receive is replaced within a few election timeouts") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster three{3};
  three.start_all();
  const auto first = three.await_leader();
  const auto old = host_of(first);
  three.must_set(three.all(), "k", "1");
  for (const auto other : three.all_but(old))
    three.network.swallow(other, old);
  const auto second = three.await_leader(three.all_but(old), first.term, few_election_timeouts);
  three.must_set(three.all_but(old), "k", "2");
  await_stepping_down(three, old);
  CHECK_FALSE(three.call(old, {"GET", "k"}).text == "1");
  three.network.heal();
  CHECK(comes_true([&] { return three.call(old, {"GET", "k"}).text == "2"; }, patience));
}

TEST_CASE("E7 a leader that can receive and not send is replaced within a few election timeouts") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster three{3};
  three.start_all();
  const auto first = three.await_leader();
  const auto old = host_of(first);
  three.must_set(three.all(), "k", "1");
  for (const auto other : three.all_but(old))
    three.network.swallow(old, other);
  const auto second = three.await_leader(three.all_but(old), first.term, few_election_timeouts);
  three.must_set(three.all_but(old), "k", "2");
  await_stepping_down(three, old);
  CHECK_FALSE(three.call(old, {"GET", "k"}).text == "1");
  three.network.heal();
  CHECK(comes_true([&] { return three.call(old, {"GET", "k"}).text == "2"; }, patience));
}

TEST_CASE(
    "E6 a follower that can speak and not hear disturbs no healthy leader, neither then nor when it hears again") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster three{3};
  // More patient than elsewhere: a disk that stalls on a busy machine must not cost the leader its office here.
  constexpr duration longest = 3s;
  three.start_all({"--election-timeout", "2s..3s"});
  const auto leader = three.await_leader();
  const auto deaf = three.all_but(host_of(leader)).front();
  for (const auto other : three.all_but(deaf))
    three.network.swallow(other, deaf);
  const auto until = std::chrono::steady_clock::now() + 3 * longest;
  for (int n = 0; std::chrono::steady_clock::now() < until; ++n)
    REQUIRE(three.call(host_of(leader), {"SET", "k", std::to_string(n)}).is_ok());
  const auto meanwhile = three.status_of(host_of(leader));
  REQUIRE(meanwhile);
  CHECK(meanwhile->role == "leader");
  CHECK(meanwhile->term == leader.term);
  three.network.heal();
  three.await_agreement();
  const auto after = three.await_leader();
  CHECK(after.id == leader.id);
  CHECK(after.term == leader.term);
}

TEST_CASE("without any link nobody serves, and when all are back one leads and nothing is lost") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster three{3};
  three.start_all({"--client-deadline", "2s"});
  const auto first = three.await_leader();
  three.must_set(three.all(), "k", "1");
  for (const auto host : three.all())
    three.network.unplug(host);
  await_stepping_down(three, host_of(first));
  for (const auto host : three.all()) {
    CHECK(is_refusal(three.call(host, {"SET", "k", "2"})));
    CHECK(is_refusal(three.call(host, {"GET", "k"})));
  }
  three.network.heal();
  const auto second = three.await_leader();
  CHECK(comes_true([&] { return three.call(host_of(second), {"GET", "k"}).text == "1"; }, patience));
  three.await_agreement();
}

TEST_CASE("an address that goes and comes back takes its node along") {
  TROUPE_NEEDS_HOSTS();
  hosted_cluster three{3};
  three.start_all();
  const auto first = three.await_leader();
  const auto old = host_of(first);
  three.must_set(three.all(), "k", "1");
  three.network.remove_address(old);
  const auto second = three.await_leader(three.all_but(old), first.term, few_election_timeouts);
  three.must_set(three.all_but(old), "k", "2");
  three.network.restore_address(old);
  CHECK(comes_true([&] { return three.call(old, {"GET", "k"}).text == "2"; }, patience));
  three.await_agreement();
}
