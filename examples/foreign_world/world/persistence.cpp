#include "world/scenarios.hpp"

namespace world {

namespace {

void what_was_promised_survives(tester& t) {
  t.one(11, 3, true);
  for (int server = 0; server < 3; ++server)
    t.restart(server);
  for (int server = 0; server < 3; ++server) {
    t.disconnect(server);
    t.connect(server);
  }
  t.one(12, 3, true);

  t.revive(t.check_one_leader());
  t.one(13, 3, true);

  const auto leader = t.check_one_leader();
  t.disconnect(leader);
  t.one(14, 2, true);
  t.restart(leader);
  t.connect(leader);
  t.wait(4, 3);

  const auto follower = (t.check_one_leader() + 1) % 3;
  t.disconnect(follower);
  t.one(15, 2, true);
  t.restart(follower);
  t.connect(follower);
  t.one(16, 3, true);
}

} // namespace

std::vector<scenario> persistence() {
  return {{"2C-1", "Persist1: what was promised survives crashes", 3, what_was_promised_survives}};
}

} // namespace world
