// Everything at once: whatever chance thinks of, with the safety checker looking on.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// One more thing that goes wrong, or right again.
void disturb(course& group) {
  const auto server = group.random(group.servers());
  const auto other = group.random(group.servers());
  auto& node = group.node(server);
  switch (group.random(10)) {
  case 0: // The way from one to another, in one direction only (E7, E8).
    group.network().enable(node.id(), group.node(other).id(), group.chance().chance(60));
    break;
  case 1: group.disconnect(server); break;
  case 2: group.connect(server); break;
  case 3:
    if (node.alive())
      group.crash(server);
    break;
  case 4:
  case 5:
    if (!node.alive())
      group.restart(server);
    group.connect(server);
    break;
  case 6: node.valve().stalled = true; break;
  case 7: node.valve().open(); break;
  case 8: group.network().set_reliable(group.chance().chance(50)); break;
  case 9: group.network().set_long_reordering(group.chance().chance(40)); break;
  }
}

void burst(course& group) {
  const auto server = group.random(group.servers());
  if (!group.node(server).alive())
    return;
  std::vector<std::string> commands(static_cast<std::size_t>(1 + group.random(20)));
  for (auto& command : commands)
    command = group.random_command();
  group.start_at_once(server, commands);
}

void heal(course& group) {
  group.network().set_reliable(true);
  group.network().set_long_reordering(false);
  for (int server = 0; server < group.servers(); ++server) {
    group.node(server).valve().open();
    if (!group.node(server).alive())
      group.restart(server);
    group.disconnect(server);
  }
  group.connect_all();
}

/// Bounds so small that all are met: windows, requests, entries read back from disk, backlogs.
peer_options tight(peer_options options) {
  options.limits.log_window_bytes = 2000;
  options.limits.request_bytes = 300;
  options.limits.request_entries = 7;
  options.limits.in_flight_bytes = 1000;
  options.limits.in_flight_entries = 30;
  options.limits.in_flight_requests = 4;
  options.limits.apply_backlog_bytes = 500;
  options.limits.uncommitted_bytes = 20'000;
  return options;
}

void play_mixture(std::uint64_t seed, const peer_options& peers, bool snapshots = false) {
  auto options = with_servers(3 + 2 * static_cast<int>(seed % 2), false);
  options.latency = {100us, 40ms};
  options.peers = peers;
  options.snapshots = snapshots;
  course group{seed, options};
  for (int round = 0; round < 300; ++round) {
    disturb(group);
    for (int i = 0; i < 3; ++i)
      burst(group);
    group.sleep(milliseconds{group.random(200)});
  }
  heal(group);
  const auto last = group.one("last", group.servers(), true);
  for (std::uint64_t index = 1; index <= last; ++index) {
    const auto servers = group.committed(index).servers;
    group.expect(servers == group.servers() || (peers.term_start_no_op && servers == 0), "a server lacks a command");
  }
  group.end();
}

} // namespace

TEST_CASE(
    "Crashes, cut ways, hanging disks, late replies, in any mixture: every promise holds, and it heals (L1, N21)") {
  over_seeds(100, [](std::uint64_t seed) { play_mixture(seed, course_options::bare_interface()); });
}

TEST_CASE("The same mixture with all bounds so small that they are met (Z5, N18)") {
  over_seeds(100, [](std::uint64_t seed) { play_mixture(seed, tight(course_options::bare_interface())); });
}

TEST_CASE(
    "The same mixture with snapshots: who lacks what is forgotten is sent one, and no state goes back (S2, S4, S9)") {
  over_seeds(100, [](std::uint64_t seed) {
    auto peers = course_options::bare_interface();
    if (seed % 2 == 0)
      peers = tight(peers);
    peers.limits.snapshot_piece_bytes = 100 + 1000 * (seed % 5);
    play_mixture(seed, peers, true);
  });
}

TEST_CASE("The same mixture with the options of production: each term opens with a no-op") {
  over_seeds(100, [](std::uint64_t seed) { play_mixture(seed, peer_options{}); });
}
