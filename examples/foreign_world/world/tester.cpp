#include "world/tester.hpp"

#include <algorithm>
#include <map>

namespace world {

using namespace std::chrono_literals;

int tester::check_one_leader() {
  for (int round = 0; round < 10; ++round) {
    sleep(450ms + milliseconds{random(100)});
    std::map<std::uint64_t, int> leader_of;
    for (const auto& each : connected_roles())
      if (each.is_leader)
        expect(leader_of.emplace(each.term, each.server).second,
               "two servers lead in term " + std::to_string(each.term));
    if (!leader_of.empty())
      return leader_of.rbegin()->second; // One of an earlier term need not know yet that it was replaced.
  }
  fail("no server leads");
}

std::uint64_t tester::check_terms() {
  const auto roles = connected_roles();
  for (const auto& each : roles)
    expect(each.term == roles.front().term, "servers disagree on the term");
  return roles.front().term;
}

void tester::check_no_leader() {
  for (const auto& each : connected_roles())
    expect(!each.is_leader, "server " + std::to_string(each.server) + " leads without a quorum");
}

void tester::expect_nothing_at(std::uint64_t index) {
  expect(delivered(index).servers == 0, "index " + std::to_string(index) + " is delivered, and should not be");
}

/// Goes round the connected servers once, from behind the one that accepted last.
acceptance tester::offer(const std::string& command) {
  for (int i = 0; i < servers(); ++i) {
    last_asked_ = (last_asked_ + 1) % servers();
    if (!is_connected(last_asked_))
      continue;
    if (const auto answer = start(last_asked_, command); answer.is_leader)
      return answer;
  }
  return {};
}

std::uint64_t tester::one(const std::string& command, int expected, bool retry) {
  const auto deadline = clock::now() + 10s;
  while (clock::now() < deadline) {
    const auto accepted = offer(command);
    if (!accepted.is_leader) {
      sleep(50ms);
      continue;
    }
    const auto is_agreed = wait_until(
        [&] {
          const auto found = delivered(accepted.index);
          return found.servers >= expected && found.command == command;
        },
        2s);
    if (is_agreed) {
      ++agreed_;
      return accepted.index;
    }
    expect(retry, "no agreement on '" + command.substr(0, 20) + "' within two seconds");
  }
  fail("no agreement on '" + command.substr(0, 20) + "' within ten seconds");
}

std::optional<std::string> tester::wait(std::uint64_t index, int n, std::optional<std::uint64_t> start_term) {
  const auto is_there = [&] { return delivered(index).servers >= n; };
  auto pause = 10ms;
  for (int poll = 0; poll < 30 && !is_there(); ++poll) {
    (void)wait_until(is_there, pause);
    pause = std::min(2 * pause, 1280ms);
    if (start_term)
      for (const auto& each : living_roles())
        if (each.term > *start_term)
          return std::nullopt;
  }
  expect(is_there(),
         "only " + std::to_string(delivered(index).servers) + " of " + std::to_string(n)
             + " servers have delivered index " + std::to_string(index));
  return delivered(index).command;
}

} // namespace world
