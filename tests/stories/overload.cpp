// Law 6: every queue has an end. Each bound of a peer is reached here with small figures: what is beyond it is refused
// in the same instant, and when the load or the fault is over, all of the bound can be used again.
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

std::uint64_t busy(client_group& clients, operation what) {
  return clients.ledger().tally(what).refused_with(refusal::busy);
}

constexpr std::size_t padding = 80;
/// An operation of that padding has at least this much, and at most twice as much.
constexpr std::size_t least_bytes = padding;
constexpr std::size_t most_bytes = 2 * padding;

/// Submits operations one by one until one is refused as busy, while no time passes. Returns how many were not.
std::size_t fill(client_group& clients, int server, operation what) {
  auto& group = clients.group();
  const auto before = busy(clients, what);
  const auto began = group.runtime().now();
  for (std::size_t taken = 0; taken < 1000; ++taken) {
    clients.submit(server, what, 1, padding);
    group.runtime().settle();
    if (busy(clients, what) > before) {
      group.expect(group.runtime().now() == began, "a refusal has taken time");
      return taken;
    }
  }
  group.fail("a thousand operations wait, and nobody is refused");
}

void expect_within(client_group& clients, std::size_t taken, std::size_t bound_bytes) {
  clients.group().expect(taken * least_bytes <= bound_bytes + most_bytes,
                         std::to_string(taken) + " operations are within a bound of " + std::to_string(bound_bytes));
  clients.group().expect(taken >= bound_bytes / most_bytes - 1,
                         "only " + std::to_string(taken) + " operations fit a bound of " + std::to_string(bound_bytes));
}

/// Lets everything work again and come to rest.
void recover(client_group& clients) {
  clients.heal();
  clients.wait_for_all();
  clients.group().check_one_leader();
  clients.group().sleep(2s);
}

/// Plays `overload`, which returns how much was taken before somebody was refused, heals, and plays it again: as much
/// must be taken each time, for a count that does not come back would leave less room each time.
void again_and_again(client_group& clients, int rounds, const std::function<std::size_t(int leader)>& overload) {
  auto& group = clients.group();
  std::size_t first = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto leader = group.check_one_leader();
    group.sleep(200ms);
    const auto taken = overload(leader);
    if (round == 0)
      first = taken;
    group.expect(taken + 2 >= first && taken <= first + 2,
                 "at first " + std::to_string(first) + " operations were taken, then " + std::to_string(taken));
    recover(clients);
    const auto answered = clients.ledger().tally(operation::command).answered;
    clients.command(group.check_one_leader(), 1);
    clients.wait_for_all();
    group.expect(clients.ledger().tally(operation::command).answered == answered + 1, "the next command is not served");
  }
  clients.end();
}

void stall_followers(course& group, int leader) {
  for (int server = 0; server < group.servers(); ++server)
    group.node(server).valve().stalled = server != leader;
}

/// What this server sends is lost, if it is of the kind `Message`.
template <class Message>
void silence(course& group, int server) {
  group.network().lose_requests([id = group.node(server).id()](const peer_message& message) {
    return about(message).from == id && std::holds_alternative<Message>(message);
  });
}

} // namespace

TEST_CASE(
    "law 6, max-uncommitted: without a quorum a leader is busy at once when it is full, and all of it comes back") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.uncommitted_bytes = 2000;
    client_group clients{seed, options};
    again_and_again(clients, 2, [&](int leader) {
      stall_followers(clients.group(), leader);
      const auto taken = fill(clients, leader, operation::command);
      expect_within(clients, taken, 2000);
      return taken;
    });
  });
}

TEST_CASE("law 6: leaders that are deposed when they are full have all their room when they lead again") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.uncommitted_bytes = 2000;
    options.peers.limits.apply_backlog_bytes = 100;
    client_group clients{seed, options};
    again_and_again(clients, 8, [&](int leader) {
      auto& group = clients.group();
      group.disconnect(leader);
      const auto taken = fill(clients, leader, operation::command);
      expect_within(clients, taken, 2000);
      clients.command(group.check_one_leader(), 3);
      group.sleep(1s);
      return taken;
    });
  });
}

TEST_CASE(
    "law 6, apply-backlog: a leader whose service lags is busy at once when it is full, and all of it comes back") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.uncommitted_bytes = 1000;
    options.peers.limits.apply_backlog_bytes = 2000;
    client_group clients{seed, options};
    again_and_again(clients, 2, [&](int leader) {
      auto& group = clients.group();
      const auto applier = pointer(group.node(leader).applier());
      group.runtime().hold(applier);
      const auto before = busy(clients, operation::command);
      std::size_t taken = 0;
      for (; busy(clients, operation::command) == before; ++taken) {
        group.expect(taken < 1000, "a leader takes without end what its service does not apply");
        group.sleep(50ms); // What was taken is committed: only the service lags.
        const auto now = group.runtime().now();
        clients.command(leader, 1, padding);
        group.runtime().settle();
        group.expect(group.runtime().now() == now, "time has passed");
      }
      group.runtime().release(applier);
      expect_within(clients, taken - 1, 3000);
      return taken;
    });
  });
}

TEST_CASE("law 6, max-waiting-reads: reads that no quorum confirms are refused at once when they are too many") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.waiting_reads = 7;
    client_group clients{seed, options};
    again_and_again(clients, 2, [&](int leader) {
      silence<append_entries>(clients.group(), leader);
      const auto taken = fill(clients, leader, operation::query);
      clients.group().expect(taken == 7, std::to_string(taken) + " reads wait");
      return taken;
    });
  });
}

TEST_CASE("law 6, max-waiting-read-bytes: or too large") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.waiting_read_bytes = 200;
    client_group clients{seed, options};
    again_and_again(clients, 2, [&](int leader) {
      silence<append_entries>(clients.group(), leader);
      const auto taken = fill(clients, leader, operation::query);
      clients.group().expect(taken > 1 && taken < 50, std::to_string(taken) + " reads wait");
      return taken;
    });
  });
}

TEST_CASE("law 6, max-waiting-reads: so are reads that wait for entries an applier has not been given yet") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.waiting_reads = 7;
    options.peers.limits.log_window_bytes = 500;
    options.peers.limits.apply_backlog_bytes = 300;
    client_group clients{seed, options};
    again_and_again(clients, 2, [&](int leader) {
      auto& group = clients.group();
      const auto applier = pointer(group.node(leader).applier());
      const auto persister = pointer(group.node(leader).persister());
      group.runtime().hold(applier);
      for (int i = 0; i < 40; ++i) {
        clients.command(leader, 1, padding);
        group.sleep(20ms);
      }
      // What the applier lacks has left memory, and now the disk is slow to give it back.
      group.runtime().hold(persister);
      group.runtime().release(applier);
      group.runtime().settle();
      const auto taken = fill(clients, leader, operation::query);
      group.runtime().release(persister);
      group.expect(taken == 7, std::to_string(taken) + " reads wait");
      return taken;
    });
  });
}

TEST_CASE("law 6, max-forwarded: a follower whose leader does not answer is busy at once when it is full") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.forwarded_bytes = 2000;
    client_group clients{seed, options};
    again_and_again(clients, 2, [&](int leader) {
      const auto follower = (leader + 1) % 3;
      silence<forward>(clients.group(), follower);
      const auto what = clients.group().chance().chance(50) ? operation::command : operation::query;
      const auto taken = fill(clients, follower, what);
      expect_within(clients, taken, 2000);
      return taken;
    });
  });
}

TEST_CASE("law 6, max-proposal: what is too large is refused at once, by leader and follower, command or query") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.proposal_bytes = 1000;
    client_group clients{seed, options};
    auto& group = clients.group();
    const auto leader = group.check_one_leader();
    group.sleep(200ms);
    for (int server = 0; server < 3; ++server) {
      if (server != leader)
        silence<forward>(group, server); // It is the follower itself that refuses.
      for (const auto what : {operation::command, operation::query}) {
        const auto before = clients.ledger().tally(what).refused_with(refusal::too_large);
        const auto now = group.runtime().now();
        clients.submit(server, what, 1, 1000);
        group.runtime().settle();
        group.expect(group.runtime().now() == now, "a refusal has taken time");
        group.expect(clients.ledger().tally(what).refused_with(refusal::too_large) == before + 1,
                     "what is too large is not refused");
      }
    }
    group.network().lose_requests(nullptr);
    for (int server = 0; server < 3; ++server)
      clients.command(server, 1, 500);
    clients.wait_for_all();
    group.expect(clients.ledger().tally(operation::command).answered == 3, "what is not too large is refused");
    clients.end();
  });
}
