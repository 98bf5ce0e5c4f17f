// Law 6 between a leader and its followers: how much one request brings, and how much is on its way at a time.
#include "tests/support/clients.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// What of one leader's entries one follower has not answered for.
struct unanswered {
  struct request {
    std::size_t bytes = 0;
    std::size_t entries = 0;
  };
  std::map<std::uint64_t, request> open;
  request most;
  std::size_t most_requests = 0;

  void add(const append_entries& message) {
    request sent;
    for (const auto& batch : message.batches) {
      sent.bytes += batch.size_bytes();
      sent.entries += batch.count();
    }
    open[message.number] = sent;
    request sum;
    for (const auto& [number, each] : open) {
      sum.bytes += each.bytes;
      sum.entries += each.entries;
    }
    most = {std::max(most.bytes, sum.bytes), std::max(most.entries, sum.entries)};
    most_requests = std::max(most_requests, open.size());
  }
};

/// Watches what leaves the peers.
class traffic {
public:
  explicit traffic(course& group) {
    group.network().watch([this](const peer_message& message) { see(message); });
  }

  std::map<std::pair<peer_id, peer_id>, unanswered> ways; ///< From leader to follower.
  unanswered::request largest;                            ///< Of single requests.
  std::size_t largest_shared_bytes = 0;                   ///< Of requests with more than one entry.

private:
  void see(const peer_message& message) {
    if (const auto* request = std::get_if<append_entries>(&message); request && !request->batches.empty()) {
      unanswered alone;
      alone.add(*request);
      largest = {std::max(largest.bytes, alone.most.bytes), std::max(largest.entries, alone.most.entries)};
      if (alone.most.entries > 1)
        largest_shared_bytes = std::max(largest_shared_bytes, alone.most.bytes);
      ways[{request->about.from, request->about.to}].add(*request);
    } else if (const auto* reply = std::get_if<append_reply>(&message)) {
      ways[{reply->about.to, reply->about.from}].open.erase(reply->number);
    }
  }
};

constexpr std::size_t padding = 80;

/// Followers' disks hang, so nothing that brings entries is answered, while a leader takes command after command.
/// Returns what was on its way to the follower that was sent most.
unanswered pile_up(client_group& clients, traffic& seen) {
  auto& group = clients.group();
  const auto leader = group.check_one_leader();
  group.sleep(200ms);
  seen.ways.clear();
  for (int server = 0; server < 3; ++server)
    group.node(server).valve().stalled = server != leader;
  for (int i = 0; i < 60; ++i) {
    clients.command(leader, 1 + group.random(4), padding);
    group.sleep(milliseconds{1});
  }
  unanswered most;
  for (const auto& [way, each] : seen.ways)
    if (each.most.bytes > most.most.bytes)
      most = each;
  return most;
}

} // namespace

TEST_CASE("law 6, max-request: a request brings so many bytes and entries, but at least one entry") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.request_bytes = 600;
    options.peers.limits.request_entries = 5;
    options.peers.limits.in_flight_requests = 1; // What is not sent gathers, and could all go at once later.
    client_group clients{seed, options};
    traffic seen{clients.group()};
    pile_up(clients, seen);
    clients.heal();
    clients.wait_for_all();
    clients.command(clients.group().check_one_leader(), 1, 2000);
    clients.end();
    clients.group().expect(seen.largest.entries <= 5 && seen.largest.entries >= 4,
                           "a request brings " + std::to_string(seen.largest.entries));
    clients.group().expect(seen.largest_shared_bytes <= 600 && seen.largest_shared_bytes > 200,
                           "a request has " + std::to_string(seen.largest_shared_bytes) + " bytes");
    clients.group().expect(seen.largest.bytes > 2000, "the large entry was never sent");
  });
}

TEST_CASE("law 6, max-in-flight: a follower that does not answer is sent so many bytes, and served again later") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.limits.request_bytes = 300;
    options.peers.limits.in_flight_bytes = 1500;
    client_group clients{seed, options};
    traffic seen{clients.group()};
    const auto most = pile_up(clients, seen);
    clients.group().expect(most.most.bytes <= 1500 + 300 && most.most.bytes >= 1500 - 300,
                           std::to_string(most.most.bytes) + " bytes are on their way");
    clients.end();
  });
}

TEST_CASE("law 6, max-in-flight-requests, max-in-flight-entries: nor is it sent more requests or entries") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = serving(3);
    const auto by_requests = seed % 2 == 0;
    if (by_requests)
      options.peers.limits.in_flight_requests = 4;
    else
      options.peers.limits.in_flight_entries = 20;
    options.peers.limits.request_entries = 4;
    client_group clients{seed, options};
    traffic seen{clients.group()};
    const auto most = pile_up(clients, seen);
    if (by_requests)
      clients.group().expect(most.most_requests == 4, std::to_string(most.most_requests) + " requests");
    else
      clients.group().expect(most.most.entries <= 24 && most.most.entries >= 16,
                             std::to_string(most.most.entries) + " entries are on their way");
    clients.end();
  });
}
