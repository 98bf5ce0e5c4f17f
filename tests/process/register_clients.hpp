/// \file
/// Clients that read and write a few registers without end, and keep what they saw.
#pragma once

#include "app/resp_client.hpp"
#include "tests/process/register_history.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace troupe {

/// Threads with a connection each, spread over all nodes. A client stays with its node, however long that is silent.
class register_clients {
public:
  /// `clients` share `registers`.
  register_clients(std::vector<endpoint> nodes, unsigned clients, unsigned registers, std::uint64_t seed);
  ~register_clients() { stop(); }

  /// No more is asked.
  void stop();

  /// Stops, and says what is wrong with what was seen, or nothing.
  [[nodiscard]] std::string judge();

  /// How many operations there were of each kind. Only when stopped.
  [[nodiscard]] std::string tally() const;

private:
  struct client {
    std::vector<register_operation> seen;
    std::vector<std::string> complaints;
  };

  void run(std::stop_token stopped, unsigned number, std::uint64_t seed, client& own);
  void ask(resp_client& connection, bool is_write, register_operation& next, client& own);

  std::vector<endpoint> nodes_;
  unsigned registers_;
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<std::jthread> threads_;
};

} // namespace troupe
