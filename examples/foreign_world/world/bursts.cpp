#include "world/scenarios.hpp"

#include <algorithm>

namespace world {

namespace {

using namespace std::chrono_literals;

bool is_still(tester& t, std::uint64_t term) {
  const auto roles = t.living_roles();
  return std::all_of(roles.begin(), roles.end(), [term](const role& each) { return each.term == term; });
}

/// The course allows five tries: an election in between proves nothing, neither way.
void try_five_times(tester& t, bool (*attempt)(tester&)) {
  for (int i = 0; i < 5; ++i) {
    if (i > 0)
      t.sleep(3s);
    if (attempt(t))
      return;
  }
  t.fail("the term changed too often");
}

bool start_five_at_once(tester& t) {
  const auto leader = t.check_one_leader();
  const auto first = t.start(leader, "1");
  if (!first.is_leader)
    return false;
  const std::vector<std::string> commands{"100", "101", "102", "103", "104"};
  const auto accepted = t.start_at_once(leader, commands);
  if (!is_still(t, first.term))
    return false;
  std::vector<std::string> agreed;
  for (const auto& each : accepted) {
    if (!each.is_leader || each.term != first.term)
      continue;
    const auto command = t.wait(each.index, 3, first.term);
    if (!command)
      return false;
    agreed.push_back(*command);
  }
  for (const auto& command : commands)
    t.expect(std::count(agreed.begin(), agreed.end(), command) == 1, "command " + command + " is missing");
  return true;
}

bool count_a_dozen(tester& t) {
  const auto leader = t.check_one_leader();
  const auto before = t.net().requests_received();
  const auto first = t.start(leader, "1");
  if (!first.is_leader)
    return false;
  std::vector<std::string> commands;
  for (int i = 0; i < 11; ++i)
    commands.push_back(t.random_command());
  const auto accepted = t.start_at_once(leader, commands);
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    if (!accepted[i].is_leader || accepted[i].term != first.term)
      return false;
    t.expect(accepted[i].index == first.index + i + 1, "a command got the wrong index");
  }
  for (std::size_t i = 0; i < 10; ++i) {
    const auto command = t.wait(accepted[i].index, 3, first.term);
    if (!command)
      return false;
    t.expect(*command == commands[i], "another command is agreed on at the index that was given");
  }
  if (!is_still(t, first.term))
    return false;
  const auto cost = t.net().requests_received() - before;
  t.expect(cost <= 42, "too many requests for a dozen commands: " + std::to_string(cost));
  return true;
}

void concurrent_starts(tester& t) {
  try_five_times(t, start_five_at_once);
}

void requests_are_counted(tester& t) {
  t.check_one_leader();
  const auto to_elect = t.net().requests_received();
  t.expect(to_elect >= 1 && to_elect <= 30, "an election takes " + std::to_string(to_elect) + " requests");
  try_five_times(t, count_a_dozen);
  const auto before = t.net().requests_received();
  t.sleep(election_time);
  const auto idle = t.net().requests_received() - before;
  t.expect(idle <= 60, "too many requests in a second of idleness: " + std::to_string(idle));
}

} // namespace

std::vector<scenario> bursts() {
  return {
      {"2B-7", "ConcurrentStarts: commands given at once get places of their own", 3, concurrent_starts},
      {"2B-10", "Count: few requests suffice", 3, requests_are_counted},
  };
}

} // namespace world
