#include "world/scenarios.hpp"

namespace world {

namespace {

using namespace std::chrono_literals;

void a_leader_appears_and_stays(tester& t) {
  t.check_one_leader();
  t.sleep(50ms);
  t.expect(t.check_terms() >= 1, "the term is 0 under a leader");
  t.sleep(2 * election_time);
  t.check_terms(); // The course only warns of another term.
  t.check_one_leader();
}

void leaders_are_replaced_and_come_back(tester& t) {
  const auto first = t.check_one_leader();
  t.disconnect(first);
  t.check_one_leader();
  t.connect(first); // It must not disturb.
  const auto second = t.check_one_leader();
  const auto next = (second + 1) % t.servers();
  t.disconnect(second);
  t.disconnect(next);
  t.sleep(2 * election_time);
  t.check_no_leader();
  t.connect(next);
  t.check_one_leader();
  t.connect(second);
  t.check_one_leader();
}

void a_minority_may_go_at_any_time(tester& t) {
  t.check_one_leader();
  for (int round = 0; round < 9; ++round) {
    const int lost[] = {t.random(t.servers()), t.random(t.servers()), t.random(t.servers())};
    for (const auto server : lost)
      t.disconnect(server);
    t.check_one_leader();
    for (const auto server : lost)
      t.connect(server);
  }
  t.check_one_leader();
}

} // namespace

std::vector<scenario> elections() {
  return {
      {"2A-1", "InitialElection: a leader appears and stays", 3, a_leader_appears_and_stays},
      {"2A-2", "ReElection: leaders are replaced and come back", 3, leaders_are_replaced_and_come_back},
      {"2A-3", "ManyElections: a minority may go at any time", 7, a_minority_may_go_at_any_time},
  };
}

} // namespace world
