/// \file
/// A group with a service that counts, and clients at each of its servers.
#pragma once

#include "tests/support/client_ledger.hpp"
#include "tests/support/course.hpp"

#include <map>
#include <set>
#include <utility>

namespace troupe {

/// A group with the options of production.
[[nodiscard]] inline course_options serving(int servers) {
  auto options = with_servers(servers);
  options.peers = {};
  return options;
}

class client_group {
public:
  client_group(std::uint64_t seed, course_options options);

  [[nodiscard]] course& group() { return group_; }
  [[nodiscard]] client_ledger& ledger() { return ledger_; }

  /// Some client of a server submits a lot, whatever else it waits for; nothing happens if the server does not live.
  /// `padding` makes each operation longer.
  void submit(int server, operation what, int count, std::size_t padding = 0);
  void command(int server, int count, std::size_t padding = 0) { submit(server, operation::command, count, padding); }
  void query(int server, int count = 1) { submit(server, operation::query, count); }
  /// A few commands or queries, by chance.
  void submit_anything(int server);

  /// The power of a server goes, and its clients with it.
  void crash(int server);
  /// It comes back, and is connected.
  void restart(int server);
  /// The server is told to stop; it counts as gone from now on, but its clients live.
  void stop(int server);
  [[nodiscard]] bool lives(int server) { return group_.node(server).alive() && !stopped_.contains(server); }

  /// Network and disks work again, and who crashed returns.
  void heal();
  /// By when each operation must have ended that a working applier answers: the client's deadline, and how often a
  /// forwarding peer looks.
  [[nodiscard]] duration patience() const;
  /// Waits until every operation has ended, and fails if one does not.
  void wait_for_all();
  /// Heals, waits for every operation's end, and sees that all servers have come to the same state and serve.
  void end();

private:
  /// A client at one life of a server.
  struct client {
    client_actor actor;
    client_ledger::connection id = 0;
    std::uint64_t last_number = 0;
  };

  client& client_at(int server, int which);

  peer_options peers_;
  client_ledger ledger_; ///< Outlives the services, which write in it.
  course group_;
  std::map<std::pair<int, int>, client> clients_;
  std::set<int> stopped_;
  client_ledger::connection last_connection_ = 0;
};

} // namespace troupe
