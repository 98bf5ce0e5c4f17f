/// \file
/// The loops by which the course's tests wait, ask and judge, with their figures.
#pragma once

#include "world/cluster.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace world {

/// "Election timeout" in the scenarios: a generous second, whatever the peers' own settings are.
inline constexpr auto election_time = std::chrono::seconds{1};

class tester : public cluster {
public:
  using cluster::cluster;

  /// Waits, for about five seconds at most, until a connected server says that it leads; fails if two lead in one term.
  int check_one_leader();
  /// Fails unless all connected servers are in one term.
  std::uint64_t check_terms();
  /// Fails if a connected server says that it leads.
  void check_no_leader();
  /// Fails if anybody has delivered the index.
  void expect_nothing_at(std::uint64_t index);

  /// A full agreement: has the command accepted and waits until `expected` servers have delivered it; returns its
  /// index. Ten seconds in all; two from acceptance to delivery, after which it is given anew if `retry`.
  std::uint64_t one(const std::string& command, int expected, bool retry);
  std::uint64_t one(int command, int expected, bool retry) { return one(std::to_string(command), expected, retry); }

  /// Waits until `n` servers have delivered the index, and returns the command. Nothing, if a server says that it is in
  /// a later term than `start_term`.
  std::optional<std::string> wait(std::uint64_t index, int n, std::optional<std::uint64_t> start_term = std::nullopt);

  /// Disconnects, restarts, and connects again.
  void revive(int server) {
    disconnect(server);
    restart(server);
    connect(server);
  }
  [[nodiscard]] std::string random_command() { return std::to_string(random(1'000'000'000)); }
  [[nodiscard]] std::uint64_t agreed() const { return agreed_; }

private:
  [[nodiscard]] acceptance offer(const std::string& command);

  int last_asked_ = 0;
  std::uint64_t agreed_ = 0;
};

} // namespace world
