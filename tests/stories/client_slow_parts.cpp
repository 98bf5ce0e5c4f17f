// What clients are told by nodes whose services, disks or followers are slow, and by nodes that stop.
#include "tests/support/clients.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

caf::strong_actor_ptr pointer(const auto& actor) {
  return caf::actor_cast<caf::strong_actor_ptr>(actor);
}

} // namespace

TEST_CASE("Q5: reads wait for a service that lags, of a leader just chosen or just restarted, too") {
  over_seeds([](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.log_window_bytes = 2000;
    options.peers.limits.apply_backlog_bytes = 500;
    client_group clients{seed, options};
    auto& group = clients.group();
    for (int round = 0; round < 8; ++round) {
      const auto leader = group.check_one_leader();
      const auto hold_up = [&](bool slow) {
        for (int server = 0; server < 3; ++server)
          if (server != leader)
            slow ? group.runtime().hold(pointer(group.node(server).applier()))
                 : group.runtime().release(pointer(group.node(server).applier()));
      };
      hold_up(true);
      for (int lot = 0; lot < 20; ++lot) {
        clients.submit_anything(group.random(3));
        group.sleep(milliseconds{group.random(20)});
      }
      group.sleep(50ms);
      clients.crash(leader);
      const auto next = group.check_one_leader();
      for (int lot = 0; lot < 5; ++lot) {
        clients.query(next);
        clients.submit_anything(group.random(3));
        group.sleep(milliseconds{group.random(10)});
      }
      hold_up(false);
      clients.restart(leader); // It applies its whole log again, most of it from disk.
      group.sleep(milliseconds{group.random(1000)});
    }
    clients.end();
    group.expect(clients.ledger().tally(operation::command).answered > 100, "hardly a command was answered");
    group.expect(clients.ledger().tally(operation::query).answered > 20, "hardly a query was answered");
  });
}

TEST_CASE("Q5, C2: all lose power again and again under load, and come back with a log far longer than its window") {
  over_seeds([](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.log_window_bytes = 2000;
    options.latency = {100us, 20ms};
    client_group clients{seed, options};
    auto& group = clients.group();
    for (int round = 0; round < 6; ++round) {
      group.check_one_leader();
      for (int lot = 0; lot < 30; ++lot) {
        for (int i = 0; i < 3; ++i)
          clients.submit_anything(group.random(3));
        group.sleep(milliseconds{group.random(30)});
        if (group.random(15) == 0)
          clients.restart(group.random(3));
      }
      if (group.chance().chance(40))
        for (int server = 0; server < 3; ++server)
          clients.crash(server);
      for (int server = 0; server < 3; ++server)
        if (!clients.lives(server))
          clients.restart(server);
    }
    clients.end();
    group.expect(clients.ledger().applied() > 100, "hardly a command was applied");
  });
}

TEST_CASE(
    "C2, Q6: when the followers' disks hang, commands are uncertain by the client's deadline and reads answered") {
  over_seeds([](std::uint64_t seed) {
    client_group clients{seed, serving(3)};
    auto& group = clients.group();
    const auto leader = group.check_one_leader();
    group.sleep(200ms);
    for (int server = 0; server < 3; ++server)
      group.node(server).valve().stalled = server != leader;
    for (int lot = 0; lot < 20; ++lot) {
      clients.command(group.random(3), 1 + group.random(5));
      clients.query(group.random(3));
      group.sleep(milliseconds{group.random(20)});
    }
    clients.wait_for_all();
    group.expect(group.state(leader).is_leader, "the leader was deposed, though all hear it");
    const auto commands = clients.ledger().tally(operation::command);
    const auto queries = clients.ledger().tally(operation::query);
    group.expect(commands.refused_with(refusal::uncertain) == commands.asked, "a command without a quorum has ended");
    group.expect(queries.answered == queries.asked, "a read waits for a disk");
    clients.end();
    group.expect(clients.ledger().applied() >= commands.asked, "what was in the leader's log was never carried out");
  });
}

TEST_CASE("Q6: a read that no entry of the leader's term allows yet ends by its deadline") {
  over_seeds([](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.term_start_no_op = false;
    client_group clients{seed, options};
    auto& group = clients.group();
    const auto leader = group.check_one_leader();
    group.sleep(200ms);
    clients.query(leader);
    for (int lot = 0; lot < 10; ++lot)
      clients.query(group.random(3), 1 + group.random(5));
    clients.wait_for_all();
    const auto queries = clients.ledger().tally(operation::query);
    group.expect(group.state(leader).is_leader, "the leader has changed");
    group.expect(queries.refused_with(refusal::not_ready) + queries.refused_with(refusal::no_leader) == queries.asked,
                 "a read is answered before anything of the term is committed");
    group.expect(queries.refused_with(refusal::not_ready) > 0, "no read has waited for its leader");
    clients.end();
  });
}

TEST_CASE("R8: without a quorum a leader accepts so much and no more, and what it turns away is never carried out") {
  over_seeds([](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.uncommitted_bytes = 1000;
    client_group clients{seed, options};
    auto& group = clients.group();
    const auto leader = group.check_one_leader();
    group.sleep(200ms);
    for (int server = 0; server < 3; ++server)
      group.node(server).valve().stalled = server != leader;
    for (int lot = 0; lot < 30; ++lot)
      clients.command(group.random(3), 1 + group.random(5), 40);
    clients.wait_for_all();
    const auto commands = clients.ledger().tally(operation::command);
    group.expect(commands.refused_with(refusal::busy) > 0, "a leader accepts without end");
    group.expect(commands.refused_with(refusal::uncertain) > 0, "a leader accepts nothing");
    clients.end();
    group.expect(clients.ledger().applied() <= commands.refused_with(refusal::uncertain) + 3, "too much was applied");
  });
}

TEST_CASE("C2: a node that stops leaves none of its clients without a word") {
  over_seeds([](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.apply_backlog_bytes = 100; // What is committed waits for a slow service.
    client_group clients{seed, options};
    auto& group = clients.group();
    const auto leader = group.check_one_leader();
    group.sleep(200ms);
    const auto stopped = group.chance().chance(60) ? leader : (leader + 1) % 3;
    const auto applier = pointer(group.node(stopped).applier());
    if (group.chance().chance(30))
      group.runtime().hold(applier); // A slow service: there is work before it when the end comes.
    for (int lot = group.random(30); lot > 0; --lot) {
      clients.submit_anything(stopped);
      clients.submit_anything(group.random(3));
      if (group.chance().chance(30))
        group.sleep(std::chrono::microseconds{group.random(3000)});
    }
    clients.stop(stopped);
    group.sleep(milliseconds{group.random(10)});
    group.runtime().release(applier);
    clients.wait_for_all();
    clients.end();
  });
}
