// The two figures of the paper that tell whether one has understood it.
#include "tests/support/course.hpp"
#include "tests/support/lone_peer.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// A log by its terms: the entry at index i + 1 has terms[i].
std::vector<entry_batch> log_of(const std::vector<std::uint64_t>& terms) {
  std::vector<entry_batch> log;
  for (std::uint64_t i = 0; i < terms.size(); ++i)
    log.push_back(entries(terms[i], i + 1));
  return log;
}

/// Only `eager` servers run for leader within the second; the others would after `patience`.
course_options only_eager(int servers, std::vector<int> eager, duration patience = 60s) {
  auto options = with_servers(servers);
  options.begin_alone = true;
  options.peers_of = [=](int server) {
    auto peers = course_options::bare_interface();
    if (std::find(eager.begin(), eager.end(), server) == eager.end()) {
      peers.times.election_timeout_min = patience;
      peers.times.election_timeout_max = patience * 2;
    }
    return peers;
  };
  return options;
}

void preload(course& group, int server, std::uint64_t term, const std::vector<std::uint64_t>& terms) {
  group.node(server).preload({term_number{term}, nobody}, log_of(terms));
}

void raise_curtain(course& group, std::vector<int> servers) {
  for (const auto server : servers) {
    group.node(server).start();
    group.connect(server);
  }
}

/// Whether two disks hold the same log, up to `last`.
bool same_log(course& group, int a, int b, std::uint64_t last) {
  for (log_index i{1}; i <= log_index{last}; i = i.next()) {
    const auto* x = group.node(a).disk().durable_at(i);
    const auto* y = group.node(b).disk().durable_at(i);
    if (x == nullptr || y == nullptr || x->term != y->term)
      return false;
  }
  return true;
}

std::uint64_t term_on_disk(course& group, int server, std::uint64_t index) {
  const auto* entry = group.node(server).disk().durable_at(log_index{index});
  return entry == nullptr ? 0 : entry->term.value();
}

} // namespace

TEST_CASE(
    "Figure 7: a new leader repairs all six followers' logs at once, one refusal per conflicting term (N20, N25)") {
  over_seeds([](std::uint64_t seed) {
    // Server 0 leads term 8; 1 to 6 are the figure's (a) to (f).
    course group{seed, only_eager(7, {0})};
    const std::vector<std::vector<std::uint64_t>> logs{
        {1, 1, 1, 4, 4, 5, 5, 6, 6, 6},    {1, 1, 1, 4, 4, 5, 5, 6, 6},          {1, 1, 1, 4},
        {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6}, {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7}, {1, 1, 1, 4, 4, 4, 4},
        {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3}};
    for (int server = 0; server < 7; ++server)
      preload(group, server, 7, logs[static_cast<std::size_t>(server)]);
    std::map<int, int> refusals;
    group.network().watch([&](const peer_message& message) {
      if (const auto* reply = std::get_if<append_reply>(&message); reply && !reply->success)
        ++refusals[static_cast<int>(reply->about.from.value()) - 1];
    });
    raise_curtain(group, {0, 1, 2, 3, 4, 5, 6});
    const auto leads = group.runtime().run_until(group.runtime().now() + 2s, [&] { return !refusals.empty(); });
    group.expect(leads && group.state(0).is_leader, "server 0 does not lead");
    // No command is given: it finds out by itself, and without waiting for heartbeats.
    group.sleep(50ms);
    for (int server = 1; server < 7; ++server)
      group.expect(same_log(group, 0, server, 10), "the log of server " + std::to_string(server) + " is not repaired");
    const std::map<int, int> wanted{{1, 1}, {2, 1}, {5, 2}, {6, 2}};
    for (int server = 1; server < 7; ++server) {
      const auto most = wanted.contains(server) ? wanted.at(server) : 0;
      group.expect(refusals[server] <= most,
                   "server " + std::to_string(server) + " refused " + std::to_string(refusals[server]) + " times, not "
                       + std::to_string(most));
    }
    // The first entry of its own term replaces what (c) and (d) have too much.
    group.expect(group.start(0, "x").index == log_index{11}, "the leader's log has changed");
    group.sleep(100ms);
    for (int server = 0; server < 7; ++server) {
      group.expect(same_log(group, 0, server, 11) && group.node(server).disk().last() == log_index{11},
                   "the log of server " + std::to_string(server) + " differs");
      group.expect(group.committed(11).servers == 7, "not all have delivered");
    }
    group.end();
  });
}

namespace {

/// Figure 8 up to (c): S1 led term 2 and reached S2 only; S5 led term 3 and reached nobody; now S1 leads term 4, and
/// its old entry reaches S3 as well. Servers 0 to 4 are S1 to S5; S4 hears nothing from S1; S5 is down.
void play_to_c(course& group) {
  preload(group, 0, 3, {1, 2});
  preload(group, 1, 2, {1, 2});
  preload(group, 2, 3, {1});
  preload(group, 3, 3, {1});
  preload(group, 4, 3, {1, 3});
  raise_curtain(group, {0, 1, 2, 3});
  const auto leads = group.runtime().run_until(group.runtime().now() + 2s, [&] { return group.state(0).is_leader; });
  group.expect(leads, "S1 does not lead");
  group.network().enable(group.node(0).id(), group.node(3).id(), false);
  group.sleep(1s);
  group.expect(term_on_disk(group, 2, 2) == 2, "S3 has not got the old entry");
  group.expect(term_on_disk(group, 0, 2) == 2 && term_on_disk(group, 1, 2) == 2, "the old entry is lost");
}

} // namespace

TEST_CASE("Figure 8 (a)-(d): an old term's entry on a majority is not committed, and may yet be replaced (N21)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, only_eager(5, {0, 4})};
    play_to_c(group);
    group.expect(group.committed(1).servers == 0 && group.committed(2).servers == 0,
                 "an entry of an old term was committed by counting copies");
    group.expect(group.checker().committed() == log_index{}, "a commit index covers an entry of an old term");
    // (d): S1 goes, S5 wins with the votes of S2, S3 and S4 and puts its own entry in that place.
    group.crash(0);
    for (const auto server : {1, 2, 3}) {
      group.restart(server); // So that they are not loyal to S1 for as long as their patience lasts.
      group.connect(server);
    }
    raise_curtain(group, {4});
    const auto leads = group.runtime().run_until(group.runtime().now() + 5s, [&] { return group.state(4).is_leader; });
    group.expect(leads, "S5 cannot win, although nothing stands against it");
    group.expect(group.start(4, "new").index == log_index{3}, "S5's log has changed");
    group.sleep(500ms);
    for (const auto server : {1, 2, 3, 4})
      group.expect(term_on_disk(group, server, 2) == 3, "the entry was not replaced");
    group.expect(group.committed(3).servers == 4, "S5's entry is not agreed on");
    group.end();
  });
}

TEST_CASE("Figure 8 (e): an entry of the leader's own term on a majority commits what is before it, for good (N21)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, only_eager(5, {0, 4}, 5s)};
    play_to_c(group);
    group.expect(group.start(0, "own").index == log_index{3}, "S1 must accept a command at 3");
    group.sleep(500ms);
    group.expect(group.committed(2).servers == 3 && group.committed(3).servers == 3, "S1, S2, S3 must have committed");
    group.crash(0);
    raise_curtain(group, {4});
    // S5 runs again and again, and cannot win; one of S2 and S3 does in the end.
    const auto someone = [&] { return group.state(1).is_leader || group.state(2).is_leader; };
    const auto led = group.runtime().run_until(group.runtime().now() + 30s, someone);
    group.expect(led, "neither S2 nor S3 leads");
    group.expect(!group.state(4).is_leader, "S5 leads without what was committed");
    group.one("later", 4, true);
    for (const auto server : {1, 2, 3, 4})
      group.expect(term_on_disk(group, server, 2) == 2 && term_on_disk(group, server, 3) == 4,
                   "what was committed is gone");
    group.end();
  });
}

TEST_CASE("N25: fifty entries of one wrong term cost one refusal more than a log that is merely short") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, only_eager(3, {0})};
    std::vector<std::uint64_t> right(60, 3);
    std::vector<std::uint64_t> wrong(60, 2);
    std::fill_n(right.begin(), 10, 1);
    std::fill_n(wrong.begin(), 10, 1);
    preload(group, 0, 3, right);
    preload(group, 1, 3, wrong);
    preload(group, 2, 3, {1, 1, 1});
    std::map<peer_id, int> refusals;
    group.network().watch([&](const peer_message& message) {
      if (const auto* reply = std::get_if<append_reply>(&message); reply && !reply->success)
        ++refusals[reply->about.from];
    });
    raise_curtain(group, {0, 1, 2});
    group.sleep(2s);
    group.expect(same_log(group, 0, 1, 60) && same_log(group, 0, 2, 60), "the logs are not repaired");
    group.expect(refusals[peer_id{2}] == 1, std::to_string(refusals[peer_id{2}]) + " refusals for one wrong term");
    group.expect(refusals[peer_id{3}] == 1, std::to_string(refusals[peer_id{3}]) + " refusals for a short log");
    group.end();
  });
}
