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

void leaders_come_and_go_over_a_lossy_network(tester& t) {
  t.net().set_reliable(false);
  const auto command = [&t] { return t.random(10'000); };
  const auto connected = [&t] {
    int count = 0;
    for (int server = 0; server < t.servers(); ++server)
      count += t.is_connected(server);
    return count;
  };
  t.one(command(), 1, true);
  for (int round = 0; round < 1000; ++round) {
    if (round == 200)
      t.net().set_long_reordering(true);
    std::optional<int> leader;
    for (int server = 0; server < t.servers(); ++server)
      if (t.start(server, std::to_string(command())).is_leader && t.is_connected(server))
        leader = server;
    t.sleep(milliseconds{t.random(1000) < 100 ? t.random(500) : t.random(13)});
    if (leader && t.random(1000) < 500)
      t.disconnect(*leader);
    if (const auto server = t.random(t.servers()); connected() < 3)
      t.connect(server);
  }
  for (int server = 0; server < t.servers(); ++server)
    t.connect(server);
  t.one(command(), t.servers(), true);
}

} // namespace

std::vector<scenario> persistence() {
  return {
      {"2C-1", "Persist1: what was promised survives crashes", 3, what_was_promised_survives},
      {"2C-6", "Figure8Unreliable: replies are lost or seconds late", 5, leaders_come_and_go_over_a_lossy_network},
  };
}

} // namespace world
