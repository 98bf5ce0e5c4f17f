// What clients are told, through leaders and through followers, while everything else goes wrong.
#include "tests/support/clients.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// Bounds so small that all of them are met.
peer_options tight() {
  peer_options options;
  options.limits.log_window_bytes = 2000;
  options.limits.request_bytes = 300;
  options.limits.request_entries = 7;
  options.limits.in_flight_bytes = 1000;
  options.limits.in_flight_entries = 30;
  options.limits.in_flight_requests = 4;
  options.limits.apply_backlog_bytes = 500;
  options.limits.uncommitted_bytes = 3000;
  options.limits.proposal_bytes = 300;
  options.limits.waiting_reads = 10;
  options.limits.forwarded_bytes = 1500;
  options.client_deadline = 2s;
  return options;
}

/// One more thing that goes wrong, or right again.
void disturb(client_group& clients) {
  auto& group = clients.group();
  const auto server = group.random(group.servers());
  switch (group.random(9)) {
  case 0: {
    const auto other = group.random(group.servers());
    group.network().enable(group.node(server).id(), group.node(other).id(), group.chance().chance(60));
    break;
  }
  case 1: group.disconnect(server); break;
  case 2: group.connect(server); break;
  case 3: clients.crash(server); break;
  case 4:
    if (!clients.lives(server))
      clients.restart(server);
    break;
  case 5: group.node(server).valve().stalled = true; break;
  case 6: group.node(server).valve().open(); break;
  case 7: group.network().set_reliable(group.chance().chance(50)); break;
  case 8: group.network().set_long_reordering(group.chance().chance(40)); break;
  }
}

/// Trouble comes and goes, so that there are quiet times to be answered in.
void play_mixture(client_group& clients) {
  auto& group = clients.group();
  for (int round = 0; round < 400; ++round) {
    if (group.chance().chance(15))
      disturb(clients);
    if (group.chance().chance(4))
      clients.heal();
    for (int i = 0; i < 3; ++i)
      clients.submit_anything(group.random(group.servers()));
    group.sleep(milliseconds{group.random(100)});
  }
  clients.end();
}

} // namespace

TEST_CASE("C7: in a healthy group each operation is answered, with one hop from followers and none from the leader") {
  over_seeds([](std::uint64_t seed) {
    client_group clients{seed, serving(3 + 2 * static_cast<int>(seed % 2))};
    auto& group = clients.group();
    const auto leader = group.check_one_leader();
    group.sleep(200ms); // All know it by then.
    std::uint64_t hops = 0;
    group.network().watch([&](const peer_message& message) {
      if (const auto* passed_on = std::get_if<forward>(&message)) {
        ++hops;
        if (passed_on->about.to != group.node(leader).id())
          group.runtime().judge().fail("operations are passed on to one who does not lead");
      }
    });
    std::uint64_t through_followers = 0;
    for (int lot = 0; lot < 150; ++lot) {
      const auto server = group.random(group.servers());
      through_followers += server != leader;
      clients.submit_anything(server);
      if (group.chance().chance(30))
        group.sleep(milliseconds{group.random(20)});
    }
    clients.wait_for_all();
    const auto commands = clients.ledger().tally(operation::command);
    const auto queries = clients.ledger().tally(operation::query);
    group.expect(commands.answered == commands.asked && queries.answered == queries.asked,
                 "an operation is refused though nothing is wrong");
    group.expect(hops == through_followers, "an operation takes more or fewer hops than one");
    clients.end();
  });
}

TEST_CASE("C2, C7: over a network that loses, delays and reorders, nobody is told what is not so") {
  over_seeds([](std::uint64_t seed) {
    auto options = serving(3 + 2 * static_cast<int>(seed % 2));
    options.reliable = false;
    client_group clients{seed, options};
    auto& group = clients.group();
    group.network().set_long_reordering(true);
    for (int round = 0; round < 200; ++round) {
      clients.submit_anything(group.random(group.servers()));
      clients.submit_anything(group.random(group.servers()));
      group.sleep(milliseconds{group.random(60)});
    }
    clients.end();
    group.expect(clients.ledger().tally(operation::command).answered > 100, "hardly a command was answered");
    group.expect(clients.ledger().tally(operation::query).answered > 50, "hardly a query was answered");
  });
}

TEST_CASE("C2, Q1, R12: crashes, cut ways, hanging disks in any mixture: each operation has one end, and it is true") {
  over_seeds(100, [](std::uint64_t seed) {
    auto options = serving(3 + 2 * static_cast<int>(seed % 2));
    options.latency = {100us, 40ms};
    client_group clients{seed, options};
    play_mixture(clients);
  });
}

TEST_CASE("S2, S4, S5, P9: the same mixture with snapshots all the time: states are loaded, and answers stay true") {
  int loaded = 0;
  over_seeds(100, [&](std::uint64_t seed) {
    auto options = serving(3 + 2 * static_cast<int>(seed % 2));
    options.latency = {100us, 40ms};
    options.peers.snapshots = {300, 20, 0, 1000, seed % 10, 1 + seed % 3};
    options.peers.limits.snapshot_piece_bytes = 20;
    options.peers.state_hash_entries = 5;
    client_group clients{seed, options};
    play_mixture(clients);
    for (int server = 0; server < clients.group().servers(); ++server) {
      const auto state = clients.group().state(server);
      clients.group().expect(state.last - state.log_start < 2000, "a log only grows");
      loaded += state.snapshot > log_index{} ? 1 : 0;
    }
  });
  CHECK(loaded > 0);
}

TEST_CASE("C2, R8, Q6: the same mixture with bounds so small that all are met, and entries applied from disk") {
  client_tally commands;
  client_tally queries;
  over_seeds(100, [&](std::uint64_t seed) {
    auto options = serving(3 + 2 * static_cast<int>(seed % 2));
    options.latency = {100us, 40ms};
    options.peers = tight();
    client_group clients{seed, options};
    play_mixture(clients);
    for (const auto why : {refusal::busy, refusal::too_large, refusal::uncertain, refusal::no_leader})
      commands.refused[why] += clients.ledger().tally(operation::command).refused_with(why);
    for (const auto why : {refusal::busy, refusal::no_leader})
      queries.refused[why] += clients.ledger().tally(operation::query).refused_with(why);
  });
  for (const auto& [why, count] : commands.refused)
    CHECK_MESSAGE(count > 0, "no command is refused with " << name_of(why));
  for (const auto& [why, count] : queries.refused)
    CHECK_MESSAGE(count > 0, "no query is refused with " << name_of(why));
}
