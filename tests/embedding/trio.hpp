/// \file
/// Three bare peers in an actor system of the test's, that speak with each other directly.
#pragma once

#include "tests/embedding/world.hpp"
#include "troupe/durable_log.hpp"
#include "troupe/peer.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::embedding {

struct quiet_config : caf::actor_system_config {
  quiet_config() {
    be_quiet();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2u);
    set("scheduler.max-throughput", 200u);
  }
};

/// Passes on to the test what the peers deliver, in its order.
inline service_actor::behavior_type pass_on(service_actor::pointer, const caf::actor& test) {
  return {[=](const applied_command& m) { caf::anon_send(test, m); },
          [=](const installed_snapshot& m) { caf::anon_send(test, m); }};
}

/// Three peers of one process, each with a log of its own.
struct trio {
  scratch_directory disk;
  quiet_config config;
  caf::actor_system system{config};
  caf::scoped_actor test{system};
  std::vector<peer_id> ids{peer_id{1}, peer_id{2}, peer_id{3}};
  std::map<peer_id, peer_handle> peers;
  std::map<peer_id, service_actor> services;
  bool equal_seeds = false;

  [[nodiscard]] peer_parts parts(peer_id id) {
    peer_parts made_of;
    made_of.self = id;
    made_of.members = configuration::of(ids);
    made_of.options.term_start_no_op = false;
    if (!equal_seeds)
      made_of.options.seed = id.value();
    made_of.store = open_durable_log(disk / std::to_string(id.value()), {"trio", id, ids}, std::size_t{64} << 10);
    made_of.service = services[id] = system.spawn(pass_on, caf::actor_cast<caf::actor>(test));
    return made_of;
  }

  void make_all() {
    for (const auto id : ids)
      peers[id] = make(system, parts(id));
  }

  /// Each is told of the others only now: none could have been named when the first was made.
  void begin_all() {
    for (const auto& [id, peer] : peers)
      caf::anon_send(peer, begin{{peers.begin(), peers.end()}});
  }

  [[nodiscard]] peer_state state(const peer_handle& peer) {
    peer_state answer;
    test->request(peer, patience, ask_state{})
        .receive([&](const peer_state& state) { answer = state; }, [](const caf::error&) {});
    return answer;
  }

  [[nodiscard]] start_reply start(const peer_handle& peer, const std::string& command) {
    start_reply answer;
    test->request(peer, patience, troupe::start{shared_bytes{command}})
        .receive([&](const start_reply& reply) { answer = reply; }, [](const caf::error&) {});
    return answer;
  }

  [[nodiscard]] peer_id await_leader() {
    peer_id leader;
    CHECK(eventually([&] {
      for (const auto& [id, peer] : peers)
        if (state(peer).is_leader)
          leader = id;
      return leader != nobody;
    }));
    return leader;
  }

  /// The next `count` commands that any service hears, as peer, index and command.
  [[nodiscard]] std::map<peer_id, std::vector<std::pair<log_index, std::string>>> hear(std::size_t count) {
    std::map<peer_id, std::vector<std::pair<log_index, std::string>>> heard;
    for (std::size_t i = 0; i < count; ++i)
      test->receive(
          [&](const applied_command& m) { heard[m.peer].emplace_back(m.index, std::string{m.command.view()}); },
          caf::after(patience) >> [] { FAIL("a command was not delivered"); });
    return heard;
  }

  /// Waits for the end of an actor.
  template <class Handle>
  void await_end(const Handle& handle) {
    test->monitor(handle);
    test->receive([](const caf::down_msg&) {}, caf::after(patience) >> [] { FAIL("it has not ended"); });
  }

  ~trio() {
    for (const auto& [id, peer] : peers)
      caf::anon_send(peer, stop_peer{});
    for (const auto& [id, service] : services)
      caf::anon_send_exit(service, caf::exit_reason::user_shutdown);
  }
};

} // namespace troupe::embedding
