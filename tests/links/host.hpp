/// \file
/// A host of the link tests: an actor system of its own with links, where the test itself is the peer and the listener.
#pragma once

#include "actors/link/acceptor.hpp"
#include "actors/logging.hpp"
#include "tests/support/free_ports.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace troupe::testing {

using namespace std::chrono_literals;

/// Nothing in these tests takes this long unless it is broken.
inline constexpr auto patience = 10s;

inline uuid disk(std::uint64_t n) {
  uuid id{{0xd1, 0x5c}};
  id.bytes.back() = static_cast<std::uint8_t>(n);
  return id;
}

/// Options with short times, for the node `id` of cluster "test".
inline link_options options_of(std::uint64_t id) {
  link_options options;
  options.me = {"test", peer_id{id}, disk(id), 1, {10 * id}};
  options.listen = {"127.0.0.1", 0};
  options.connect_deadline = 500ms;
  options.hello_deadline = 300ms;
  options.retry_least = 10ms;
  options.retry_most = 100ms;
  options.ping_every = 50ms;
  options.dead_after = 400ms;
  options.seed = id;
  return options;
}

struct io_config : caf::actor_system_config {
  io_config() {
    logs().set_level(spdlog::level::err); // What is refused here is refused on purpose.
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 1u);
  }
};

/// Waits for a message that `fits`, passing over others of its type. Fails the test if none comes.
template <class T>
T await(
    caf::scoped_actor& self, std::function<bool(const T&)> fits = [](const T&) { return true; }) {
  T found{};
  bool done = false;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!done) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    bool late = false;
    self->receive(
        [&](const T& m) {
          if (fits(m)) {
            found = m;
            done = true;
          }
        },
        caf::after(std::max(left, 0ms)) >> [&] { late = true; });
    REQUIRE_MESSAGE(!late, "waited in vain for a message");
  }
  return found;
}

/// Whether a message of type `T` comes within `wait`.
template <class T>
bool comes(caf::scoped_actor& self, std::chrono::milliseconds wait) {
  bool came = false;
  self->receive([&](const T&) { came = true; }, caf::after(wait) >> [] {});
  return came;
}

/// Passes on all it hears, and says that what is to be remembered is.
inline link_listener::behavior_type notary(const caf::actor& to, bool remembers) {
  return {
      [=](const link_up& m) { caf::anon_send(to, m); },
      [=](const link_down& m) { caf::anon_send(to, m); },
      [=](const link_refused& m) { caf::anon_send(to, m); },
      [=](const peer_identified& m) {
        if (remembers)
          caf::anon_send(m.to, peer_noted{m.peer, m.met});
        caf::anon_send(to, peer_identified{m.peer, m.met, {}});
      },
  };
}

class host {
public:
  /// One that does not remember says nothing of what it is to remember.
  explicit host(link_options options, bool remembers = true) : options{std::move(options)} {
    ears = system.spawn(notary, caf::actor_cast<caf::actor>(listener), remembers);
  }

  /// Opens the door and dials `remotes`.
  void open(const std::map<peer_id, endpoint>& remotes, const std::map<peer_id, acquaintance>& known = {}) {
    dialers = spawn_dialers(system, options, remotes, ears);
    auto opened = spawn_acceptor(system, options, known, dialers, caf::actor_cast<raft_actor>(local), ears);
    if (const auto* words = std::get_if<std::string>(&opened))
      FAIL(*words);
    door = std::get<link_door>(opened);
  }

  /// Ends all brokers and waits until they have ended.
  void close() {
    for (const auto& [id, dialer] : dialers)
      local->monitor(dialer);
    local->monitor(door.acceptor);
    const auto brokers = dialers.size() + 1;
    stop_links(dialers, door.acceptor);
    for (std::size_t i = 0; i < brokers; ++i)
      await<caf::down_msg>(local);
    dialers.clear();
    door.acceptor = nullptr;
  }

  ~host() {
    stop_links(dialers, door.acceptor);
    dialers.clear();
    door.acceptor = nullptr;
  }

  host(const host&) = delete;
  host& operator=(const host&) = delete;

  template <class Message>
  void tell(std::uint64_t peer, Message m) {
    caf::anon_send(dialers.at(peer_id{peer}), std::move(m));
  }

  void await_up(std::uint64_t peer) {
    await<link_up>(listener, [peer](const link_up& m) { return m.peer == peer_id{peer}; });
  }

  link_options options;
  io_config config;
  caf::actor_system system{config};
  caf::scoped_actor local{system};
  caf::scoped_actor listener{system};
  link_listener ears;
  std::map<peer_id, dialer_actor> dialers;
  link_door door;
};

/// A heartbeat that says who sends it to whom, and a number.
inline append_entries heartbeat(std::uint64_t from, std::uint64_t to, std::uint64_t number) {
  append_entries m;
  m.about = {group_id{}, peer_id{from}, peer_id{to}, term_number{1}};
  m.number = number;
  return m;
}

/// A request with one entry of that many bytes, sent after position (1, 4).
inline append_entries request_of(std::uint64_t from, std::uint64_t to, std::size_t bytes, std::uint64_t number = 1) {
  auto m = heartbeat(from, to, number);
  m.previous = {term_number{1}, log_index{4}};
  entry_block_builder block;
  block.add(entry_kind::command, std::string(bytes, 'x'));
  m.batches.push_back(entry_batch::stamp(block.take(), term_number{1}, log_index{5}, 7));
  return m;
}

} // namespace troupe::testing
