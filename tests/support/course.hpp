/// \file
/// The course's Raft harness, on virtual time: a group of servers over the simulated network, and the loops by which
/// the course's tests wait, ask and judge. Servers are counted from 0, as the scenarios do; server i is peer i + 1.
#pragma once

#include "stage/network.hpp"
#include "stage/node.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What a group is like.
struct course_options {
  int servers = 3;
  bool reliable = true;
  /// Heartbeat 100 ms, election timeout 500-1000 ms, and the first command has index 1.
  peer_options peers = bare_interface();
  sync_latency latency;
  /// Timing and bounds of a single server, if it is to differ.
  std::function<peer_options(int server)> peers_of;
  /// The servers are made, and nothing runs yet: whoever is to live is started.
  bool begin_alone = false;
  /// Nodes keep their logs by the real log on a simulated disk, or else without a format.
  bool real_log = true;
  /// The state machine takes snapshots as in part 2D: after each index that is 9 beyond a multiple of ten.
  bool snapshots = false;
  /// The state machine of each life of a server, around the one that delivers to the harness; if empty, it is that one.
  std::function<std::shared_ptr<state_machine>(int server, std::shared_ptr<state_machine> delivering)> machine_of = {};

  static peer_options bare_interface() {
    peer_options options;
    options.term_start_no_op = false;
    return options;
  }
};

[[nodiscard]] inline course_options with_servers(int servers, bool reliable = true) {
  course_options options;
  options.servers = servers;
  options.reliable = reliable;
  return options;
}

/// How far agreement on an index has come: who has delivered it, and what.
struct commitment {
  int servers = 0;
  std::string command;
};

class course {
public:
  course(std::uint64_t seed, course_options options);
  course(std::uint64_t seed, int servers) : course{seed, with_servers(servers)} {}
  ~course();

  [[nodiscard]] int servers() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] stage_runtime& runtime() { return runtime_; }
  [[nodiscard]] stage_network& network() { return network_; }
  [[nodiscard]] safety_checker& checker() { return checker_; }
  [[nodiscard]] stage_node& node(int server) { return *nodes_[static_cast<std::size_t>(server)]; }
  [[nodiscard]] dice& chance() { return chance_; }
  /// A number below `bound`, as the course's tests draw them.
  int random(int bound) { return static_cast<int>(chance_.below(static_cast<std::uint64_t>(bound))); }
  /// A random command.
  std::string random_command();

  void connect(int server);
  void disconnect(int server);
  [[nodiscard]] bool connected(int server) const { return connected_[static_cast<std::size_t>(server)]; }
  /// Cuts the server off, then takes its power.
  void crash(int server);
  /// Crashes it if it lives, and starts it from its disk; it is not connected by this.
  void restart(int server);
  void connect_all();
  void sleep(duration span);

  /// The one leader, by the course's ten rounds.
  int check_one_leader();
  /// The term all connected servers agree on.
  std::uint64_t check_terms();
  void check_no_leader();
  [[nodiscard]] commitment committed(std::uint64_t index);
  /// Gives a command to one server; not accepted: `is_leader` is false.
  start_reply start(int server, const std::string& command);
  /// Gives commands to one server at once.
  std::vector<start_reply> start_at_once(int server, const std::vector<std::string>& commands);
  /// The role, term and so on of a server that lives.
  peer_state state(int server);

  /// A full agreement: returns its index. Fails after 10 s, and after 2 s without retry.
  std::uint64_t one(const std::string& command, int expected, bool retry);
  std::uint64_t one(int command, int expected, bool retry) { return one(std::to_string(command), expected, retry); }
  /// The same in the background; `*index` is set at the end.
  script agree(std::string command, int expected, bool retry, std::uint64_t* index);
  /// Waits until `n` servers have delivered an index. Nothing, if a server has moved on from `start_term`.
  std::optional<std::string> wait(std::uint64_t index, int n, std::optional<std::uint64_t> start_term = std::nullopt);

  /// The most any server keeps on its disk: term, vote and live entries, snapshots apart.
  [[nodiscard]] std::size_t largest_state_bytes() const;
  /// Snapshots that servers were sent, and took for their state.
  [[nodiscard]] int installed() const { return installed_; }

  /// Requests received, over all servers.
  [[nodiscard]] std::uint64_t requests() const;
  /// The test's statistics; fails if it has taken longer than 120 s.
  void end();

  [[noreturn]] void fail(const std::string& what);
  /// Fails unless `holds`.
  void expect(bool holds, const std::string& what) {
    if (!holds)
      fail(what);
  }

private:
  void deliver(int server, const applied_command& command);
  void install(int server, const installed_snapshot& snapshot);
  void set_connected(int server, bool on);
  [[nodiscard]] bool any_beyond(std::uint64_t term);

  course_options options_;
  dice chance_;
  stage_runtime runtime_;
  stage_network network_;
  safety_checker checker_;
  std::vector<std::unique_ptr<stage_node>> nodes_;
  std::vector<char> connected_;
  /// Per server: command by index - 1; deliveries of earlier lives stay.
  std::vector<std::vector<std::optional<std::string>>> delivered_;
  std::vector<std::uint64_t> last_of_life_;
  int installed_ = 0;
};

} // namespace troupe
