#include "world/scenarios.hpp"

namespace world {

namespace {

using namespace std::chrono_literals;

void commands_get_the_first_indices(tester& t) {
  for (int index = 1; index <= 3; ++index) {
    t.expect_nothing_at(static_cast<std::uint64_t>(index));
    const auto got = t.one(index * 100, 3, false);
    t.expect(got == static_cast<std::uint64_t>(index), "index " + std::to_string(got) + " instead of the next one");
  }
}

void each_command_travels_once_per_peer(tester& t) {
  t.one(99, 3, false);
  const auto before = t.net().bytes();
  for (std::uint64_t index = 2; index <= 11; ++index) {
    std::string command;
    while (command.size() < 5000)
      command += static_cast<char>('a' + t.random(26));
    t.expect(t.one(command, 3, false) == index, "a command got the wrong index");
  }
  const auto cost = t.net().bytes() - before;
  t.expect(cost <= 200'000, "too many bytes: " + std::to_string(cost));
}

void followers_fail(tester& t) {
  t.one(101, 3, false);
  const auto first = t.check_one_leader();
  t.disconnect((first + 1) % 3);
  t.one(102, 2, false);
  t.sleep(election_time);
  t.one(103, 2, false);
  const auto second = t.check_one_leader();
  t.disconnect((second + 1) % 3);
  t.disconnect((second + 2) % 3);
  const auto alone = t.start(second, "104");
  t.expect(alone.is_leader, "the leader refuses a command");
  t.expect(alone.index == 4, "index " + std::to_string(alone.index) + " instead of 4");
  t.sleep(2 * election_time);
  t.expect_nothing_at(4);
}

void leaders_fail(tester& t) {
  t.one(101, 3, false);
  t.disconnect(t.check_one_leader());
  t.one(102, 2, false);
  t.sleep(election_time);
  t.one(103, 2, false);
  t.disconnect(t.check_one_leader());
  for (int server = 0; server < 3; ++server)
    t.start(server, "104");
  t.sleep(2 * election_time);
  t.expect_nothing_at(4);
}

void a_follower_catches_up(tester& t) {
  t.one(101, 3, false);
  const auto away = (t.check_one_leader() + 1) % 3;
  t.disconnect(away);
  t.one(102, 2, false);
  t.one(103, 2, false);
  t.sleep(election_time);
  t.one(104, 2, false);
  t.one(105, 2, false);
  t.connect(away);
  t.one(106, 3, true);
  t.sleep(election_time);
  t.one(107, 3, true);
}

void too_many_followers_fail(tester& t) {
  t.one(10, 5, false);
  const auto leader = t.check_one_leader();
  for (int i = 1; i <= 3; ++i)
    t.disconnect((leader + i) % 5);
  const auto alone = t.start(leader, "20");
  t.expect(alone.is_leader && alone.index == 2, "the leader does not accept 20 at index 2");
  t.sleep(2 * election_time);
  t.expect_nothing_at(2);
  for (int i = 1; i <= 3; ++i)
    t.connect((leader + i) % 5);
  const auto next = t.start(t.check_one_leader(), "30");
  t.expect(next.is_leader, "the leader refuses 30");
  t.expect(next.index == 2 || next.index == 3, "index " + std::to_string(next.index) + " instead of 2 or 3");
  t.one(1000, 5, true);
}

void a_partitioned_leader_comes_back(tester& t) {
  t.one(101, 3, true);
  const auto first = t.check_one_leader();
  t.disconnect(first);
  for (const auto* command : {"102", "103", "104"})
    t.start(first, command); // Never agreed on.
  t.one(103, 2, true);
  const auto second = t.check_one_leader();
  t.disconnect(second);
  t.connect(first);
  t.one(104, 2, true);
  t.connect(second);
  t.one(105, 3, true);
}

void start_fifty(tester& t, int server) {
  std::vector<std::string> commands;
  for (int i = 0; i < 50; ++i)
    commands.push_back(t.random_command());
  t.start_at_once(server, commands);
}

void agree_on_fifty(tester& t) {
  for (int i = 0; i < 50; ++i)
    t.one(t.random_command(), 3, true);
}

void long_wrong_logs_are_repaired(tester& t) {
  t.one(t.random_command(), 5, true);
  // Fifty commands at a leader in a minority of two.
  const auto first = t.check_one_leader();
  const auto follower = (first + 1) % 5;
  for (int i = 2; i <= 4; ++i)
    t.disconnect((first + i) % 5);
  start_fifty(t, first);
  t.sleep(election_time / 2);
  t.disconnect(first);
  t.disconnect(follower);
  // Fifty that the other three agree on.
  for (int i = 2; i <= 4; ++i)
    t.connect((first + i) % 5);
  agree_on_fifty(t);
  // Fifty more of which they cannot: one of three is away.
  const auto second = t.check_one_leader();
  const auto two_on = (first + 2) % 5;
  const auto other = two_on == second ? (second + 1) % 5 : two_on;
  t.disconnect(other);
  start_fifty(t, second);
  t.sleep(election_time / 2);
  // The first minority, and the one that was away.
  for (int server = 0; server < 5; ++server)
    t.disconnect(server);
  for (const auto server : {first, follower, other})
    t.connect(server);
  agree_on_fifty(t);
  for (int server = 0; server < 5; ++server)
    t.connect(server);
  t.one(t.random_command(), 5, true);
}

} // namespace

std::vector<scenario> agreements() {
  return {
      {"2B-1", "BasicAgree: commands get the first indices", 3, commands_get_the_first_indices},
      {"2B-2", "RPCBytes: each command travels once per peer", 3, each_command_travels_once_per_peer},
      {"2B-3", "FollowerFailure: agreement ends with the last follower", 3, followers_fail},
      {"2B-4", "LeaderFailure: agreement goes on under the next leader", 3, leaders_fail},
      {"2B-5", "FailAgree: a follower that was away catches up", 3, a_follower_catches_up},
      {"2B-6", "FailNoAgree: without a quorum nothing is agreed on", 5, too_many_followers_fail},
      {"2B-8", "Rejoin: a partitioned leader comes back", 3, a_partitioned_leader_comes_back},
      {"2B-9", "Backup: long wrong logs are repaired", 5, long_wrong_logs_are_repaired},
  };
}

} // namespace world
