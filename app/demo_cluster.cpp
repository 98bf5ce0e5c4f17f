#include "app/demo_cluster.hpp"

#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t peer_port_offset = 100;
constexpr duration status_patience = 200ms;

instant now() {
  return std::chrono::steady_clock::now();
}

bool is_free(std::uint16_t port) {
  int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return bound;
}

// A first client port with which all ports of a cluster are free. Below the range from which the system takes ports for
// outgoing connections: a node that dials a peer could otherwise be given the port that the peer is about to listen on.
std::uint16_t pick_client_port(std::uint64_t peers) {
  std::random_device seed;
  std::uniform_int_distribution<std::uint16_t> any{10'000, 32'000};
  for (int attempt = 0; attempt < 200; ++attempt) {
    auto first = any(seed);
    bool all_free = true;
    for (std::uint16_t i = 0; i < peers && all_free; ++i)
      all_free = is_free(first + i) && is_free(first + peer_port_offset + i);
    if (all_free)
      return first;
  }
  return any(seed); // The nodes will say what is wrong with it.
}

// What a node that could not start has to say comes last in its log.
std::string last_line(const std::string& path) {
  std::ifstream log{path};
  std::string last;
  for (std::string line; std::getline(log, line);)
    if (!line.empty())
      last = line;
  return last;
}

} // namespace

demo_cluster::demo_cluster(const demo_plan& plan, std::string program)
    : program_{std::move(program)}, extra_flags_{plan.extra_flags} {
  auto first = plan.client_port == 0 ? pick_client_port(plan.peers) : plan.client_port;
  for (std::uint16_t i = 0; i < plan.peers; ++i) {
    member one;
    one.id = peer_id{i + 1u};
    one.client = {"127.0.0.1", static_cast<std::uint16_t>(first + i)};
    one.peer = {"127.0.0.1", static_cast<std::uint16_t>(first + peer_port_offset + i)};
    one.data_directory = plan.directory + "/node-" + std::to_string(i + 1);
    one.log = one.data_directory + ".log";
    members_.push_back(std::move(one));
  }
}

std::vector<std::string> demo_cluster::flags(const member& of) const {
  std::string peers;
  for (const auto& each : members_)
    peers += (peers.empty() ? "" : ",") + std::to_string(each.id.value()) + "=" + to_string(each.peer);
  std::vector<std::string> result{
      "node",   "--id",           std::to_string(of.id.value()), "--peers", peers, "--client", to_string(of.client),
      "--data", of.data_directory};
  result.insert(result.end(), extra_flags_.begin(), extra_flags_.end());
  return result;
}

std::optional<std::string> demo_cluster::launch(member& one) {
  // What the environment says of heartbeats and bounds is for the nodes; these two are not.
  std::string why;
  one.connection.close();
  one.process.reset();
  one.process = child_process::start(program_, flags(one), one.log, {"TROUPE_CONFIG", "TROUPE_LISTEN"}, why);
  if (one.process)
    return std::nullopt;
  return "node " + std::to_string(one.id.value()) + " cannot be started: " + why;
}

std::optional<std::string> demo_cluster::await_ready(member& one, instant deadline) {
  while (auto line = one.process->read_line(std::max(duration{0}, deadline - now())))
    if (line->starts_with("ready "))
      return std::nullopt;
  auto end = one.process->wait(now() < deadline ? 1s : 0s);
  auto said = end ? last_line(one.log) : std::string{};
  return "node " + std::to_string(one.id.value())
      + (end ? " ended with " + end->words() + " before it was ready" : " was not ready in time")
      + (said.empty() ? "" : ": " + said) + "; its log is " + one.log;
}

std::optional<std::string> demo_cluster::start(peer_id id, duration timeout) {
  auto deadline = now() + timeout;
  auto& one = at(id);
  if (auto wrong = launch(one))
    return wrong;
  return await_ready(one, deadline);
}

std::optional<std::string> demo_cluster::start_all(duration timeout) {
  auto deadline = now() + timeout;
  for (auto& each : members_)
    if (auto wrong = launch(each))
      return wrong;
  for (auto& each : members_)
    if (auto wrong = await_ready(each, deadline))
      return wrong;
  return std::nullopt;
}

void demo_cluster::kill_hard(peer_id id) {
  at(id).process->send_signal(SIGKILL);
  (void)at(id).process->wait(10s);
  at(id).process.reset();
}

std::optional<std::string> demo_cluster::unexpected_end() {
  for (auto& each : members_)
    if (each.process && each.process->ended())
      return "node " + std::to_string(each.id.value()) + " has ended with " + each.process->ended()->words() + "; see "
          + each.log;
  return std::nullopt;
}

std::optional<std::string> demo_cluster::stop_all(duration timeout) {
  auto deadline = now() + timeout;
  std::vector<member*> running;
  for (auto& each : members_)
    if (each.is_running())
      running.push_back(&each);
  for (auto each : running)
    each->process->send_signal(SIGTERM);
  std::string wrong;
  for (auto each : running) {
    auto end = each->process->wait(std::max(duration{0}, deadline - now()));
    if (!end || end->code != 0 || end->signal != 0)
      wrong += (wrong.empty() ? "node " : "; node ") + std::to_string(each->id.value())
          + (end ? " ended with " + end->words() : " did not stop in time") + ", see " + each->log;
    each->process.reset();
  }
  return wrong.empty() ? std::nullopt : std::optional{wrong};
}

std::optional<node_status> demo_cluster::status_of(peer_id id) {
  // Asked even if our process has ended: somebody may have started the node again by hand.
  auto& one = at(id);
  if (!one.connection.is_open())
    one.connection = resp_client::connect(one.client, status_patience);
  auto answer = ask_status(one.connection, status_patience);
  if (auto status = std::get_if<node_status>(&answer))
    return std::move(*status);
  return std::nullopt;
}

std::optional<node_status> demo_cluster::leader() {
  std::optional<node_status> best;
  for (const auto& each : members_)
    if (auto status = status_of(each.id); status && status->role == "leader" && (!best || best->term < status->term))
      best = std::move(status);
  return best;
}

} // namespace troupe
