#include "tests/process/register_clients.hpp"

#include <map>
#include <random>
#include <utility>

namespace troupe {

namespace {

using namespace std::chrono_literals;

// Beyond every deadline a node has, and every time one is stopped: who waits longer has been forgotten.
constexpr duration answer_patience = 60s;

instant now() {
  return std::chrono::steady_clock::now();
}

} // namespace

register_clients::register_clients(std::vector<endpoint> nodes, unsigned clients, unsigned registers,
                                   std::uint64_t seed)
    : nodes_{std::move(nodes)}, registers_{registers} {
  for (unsigned i = 0; i < clients; ++i)
    clients_.push_back(std::make_unique<client>());
  for (unsigned i = 0; i < clients; ++i)
    threads_.emplace_back([=, this](std::stop_token stopped) { run(std::move(stopped), i, seed, *clients_[i]); });
}

void register_clients::run(std::stop_token stopped, unsigned number, std::uint64_t seed, client& own) {
  std::mt19937_64 dice{seed * 1000 + number};
  resp_client connection;
  for (std::uint64_t count = 0; !stopped.stop_requested(); ++count) {
    std::this_thread::sleep_for(std::chrono::microseconds{dice() % 6000});
    if (!connection.is_open())
      connection = resp_client::connect(nodes_[number % nodes_.size()], 1s);
    if (!connection.is_open())
      continue;
    register_operation next;
    next.key = "register:" + std::to_string(dice() % registers_);
    next.value = std::to_string(number) + "." + std::to_string(count);
    ask(connection, dice() % 2 == 0, next, own);
  }
}

void register_clients::ask(resp_client& connection, bool is_write, register_operation& next, client& own) {
  using kind = register_operation::kind;
  next.asked = now();
  const auto reply = is_write ? connection.call({"SET", next.key, next.value}, answer_patience)
                              : connection.call({"GET", next.key}, answer_patience);
  next.answered = now();
  if (reply.is_lost() && next.answered - next.asked >= answer_patience)
    own.complaints.push_back("a client has no answer in " + std::to_string(answer_patience / 1s) + " s");
  const bool is_refused = reply.is_error("CLUSTERDOWN") || reply.is_error("BUSY");
  if (is_write) {
    next.what = reply.is_ok() ? kind::write : is_refused ? kind::refused_write : kind::unknown_write;
    if (!reply.is_ok() && !is_refused && !reply.is_lost() && !reply.is_error("UNCERTAIN"))
      own.complaints.push_back("a write is answered with '" + reply.text + "'");
    own.seen.push_back(next);
  } else if (reply.what == resp_reply::kind::bulk || reply.what == resp_reply::kind::null) {
    next.what = kind::read;
    next.value = reply.text;
    own.seen.push_back(next);
  } else if (!is_refused && !reply.is_lost()) {
    own.complaints.push_back("a read is answered with '" + reply.text + "'");
  }
}

void register_clients::stop() {
  for (auto& each : threads_)
    each.request_stop();
  threads_.clear();
}

std::string register_clients::judge() {
  stop();
  std::string words;
  std::vector<register_operation> history;
  for (const auto& each : clients_) {
    history.insert(history.end(), each->seen.begin(), each->seen.end());
    if (!each->complaints.empty())
      words += each->complaints.front() + "\n";
  }
  return words + find_violation(history).value_or("");
}

std::string register_clients::tally() const {
  using kind = register_operation::kind;
  std::map<kind, std::size_t> counts;
  for (const auto& client : clients_)
    for (const auto& each : client->seen)
      ++counts[each.what];
  return std::to_string(counts[kind::read]) + " reads; writes: " + std::to_string(counts[kind::write])
      + " acknowledged, " + std::to_string(counts[kind::unknown_write]) + " of unknown outcome, "
      + std::to_string(counts[kind::refused_write]) + " refused";
}

} // namespace troupe
