/// \file
/// A cluster of node processes on this machine: what `troupe demo` starts, watches and stops.
#pragma once

#include "app/child_process.hpp"
#include "app/node_status.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// Where a cluster is to be, and how large.
struct demo_plan {
  std::uint64_t peers = 3;
  std::string directory;
  /// Of node 1; the others follow, and everybody's peer port is 100 above its client port. 0 picks free ones.
  std::uint16_t client_port = 0;
  /// Flags that every node gets besides.
  std::vector<std::string> extra_flags;
};

/// Node processes with consecutive ids from 1 and what is known of each. Whatever still runs when this goes is killed.
class demo_cluster {
public:
  struct member {
    peer_id id;
    endpoint client;
    endpoint peer;
    std::string data_directory;
    std::string log; ///< The file its stderr goes to.
    std::optional<child_process> process;
    resp_client connection; ///< For status; opened anew when lost.

    [[nodiscard]] bool is_running() { return process && !process->ended(); }
  };

  /// Chooses addresses; starts nothing. `program` is the troupe binary.
  demo_cluster(const demo_plan& plan, std::string program);

  [[nodiscard]] std::vector<member>& members() { return members_; }
  [[nodiscard]] member& at(peer_id id) { return members_[id.value() - 1]; }

  [[nodiscard]] const std::string& program() const { return program_; }
  /// The flags a member is started with.
  [[nodiscard]] std::vector<std::string> flags(const member& of) const;

  /// Starts a member and waits for its `ready` line. Says what went wrong, if something did.
  [[nodiscard]] std::optional<std::string> start(peer_id id, duration timeout);
  /// Starts all of them at once.
  [[nodiscard]] std::optional<std::string> start_all(duration timeout);

  /// SIGKILL, and waits for the end.
  void kill_hard(peer_id id);
  /// Names a member that has ended though nobody here asked it to.
  [[nodiscard]] std::optional<std::string> unexpected_end();
  /// SIGTERM to all, then waits. Names those that did not end with exit code 0 (or had ended before).
  [[nodiscard]] std::optional<std::string> stop_all(duration timeout);

  /// Asks whoever answers at a member's client address; short waits only.
  [[nodiscard]] std::optional<node_status> status_of(peer_id id);

  /// Of all members that say they lead, the one of the highest term.
  [[nodiscard]] std::optional<node_status> leader();

private:
  [[nodiscard]] std::optional<std::string> launch(member& one);
  [[nodiscard]] std::optional<std::string> await_ready(member& one, instant deadline);

  std::string program_;
  std::vector<std::string> extra_flags_;
  std::vector<member> members_;
};

} // namespace troupe
