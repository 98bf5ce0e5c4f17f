/// \file
/// Clients that write tokens without end, whatever happens to the nodes, and what becomes of the tokens.
#pragma once

#include "app/resp_client.hpp"
#include "tests/process/token_ledger.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace troupe {

/// One client: appends its tokens to a key of its own (`log:N`) and stores others under keys of their own
/// (`key:N:TOKEN`), singly and several at a time, and now and then reads its log back. It never writes a token twice.
class token_client {
public:
  /// `number` names the client and chooses its node among `nodes`. Every other client roves: it goes on at another node
  /// when its own is lost or refuses.
  token_client(unsigned number, std::vector<endpoint> nodes, std::uint64_t seed);

  /// Writes until it is stopped.
  void run(std::stop_token stopped, std::atomic<std::uint64_t>& acknowledged);

  /// Reads everything back at `node`, which must answer within some time, and adds what is wrong. False if it does not
  /// answer.
  bool judge_at(const endpoint& node, std::vector<std::string>& wrong) const;

  /// What was wrong at once: answers nobody may give, none at all, or one's own writes not read back.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  [[nodiscard]] const token_ledger& appended() const { return appended_; }
  [[nodiscard]] const token_ledger& stored() const { return stored_; }

private:
  [[nodiscard]] bool is_connected();
  void write_some(bool is_append, std::uint64_t count, std::atomic<std::uint64_t>& acknowledged);
  void take_in(token_ledger& ledger, std::uint64_t token, const resp_reply& reply);
  void read_back();
  void complain(const std::string& what);
  void judge_log(const std::string& text, const std::string& where, std::vector<std::string>& wrong) const;
  [[nodiscard]] std::string log_key() const { return "log:" + std::to_string(number_); }
  [[nodiscard]] std::string stored_key(std::uint64_t token) const;
  [[nodiscard]] std::uint64_t below(std::uint64_t end);

  unsigned number_;
  std::vector<endpoint> nodes_;
  std::size_t at_;
  bool is_roving_;
  std::mt19937_64 dice_;
  resp_client client_;
  token_ledger appended_;
  token_ledger stored_;
  std::vector<std::string> complaints_;
};

/// Such clients, a thread each, on all nodes.
class token_load {
public:
  token_load(const std::vector<endpoint>& nodes, unsigned clients, std::uint64_t seed);
  ~token_load() { stop(); }

  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }

  /// Waits until so many tokens have been acknowledged that some of them must have been written after this call.
  [[nodiscard]] bool is_served(duration patience) const;

  /// No more is written.
  void stop();

  /// Stops, reads everything back from each node, and says what is wrong, or nothing.
  [[nodiscard]] std::string judge();

  /// How many tokens there are of each fate.
  [[nodiscard]] std::string tally() const;

private:
  std::vector<endpoint> nodes_;
  std::atomic<std::uint64_t> acknowledged_{0};
  std::vector<std::unique_ptr<token_client>> clients_;
  std::vector<std::jthread> threads_;
};

} // namespace troupe
