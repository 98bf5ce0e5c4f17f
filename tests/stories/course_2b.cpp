// The course's tests of log replication. All numbers are the course's.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

void expect_uncommitted(course& group, std::uint64_t index) {
  group.expect(group.committed(index).servers == 0,
               "index " + std::to_string(index) + " is committed without a quorum");
}

} // namespace

TEST_CASE("2B-1: commands get indices 1, 2, 3 - nothing is committed early, and index 0 never (N3, N16)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    for (std::uint64_t index = 1; index <= 3; ++index) {
      expect_uncommitted(group, index);
      const auto got = group.one(static_cast<int>(index) * 100, 3, false);
      group.expect(got == index, "got index " + std::to_string(got) + ", expected " + std::to_string(index));
    }
    group.end();
  });
}

TEST_CASE("2B-2: each command goes over the wire once per peer: 10 x 5000 bytes cost at most 200,000") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one(99, 3, false);
    const auto before = group.network().counts().bytes;
    std::uint64_t sent = 0;
    for (std::uint64_t index = 2; index < 12; ++index) {
      std::string command;
      while (command.size() < 5000)
        command += static_cast<char>('a' + group.random(26));
      group.expect(group.one(command, 3, false) == index, "a command got the wrong index");
      sent += command.size();
    }
    const auto cost = group.network().counts().bytes - before;
    group.expect(cost <= 3 * sent + 50'000, "too many bytes: " + std::to_string(cost));
    group.end();
  });
}

TEST_CASE("2B-3: agreement goes on without one follower and stops without both") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one(101, 3, false);
    const auto first = group.check_one_leader();
    group.disconnect((first + 1) % 3);
    group.one(102, 2, false);
    group.sleep(1s);
    group.one(103, 2, false);
    const auto second = group.check_one_leader();
    group.disconnect((second + 1) % 3);
    group.disconnect((second + 2) % 3);
    const auto accepted = group.start(second, "104");
    group.expect(accepted.is_leader, "the leader refused a command");
    group.expect(accepted.index == log_index{4}, "expected index 4");
    group.sleep(2s);
    expect_uncommitted(group, 4);
    group.end();
  });
}

TEST_CASE("2B-4: agreement goes on under the next leader and stops with the second loss") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one(101, 3, false);
    group.disconnect(group.check_one_leader());
    group.one(102, 2, false);
    group.sleep(1s);
    group.one(103, 2, false);
    group.disconnect(group.check_one_leader());
    for (int server = 0; server < 3; ++server)
      group.start(server, "104");
    group.sleep(2s);
    expect_uncommitted(group, 4);
    group.end();
  });
}

TEST_CASE("2B-5: a follower that was away catches up") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one(101, 3, false);
    const auto away = (group.check_one_leader() + 1) % 3;
    group.disconnect(away);
    group.one(102, 2, false);
    group.one(103, 2, false);
    group.sleep(1s);
    group.one(104, 2, false);
    group.one(105, 2, false);
    group.connect(away);
    group.one(106, 3, true);
    group.sleep(1s);
    group.one(107, 3, true);
    group.end();
  });
}

TEST_CASE("2B-6: without a quorum nothing is agreed, and what was not agreed may be replaced") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 5};
    group.one(10, 5, false);
    const auto leader = group.check_one_leader();
    for (int i = 1; i <= 3; ++i)
      group.disconnect((leader + i) % 5);
    const auto lonely = group.start(leader, "20");
    group.expect(lonely.is_leader && lonely.index == log_index{2}, "the leader must accept 20 at index 2");
    group.sleep(2s);
    expect_uncommitted(group, 2);
    for (int i = 1; i <= 3; ++i)
      group.connect((leader + i) % 5);
    const auto next = group.start(group.check_one_leader(), "30");
    group.expect(next.is_leader, "the leader refused 30");
    group.expect(next.index >= log_index{2} && next.index <= log_index{3},
                 "unexpected index " + std::to_string(next.index.value()));
    group.one(1000, 5, true);
    group.end();
  });
}

namespace {

/// One try of 2B-7; false if the term moved on.
bool concurrent_starts(course& group, int attempt) {
  if (attempt > 0)
    group.sleep(3s);
  const auto leader = group.check_one_leader();
  const auto first = group.start(leader, "1");
  if (!first.is_leader)
    return false;
  const std::vector<std::string> commands{"100", "101", "102", "103", "104"};
  const auto replies = group.start_at_once(leader, commands);
  for (int server = 0; server < 3; ++server)
    if (group.state(server).term != first.term)
      return false;
  std::set<std::string> agreed;
  for (const auto& reply : replies) {
    if (!reply.is_leader || reply.term != first.term)
      continue;
    const auto command = group.wait(reply.index.value(), 3, first.term.value());
    if (!command)
      return false;
    agreed.insert(*command);
  }
  for (const auto& command : commands)
    group.expect(agreed.contains(command), "command " + command + " is missing");
  return true;
}

} // namespace

TEST_CASE("2B-7: concurrent starts all get places of their own") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    int attempt = 0;
    while (attempt < 5 && !concurrent_starts(group, attempt))
      ++attempt;
    group.expect(attempt < 5, "the term changed too often");
    group.end();
  });
}

TEST_CASE("2B-8: a leader that was cut off with uncommitted entries comes back and gives them up (N20)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one(101, 3, true);
    const auto first = group.check_one_leader();
    group.disconnect(first);
    for (const auto* command : {"102", "103", "104"})
      group.start(first, command);
    group.one(103, 2, true);
    const auto second = group.check_one_leader();
    group.disconnect(second);
    group.connect(first);
    group.one(104, 2, true);
    group.connect(second);
    group.one(105, 3, true);
    group.end();
  });
}

namespace {

/// One try of 2B-10 (b); false if the term moved on.
bool count_while_busy(course& group, int attempt) {
  if (attempt > 0)
    group.sleep(3s);
  const auto leader = group.check_one_leader();
  const auto before = group.requests();
  const auto first = group.start(leader, "1");
  if (!first.is_leader)
    return false;
  std::vector<std::string> commands;
  for (std::uint64_t i = 1; i < 12; ++i) {
    commands.push_back(group.random_command());
    const auto next = group.start(leader, commands.back());
    if (!next.is_leader || next.term != first.term)
      return false;
    group.expect(next.index == first.index + i, "a command got the wrong index");
  }
  for (std::uint64_t i = 1; i < 11; ++i) {
    const auto command = group.wait(first.index.value() + i, 3, first.term.value());
    if (!command)
      return false;
    group.expect(*command == commands[i - 1], "another command is committed at the index that was given");
  }
  for (int server = 0; server < 3; ++server)
    if (group.state(server).term != first.term)
      return false;
  const auto cost = group.requests() - before;
  group.expect(cost <= (10 + 1 + 3) * 3, "too many requests for a few commands: " + std::to_string(cost));
  return true;
}

} // namespace

TEST_CASE("2B-10: 30 requests are enough to elect, 42 for a dozen commands, 60 for a second of idleness (N6, N17)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.check_one_leader();
    const auto to_elect = group.requests();
    group.expect(to_elect >= 1 && to_elect <= 30, "an election took " + std::to_string(to_elect) + " requests");
    int attempt = 0;
    while (attempt < 5 && !count_while_busy(group, attempt))
      ++attempt;
    group.expect(attempt < 5, "the term changed too often");
    const auto before = group.requests();
    group.sleep(1s);
    group.expect(group.requests() - before <= 60, "too many requests while idle");
    group.end();
  });
}
