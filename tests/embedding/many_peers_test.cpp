// N5: a thousand peers made at once in one process, on real disks.
#include "tests/embedding/world.hpp"
#include "troupe/durable_log.hpp"
#include "troupe/peer.hpp"

#include <map>

using namespace troupe;
using namespace troupe::embedding;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t groups = 334; // Of three peers each: 1,002.

struct small_config : caf::actor_system_config {
  small_config() {
    be_quiet();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2u);
    set("scheduler.max-throughput", 200u);
  }
};

service_actor::behavior_type count_commands(service_actor::pointer, const caf::actor& test) {
  return {[=](const applied_command& m) { caf::anon_send(test, m); }, [](const installed_snapshot&) {}};
}

/// How many of `peers` lead.
std::size_t count_leaders(caf::scoped_actor& self, const std::vector<peer_handle>& peers) {
  std::size_t leaders = 0;
  for (const auto& peer : peers)
    self->request(peer, patience, ask_state{})
        .receive([&](const peer_state& state) { leaders += state.is_leader; }, [](const caf::error&) {});
  return leaders;
}

} // namespace

TEST_CASE("N5: a thousand peers are made at once on three disks, with eight threads more and little memory") {
  scratch_directory place;
  small_config config;
  caf::actor_system system{config};
  caf::scoped_actor test{system};
  const std::vector<peer_id> ids{peer_id{1}, peer_id{2}, peer_id{3}};
  const auto threads_before = threads_now();
  const auto bytes_before = resident_bytes_now();

  std::map<peer_id, shared_disk> disks;
  for (const auto id : ids)
    disks[id] = open_disk(system, open_durable_log(place / std::to_string(id.value()), {"many", id, ids}));
  auto service = system.spawn(count_commands, caf::actor_cast<caf::actor>(test));
  std::vector<peer_handle> peers;
  std::vector<std::map<peer_id, raft_actor>> handles(groups);
  for (std::uint32_t g = 0; g < groups; ++g)
    for (const auto id : ids) {
      peer_parts parts;
      parts.self = id;
      parts.group = group_id{g};
      parts.members = configuration::of(ids);
      parts.options.term_start_no_op = false;
      parts.options.seed = g * 3 + id.value();
      // A thousand timers on a shared machine: unhurried ones.
      parts.options.times = {500ms, 3000ms, 9000ms, 10ms};
      parts.disk = disks[id];
      parts.service = service;
      peers.push_back(make(system, std::move(parts)));
      handles[g][id] = peers.back();
    }
  // Whole and silent: nobody has voted.
  CHECK(count_leaders(test, peers) == 0);
  for (std::size_t i = 0; i < peers.size(); ++i)
    caf::anon_send(peers[i], begin{handles[i / 3]});
  REQUIRE(eventually([&] { return count_leaders(test, peers) == groups; }));

  const auto threads = threads_now() - threads_before;
  const auto bytes = resident_bytes_now() - bytes_before;
  MESSAGE(peers.size() << " peers: " << threads << " threads, " << (bytes >> 20) << " MiB, "
                       << bytes / peers.size() / 1024 << " KiB each");
  CHECK(threads <= 8);
#if !defined(__SANITIZE_ADDRESS__)
  CHECK(bytes < std::size_t{200} << 20);
#endif

  // Each group agrees on a command of its own.
  std::size_t accepted = 0;
  for (const auto& peer : peers)
    test->request(peer, patience, start{shared_bytes{"x"}})
        .receive([&](const start_reply& reply) { accepted += reply.is_leader; }, [](const caf::error&) {});
  CHECK(accepted == groups);
  for (std::size_t i = 0; i < accepted * 3; ++i)
    test->receive([](const applied_command& m) { CHECK(m.index == log_index{1}); },
                  caf::after(patience) >> [] { FAIL("a command was not delivered"); });

  for (const auto& peer : peers)
    test->monitor(peer);
  for (const auto& peer : peers)
    caf::anon_send(peer, stop_peer{});
  for (std::size_t i = 0; i < peers.size(); ++i)
    test->receive([](const caf::down_msg&) {}, caf::after(patience) >> [] { FAIL("a peer has not ended"); });
  for (const auto& [id, disk] : disks)
    close_disk(disk);
  caf::anon_send_exit(service, caf::exit_reason::user_shutdown);
}
