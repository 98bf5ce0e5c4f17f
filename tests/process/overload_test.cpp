#include "tests/process/freeze.hpp"
#include "tests/process/overload.hpp"
#include "tests/process/real_cluster.hpp"

#include <csignal>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mebi = std::uint64_t{1} << 20;

/// Small bounds; what they add up to is below.
const std::vector<std::string> small_bounds{
    "--max-uncommitted", "4MiB", "--apply-backlog", "4MiB", "--log-window", "4MiB", "--max-forwarded", "4MiB",
    "--max-in-flight", "4MiB", "--max-request", "1MiB", "--lot-size", "512KiB", "--max-proposal", "2MiB",
    "--max-argument-size", "1536KiB", "--max-command-size", "1600KiB", "--max-gathered", "4MiB", "--max-unanswered",
    "16MiB", "--lot-answers", "2MiB", "--max-answers", "8MiB", "--output-pause", "256KiB", "--max-output", "8MiB",
    "--max-output-all", "16MiB", "--max-input-all", "16MiB",
    // A leader without a quorum stays in office for some seconds, and clients' deadlines are further away.
    "--election-timeout", "6s..7s", "--client-deadline", "60s"};

/// What one node may hold under these: uncommitted + backlog + window + forwarded (own, and two followers') + in flight
/// and the queues of two links + gathered and unanswered + answers + input and output of all clients.
constexpr std::uint64_t sum_of_bounds = (4 + 4 + 4 + 3 * 4 + 2 * (4 + 9) + 4 + 16 + 8 + 16 + 16) * mebi;

/// The most that a node's memory may grow to, given what it was before: the sum of the bounds, and what each connection
/// is read and written with.
std::uint64_t most_after(std::uint64_t before, std::size_t clients) {
  return before + sum_of_bounds + clients * (192 << 10);
}

std::string as_resp(const std::vector<std::string>& words) {
  auto text = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& each : words)
    text += "$" + std::to_string(each.size()) + "\r\n" + each + "\r\n";
  return text;
}

std::string in_mebi(std::uint64_t bytes) {
  return std::to_string(bytes / mebi) + " MiB";
}

/// Freezes the members other than these, or lets them go on.
void freeze_others(real_cluster& three, peer_id spared) {
  for (auto& each : three.cluster.members())
    if (each.id != spared)
      freeze(*each.process);
}

void thaw_others(real_cluster& three, peer_id spared) {
  for (auto& each : three.cluster.members())
    if (each.id != spared)
      each.process->send_signal(SIGCONT);
}

/// Every member has applied all that it has.
bool is_at_rest(real_cluster& three) {
  std::vector<log_index> applied;
  for (const auto& each : three.cluster.members()) {
    const auto status = three.cluster.status_of(each.id);
    if (!status || status->applied != status->last)
      return false;
    applied.push_back(status->applied);
  }
  return std::all_of(applied.begin(), applied.end(), [&](log_index each) { return each == applied.front(); });
}

/// The cluster serves again, and no room was lost: more than any bound passes through it, piece by piece.
void expect_recovered(real_cluster& three) {
  const auto leader = three.await_leader();
  three.set(leader, "after", "the flood");
  CHECK(three.get(three.other_than(leader), "after") == "the flood");
  crowd later{
      three.cluster.at(leader).client.port, 4, {as_resp({"SET", "later", std::string(64 << 10, 'l')}), 100, true, 4}};
  later.play(60s);
  CHECK_MESSAGE(later.heard("+OK") == 400, later.words(), three.log_tails());
  CHECK_MESSAGE(comes_true([&] { return is_at_rest(three); }, 60s), three.log_tails());
}

/// Memory is counted by the kernel, and a sanitizer's own is no concern of ours.
bool is_memory_ours() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  return true;
#endif
}

void expect_memory_below(real_cluster& three, peer_id id, std::uint64_t most, const crowd& who) {
  const auto peak = memory_of(*three.cluster.at(id).process, "VmHWM");
  MESSAGE("peak " << in_mebi(peak) << ", allowed " << in_mebi(most) << "; " << who.words());
  if (is_memory_ours())
    CHECK_MESSAGE(peak < most, "memory grew to ", in_mebi(peak), three.log_tails());
}

/// A flood of one kind of request at a node while the rest of the cluster is frozen.
void flood_without_quorum(const std::string& request, const std::string& ok) {
  real_cluster three{3, small_bounds};
  three.start_all();
  const auto leader = three.await_leader();
  three.set(leader, "k", "v");
  REQUIRE(comes_true([&] { return is_at_rest(three); }));
  auto& node = three.cluster.at(leader);
  const auto before = memory_of(*node.process, "VmHWM");
  constexpr std::size_t members = 100;
  freeze_others(three, leader);
  crowd flood{node.client.port, members, {request, 50}};
  // The leader leads until it misses its quorum; clients hear of a full bound long before.
  flood.play(3s);
  CHECK_MESSAGE(flood.heard("-BUSY") > 0, flood.words());
  CHECK_MESSAGE(flood.heard(ok) == 0, flood.words());
  // Whoever comes now is told at once, far from any deadline.
  const auto asked = std::chrono::steady_clock::now();
  const auto told = three.call(leader, {"PING"});
  CHECK_MESSAGE(told.text == "PONG", told.text);
  CHECK(std::chrono::steady_clock::now() - asked < 30s);
  flood.play(30s);
  CHECK_MESSAGE(flood.is_done(), flood.words());
  expect_memory_below(three, leader, most_after(before, members), flood);
  thaw_others(three, leader);
  expect_recovered(three);
  for (const auto& each : three.cluster.members())
    expect_memory_below(three, each.id, most_after(before, members), flood);
}

} // namespace

TEST_CASE("law 6: without a quorum a flood of writes is told BUSY at once, memory stays, and the cluster recovers") {
  flood_without_quorum(as_resp({"SET", "flood", std::string(128 << 10, 'w')}), "+OK");
}

TEST_CASE("law 6: without a quorum a flood of reads is told BUSY at once, memory stays, and the cluster recovers") {
  flood_without_quorum(as_resp({"EXISTS", std::string(128 << 10, 'r')}), ":0");
}

TEST_CASE(
    "law 6: a flood of writes through a follower whose leader hangs is told BUSY, memory stays, and it recovers") {
  real_cluster three{3, small_bounds};
  three.start_all();
  const auto leader = three.await_leader();
  three.set(leader, "k", "v");
  REQUIRE(comes_true([&] { return is_at_rest(three); }));
  const auto follower = three.other_than(leader);
  auto& node = three.cluster.at(follower);
  const auto before = memory_of(*node.process, "VmHWM");
  freeze(*three.cluster.at(leader).process);
  constexpr std::size_t members = 100;
  crowd flood{node.client.port, members, {as_resp({"SET", "flood", std::string(128 << 10, 'w')}), 50}};
  flood.play(3s);
  CHECK_MESSAGE(flood.heard("-BUSY") > 0, flood.words());
  flood.play(60s);
  CHECK_MESSAGE(flood.is_done(), flood.words());
  expect_memory_below(three, follower, most_after(before, members), flood);
  three.cluster.at(leader).process->send_signal(SIGCONT);
  expect_recovered(three);
}

TEST_CASE("law 6: clients that never read what they ask for cost a node no more than their bound, and nobody else") {
  real_cluster three{3, small_bounds};
  three.start_all();
  const auto leader = three.await_leader();
  three.set(leader, "large", std::string(mebi, 'v'));
  REQUIRE(comes_true([&] { return is_at_rest(three); }));
  for (int i = 0; i < 10; ++i) // The node knows how large its values are.
    CHECK(three.get(leader, "large").size() == mebi);
  auto& node = three.cluster.at(leader);
  const auto before = memory_of(*node.process, "VmHWM");
  constexpr std::size_t members = 150;
  crowd deaf{node.client.port, members, {as_resp({"GET", "large"}), 40, false}};
  REQUIRE(comes_true(
      [&] {
        deaf.play(200ms);
        return three.log_tails().find("replies of all clients exceed their bound") != std::string::npos;
      },
      60s));
  for (int i = 0; i < 20; ++i) {
    deaf.play(50ms);
    three.set(leader, "k" + std::to_string(i), "v");
    CHECK(three.get(leader, "k" + std::to_string(i)) == "v");
  }
  expect_memory_below(three, leader, most_after(before, members), deaf);
  expect_recovered(three);
}
