// One server of the foreign world, played by a Troupe peer: Make, Start, GetState, Snapshot and Kill are `make`,
// `start`, `ask_state`, `take_snapshot` and `stop_peer`.
#include "guest/guest.hpp"

#include "guest/blob_storage.hpp"
#include "guest/rpc_transport.hpp"
#include "guest/world_line.hpp"

#include <spdlog/spdlog.h>
#include <troupe/logging.hpp>
#include <troupe/peer.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <vector>

#include <unistd.h>

namespace guest {

namespace {

// The world counts its servers from 0; peer 0 is nobody.
troupe::peer_id peer_of(int server) {
  return troupe::peer_id{static_cast<std::uint64_t>(server) + 1};
}

/// Receives what is agreed on, in order, and passes it to the world.
troupe::service_actor::behavior_type service(troupe::service_actor::pointer, world_line* world) {
  return {
      [world](const troupe::applied_command& m) {
        world->say({.kind = frame_kind::delivered,
                    .index = m.index.value(),
                    .term = m.term.value(),
                    .bytes = std::string{m.command.view()}});
      },
      [world](const troupe::installed_snapshot& m) {
        world->say({.kind = frame_kind::installed,
                    .index = m.index.value(),
                    .term = m.term.value(),
                    .bytes = std::string{m.state.view()}});
      },
  };
}

/// The course's Make().
class raft {
public:
  raft(caf::actor_system& system, world_line& world, const lot& mine, const blobs& saved)
      : world_{world}, asker_{system}, service_{system.spawn(service, &world)} {
    troupe::peer_parts parts;
    parts.self = peer_of(mine.server);
    std::vector<troupe::peer_id> members;
    for (int server = 0; server < mine.servers; ++server)
      members.push_back(peer_of(server));
    parts.members = troupe::configuration::of(members);
    parts.options.seed = mine.seed;
    parts.options.term_start_no_op = false; // The first command is to have index 1.
    parts.store = std::make_shared<blob_storage>(saved, [&world](blobs all, std::function<void()> done) {
      world.save(std::move(all.state), std::move(all.snapshots), std::move(done));
    });
    parts.service = service_;
    parts.where = troupe::placements::all_scheduled();   // The store waits for nothing, so it needs no thread:
    parts.where.archivist = troupe::placement::detached; // except for a snapshot, until the world has it.
    peer_ = troupe::make(system, std::move(parts));

    troupe::begin first_word;
    for (int server = 0; server < mine.servers; ++server) {
      if (server == mine.server)
        continue;
      const auto remote = spawn_remote_peer(system, peer_, [&world, server](std::string argument, call_end end) {
        world.call(server, std::move(argument), std::move(end));
      });
      remotes_.emplace(server, remote);
      first_word.others.emplace(peer_of(server), remote);
    }
    caf::anon_send(peer_, std::move(first_word));
  }

  ~raft() { kill(); }

  void take_call(const frame& f, world_line& world) {
    auto call = std::make_shared<open_call>([&world, number = f.number](std::optional<std::string> result) {
      world.say({.kind = frame_kind::returned,
                 .number = number,
                 .yes = result.has_value(),
                 .bytes = std::move(result).value_or("")});
    });
    caf::anon_send(remotes_.at(f.server), incoming_call{f.bytes, std::move(call)});
  }

  /// Start(). The peer answers at once, whatever its store and the network are doing; so it does no harm to wait.
  [[nodiscard]] troupe::start_reply start(std::string command) {
    troupe::start_reply answer;
    asker_->request(peer_, caf::infinite, troupe::start{troupe::shared_bytes{std::move(command)}})
        .receive([&answer](const troupe::start_reply& m) { answer = m; },
                 [](const caf::error&) {}); // Killed: not the leader.
    return answer;
  }

  /// GetState().
  [[nodiscard]] troupe::peer_state state() {
    troupe::peer_state answer;
    asker_->request(peer_, caf::infinite, troupe::ask_state{})
        .receive([&answer](const troupe::peer_state& m) { answer = m; }, [](const caf::error&) {});
    return answer;
  }

  /// Snapshot(). The peer decides whether it has use for it; nobody waits.
  void take_snapshot(std::uint64_t index, std::string state) {
    caf::anon_send(peer_, troupe::take_snapshot{troupe::log_index{index}, troupe::shared_bytes{std::move(state)}});
  }

  /// Kill(). When it returns the peer is no more, all calls to it have failed, and nobody speaks to the world.
  void kill() {
    caf::anon_send(peer_, troupe::stop_peer{});
    await_end(peer_);
    for (const auto& [server, remote] : remotes_)
      await_end(remote); // Each ends with the peer.
    caf::anon_send_exit(service_, caf::exit_reason::user_shutdown);
    await_end(service_);
  }

private:
  template <class Handle>
  void await_end(const Handle& actor) {
    using namespace std::chrono_literals;
    asker_->monitor(actor);
    auto has_ended = false;
    while (!has_ended)
      asker_->receive([&](const caf::down_msg&) { has_ended = true; },
                      caf::after(1ms) >>
                          [this] {
                            // A snapshot may wait to be saved, and what writes it cannot end before.
                            if (!world_.listen_aside(10ms))
                              std::_Exit(1);
                          });
  }

  world_line& world_;
  caf::scoped_actor asker_;
  troupe::service_actor service_;
  troupe::peer_handle peer_;
  std::map<int, remote_peer> remotes_;
};

/// Does what the world wants, on this thread; the peer's actors run on CAF's.
void serve(world_line& world, raft& mine) {
  while (const auto f = world.listen()) {
    switch (f->kind) {
    case frame_kind::call: mine.take_call(*f, world); break;
    case frame_kind::start: {
      const auto answer = mine.start(f->bytes);
      world.say({.kind = frame_kind::started,
                 .number = f->number,
                 .index = answer.index.value(),
                 .term = answer.term.value(),
                 .yes = answer.is_leader});
      break;
    }
    case frame_kind::ask_state: {
      const auto answer = mine.state();
      world.say({.kind = frame_kind::state, .number = f->number, .term = answer.term.value(), .yes = answer.is_leader});
      break;
    }
    case frame_kind::take_snapshot: mine.take_snapshot(f->index, f->bytes); break;
    case frame_kind::kill:
      mine.kill();
      world.say({.kind = frame_kind::killed, .number = f->number});
      return;
    default: break;
    }
  }
  std::_Exit(1); // The world is gone, as when power fails: nothing is left to be promised.
}

} // namespace

int live(const lot& mine) try {
  troupe::log_to(std::make_shared<spdlog::logger>("nowhere")); // Losing a quorum is no news here.
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", 2u);
  config.set("scheduler.max-throughput", 100u);
  caf::actor_system system{config};
  world_line world{STDIN_FILENO, STDOUT_FILENO}; // Goes before the system does: it holds handles of its actors.
  const auto boot = world.listen();
  if (!boot || boot->kind != frame_kind::boot)
    return 1;
  raft peer{system, world, mine, {boot->bytes, boot->snapshot}};
  world.say({.kind = frame_kind::booted});
  serve(world, peer);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "server " << mine.server << ": " << error.what() << '\n';
  return 1;
}

} // namespace guest
