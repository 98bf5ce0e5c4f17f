/// \file
/// A cluster of real processes in a directory of its own.
#pragma once

#include "tests/process/program.hpp"

#include <csignal>

namespace troupe {

/// Flags with which an election takes less time than a test has, and `more`.
[[nodiscard]] inline std::vector<std::string> quick_elections(const std::vector<std::string>& more = {}) {
  std::vector<std::string> flags{"--heartbeat", "50ms", "--election-timeout", "250ms..500ms"};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

/// Nodes to be started, killed and asked.
struct real_cluster {
  explicit real_cluster(std::uint64_t peers = 3, std::vector<std::string> flags = {},
                        const std::string& program = troupe_program)
      : cluster{{peers, scratch.path(), 0, std::move(flags)}, program} {}

  void start_all() {
    auto wrong = cluster.start_all(std::chrono::seconds{60});
    REQUIRE_MESSAGE(!wrong, *wrong, log_tails());
  }

  void start(peer_id id) {
    auto wrong = cluster.start(id, std::chrono::seconds{60});
    REQUIRE_MESSAGE(!wrong, *wrong, log_tails());
  }

  /// kill -9 of all: every signal is sent before any end is waited for.
  void kill_all() {
    for (const auto& each : cluster.members())
      each.process->send_signal(SIGKILL);
    for (const auto& each : cluster.members())
      cluster.kill_hard(each.id);
  }

  /// Who leads, once somebody other than `deposed` does.
  peer_id await_leader(peer_id deposed = nobody) {
    std::optional<node_status> found;
    REQUIRE_MESSAGE(comes_true(
                        [&] {
                          found = cluster.leader();
                          return found && found->id != deposed;
                        },
                        std::chrono::seconds{60}),
                    log_tails());
    return found->id;
  }

  /// Says one command on a connection of its own.
  resp_reply call(peer_id at, const std::vector<std::string>& words, duration patience = std::chrono::seconds{10}) {
    auto client = resp_client::connect(cluster.at(at).client, std::chrono::seconds{5});
    return client.call(words, patience);
  }

  /// Writes until it is acknowledged: right after an election a command may be refused.
  void set(peer_id at, const std::string& key, const std::string& value) {
    resp_reply reply;
    REQUIRE_MESSAGE(comes_true([&] {
                      return (reply = call(at, {"SET", key, value})).is_ok();
                    }),
                    reply.text, log_tails());
  }

  /// Reads until there is an answer.
  std::string get(peer_id at, const std::string& key) {
    resp_reply reply;
    REQUIRE_MESSAGE(comes_true([&] {
                      reply = call(at, {"GET", key});
                      return reply.what == resp_reply::kind::bulk || reply.what == resp_reply::kind::null;
                    }),
                    reply.text, log_tails());
    return reply.text;
  }

  outcome status(peer_id at, const std::string& output) {
    return run_to_end({"status", "--at", to_string(cluster.at(at).client), "--output", output});
  }

  /// Another member than these.
  [[nodiscard]] peer_id other_than(peer_id one, peer_id two = nobody) {
    for (const auto& each : cluster.members())
      if (each.id != one && each.id != two)
        return each.id;
    return nobody;
  }

  [[nodiscard]] std::vector<endpoint> doors() {
    std::vector<endpoint> all;
    for (const auto& each : cluster.members())
      all.push_back(each.client);
    return all;
  }

  /// What each node said last.
  [[nodiscard]] std::string log_tails() {
    constexpr std::size_t enough = 4000;
    std::string all;
    for (const auto& each : cluster.members()) {
      auto text = contents(each.log);
      all += "\n--- the end of " + each.log + "\n"
          + (text.size() > enough ? text.substr(text.find('\n', text.size() - enough) + 1) : text);
    }
    return all;
  }

  scratch_directory scratch;
  demo_cluster cluster;
};

} // namespace troupe
