// What a leader's clients are told when it is deposed with their commands in its log.
#include "tests/support/clients.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// Server 0 is patient: it leads on for seconds in which nobody hears it, while the others choose the next leader.
course_options with_a_patient_server() {
  auto options = serving(3);
  options.peers_of = [peers = options.peers](int server) {
    auto own = peers;
    if (server == 0)
      own.times = {100ms, 4s, 5s, 10ms};
    return own;
  };
  return options;
}

/// Nobody but server 0 gets anybody's vote.
void make_it_lead(course& group) {
  group.network().lose_requests([first = group.node(0).id()](const peer_message& message) {
    return std::holds_alternative<request_vote>(message) && about(message).from != first;
  });
  group.sleep(6s);
  group.expect(group.state(0).is_leader, "the only one who can be elected is not");
  group.network().lose_requests(nullptr);
}

/// The first that leads, of those that are not server 0.
std::optional<int> next_leader(course& group) {
  for (int poll = 0; poll < 200; ++poll) {
    for (int server = 1; server < group.servers(); ++server)
      if (group.state(server).is_leader)
        return server;
    group.sleep(10ms);
  }
  return std::nullopt;
}

/// Server 0 hears of its successor first by a request that brings entries. What it says itself is lost.
void let_only_entries_through(course& group) {
  group.network().lose_requests([first = group.node(0).id()](const peer_message& message) {
    if (about(message).from == first)
      return true;
    const auto* request = std::get_if<append_entries>(&message);
    return about(message).to == first && (request == nullptr || request->batches.empty());
  });
}

} // namespace

TEST_CASE("R12, C2: a leader that is deposed by the very request that takes its entries' places owes no answer") {
  over_seeds([](std::uint64_t seed) {
    client_group clients{seed, with_a_patient_server()};
    auto& group = clients.group();
    make_it_lead(group);
    for (int lot = group.random(5); lot > 0; --lot)
      clients.submit_anything(group.random(3));
    group.sleep(100ms);
    group.disconnect(0);
    for (int lot = 1 + group.random(5); lot > 0; --lot)
      clients.command(0, 1 + group.random(5));
    const auto leader = next_leader(group);
    group.expect(leader.has_value(), "nobody else leads");
    for (int lot = 1 + group.random(10); lot > 0; --lot)
      clients.submit_anything(1 + group.random(2));
    group.sleep(milliseconds{group.random(1000)});
    group.expect(group.state(0).is_leader, "the one that was cut off has noticed");
    let_only_entries_through(group);
    group.connect(0);
    group.sleep(1200ms);
    group.expect(!group.state(0).is_leader && group.state(0).commit > log_index{}, "it was not deposed by entries");
    clients.end();
    group.expect(clients.ledger().tally(operation::command).refused_with(refusal::uncertain) > 0,
                 "no command was lost sight of");
  });
}

TEST_CASE("C2, Q1: leaders are cut off with lots outstanding and return before, while or after they notice") {
  over_seeds([](std::uint64_t seed) {
    client_group clients{seed, serving(3 + 2 * static_cast<int>(seed % 2))};
    auto& group = clients.group();
    for (int round = 0; round < 5; ++round) {
      const auto leader = group.check_one_leader();
      group.disconnect(leader);
      for (int pause = 500 + group.random(1000); pause > 0;) {
        clients.submit_anything(leader);
        clients.submit_anything(group.random(group.servers()));
        const auto step = 1 + group.random(100);
        group.sleep(milliseconds{step});
        pause -= step;
      }
      group.connect(leader);
      for (int lot = 0; lot < 10; ++lot)
        clients.submit_anything(group.random(group.servers()));
    }
    clients.end();
  });
}

TEST_CASE("C7: what was passed on to a leader that is lost ends as uncertain, or as not carried out") {
  over_seeds([](std::uint64_t seed) {
    client_group clients{seed, serving(3)};
    auto& group = clients.group();
    const auto leader = group.check_one_leader();
    group.sleep(200ms);
    const auto follower = (leader + 1 + group.random(2)) % 3;
    const bool loses_power = group.chance().chance(50);
    for (int lot = 0; lot < 10; ++lot) {
      clients.command(follower, 3);
      clients.query(follower, 2);
    }
    if (loses_power)
      clients.crash(leader);
    else
      group.disconnect(leader);
    for (int lot = 0; lot < 10; ++lot) {
      clients.command(follower, 3);
      clients.query(follower, 2);
    }
    clients.wait_for_all();
    const auto commands = clients.ledger().tally(operation::command);
    const auto queries = clients.ledger().tally(operation::query);
    group.expect(commands.refused_with(refusal::uncertain) > 0, "nothing was uncertain");
    group.expect(queries.refused_with(refusal::no_leader) > 0, "no query was refused");
    clients.end();
  });
}
