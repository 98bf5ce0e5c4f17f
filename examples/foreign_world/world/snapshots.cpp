#include "world/scenarios.hpp"

#include <chrono>

namespace world {

namespace {

/// Term, vote and live entries of any server, whenever the course looks.
constexpr std::size_t most_state_bytes = 2000;

/// Thirty times others go on, while somebody is away if `cuts_off`; logs stay short, and who was away catches up.
void trim(tester& t, bool cuts_off) {
  t.take_snapshots();
  t.one(t.random_command(), 3, true);
  auto leader = t.check_one_leader();
  for (int i = 0; i < 30; ++i) {
    const bool is_leader_victim = i % 3 == 1;
    const auto victim = is_leader_victim ? leader : (leader + 1) % 3;
    const auto sender = is_leader_victim ? (leader + 1) % 3 : leader;
    if (cuts_off) {
      t.disconnect(victim);
      t.one(t.random_command(), 2, true);
    }
    for (auto n = 5 + t.random(10); n > 0; --n)
      (void)t.start(sender, t.random_command());
    t.one(t.random_command(), cuts_off ? 2 : 3, true);
    // On a real machine, which may be busy, a save may still be on its way.
    (void)t.wait_until([&] { return t.largest_state_bytes() < most_state_bytes; }, std::chrono::seconds{2});
    const auto bytes = t.largest_state_bytes();
    t.expect(bytes < most_state_bytes, "a server has saved " + std::to_string(bytes) + " bytes of log");
    if (!cuts_off)
      continue;
    t.connect(victim);
    t.one(t.random_command(), 3, true);
    leader = t.check_one_leader();
  }
}

void logs_are_trimmed(tester& t) {
  trim(t, false);
}

void who_lacks_what_was_trimmed_is_sent_a_snapshot(tester& t) {
  trim(t, true);
  t.expect(t.installed() > 0, "nobody was ever sent a snapshot");
}

void crash_all(tester& t) {
  for (int server = 0; server < t.servers(); ++server)
    t.crash(server);
  for (int server = 0; server < t.servers(); ++server) {
    t.restart(server);
    t.connect(server);
  }
}

void indices_go_on_after_a_crash_of_all(tester& t) {
  t.take_snapshots();
  t.one(t.random_command(), 3, true);
  for (int round = 0; round < 5; ++round) {
    for (auto n = 5 + t.random(10); n > 0; --n)
      t.one(t.random_command(), 3, true);
    const auto before = t.one(t.random_command(), 3, true);
    crash_all(t);
    const auto after = t.one(t.random_command(), 3, true);
    t.expect(after > before, "the index fell back from " + std::to_string(before) + " to " + std::to_string(after));
  }
  t.expect(t.installed() > 0, "nobody began a life with a snapshot");
}

/// What a server saves in its second life must not lose the snapshot that it found.
void a_snapshot_is_carried_along(tester& t) {
  t.take_snapshots();
  const auto bytes_of_none = t.smallest_snapshot_bytes();
  for (int n = 0; n < 12; ++n)
    t.one(t.random_command(), 3, true);
  t.expect(t.wait_until([&] { return t.smallest_snapshot_bytes() > bytes_of_none; }, std::chrono::seconds{5}),
           "not every server saves a snapshot");
  for (int life = 0; life < 2; ++life) {
    crash_all(t);
    t.one(t.random_command(), 3, true);
  }
  t.expect(t.installed() >= 6, "not every server began both its lives with a snapshot");
}

} // namespace

std::vector<scenario> snapshots() {
  return {
      {"2D-1", "SnapshotBasic: logs are trimmed behind snapshots", 3, logs_are_trimmed},
      {"2D-2", "SnapshotInstall: who was cut off is sent a snapshot", 3, who_lacks_what_was_trimmed_is_sent_a_snapshot},
      {"2D-6", "SnapshotAllCrash: indices go on after a crash of all", 3, indices_go_on_after_a_crash_of_all},
      {"2D-7", "SnapshotInit: a server that restarts carries its snapshot along", 3, a_snapshot_is_carried_along},
  };
}

} // namespace world
