#include "tests/hosts/cluster.hpp"

#include <algorithm>
#include <csignal>

namespace troupe::testing {

namespace {

constexpr std::uint16_t peer_port = 7101;
constexpr std::uint16_t client_port = 7001;

instant now() {
  return std::chrono::steady_clock::now();
}

std::string peers_flag(std::size_t members) {
  std::string peers;
  for (host_number host = 1; host <= members; ++host)
    peers += (host == 1 ? "" : ",") + std::to_string(host) + "=" + host_network::address_of(host) + ":"
        + std::to_string(peer_port);
  return peers;
}

} // namespace

hosted_cluster::hosted_cluster(std::size_t hosts, std::size_t members)
    : network{hosts}, members_{members == 0 ? hosts : members}, nodes_(hosts) {}

void hosted_cluster::start(host_number host, const std::vector<std::string>& flags) {
  auto words = std::vector<std::string>{"node",     "--insecure",
                                        "--id",     std::to_string(host),
                                        "--peers",  peers_flag(members_),
                                        "--client", host_network::address_of(host) + ":" + std::to_string(client_port),
                                        "--data",   directory_ / ("node-" + std::to_string(host))};
  words.insert(words.end(), flags.begin(), flags.end());
  if (std::find(words.begin(), words.end(), "--election-timeout") == words.end())
    words.insert(words.end(), {"--election-timeout", "500ms..1000ms"});
  std::string why;
  const inside there{network.at(host)};
  auto& node = nodes_.at(host - 1);
  node = child_process::start(troupe_program, words, log_path(host), {"TROUPE_CONFIG", "TROUPE_LISTEN"}, why);
  REQUIRE_MESSAGE(node, why);
  const auto ready = node->read_line(patience);
  REQUIRE_MESSAGE((ready && ready->starts_with("ready ")), log_of(host));
}

void hosted_cluster::start_all(const std::vector<std::string>& flags) {
  for (const auto host : all())
    start(host, flags);
}

void hosted_cluster::kill_hard(host_number host) {
  auto& node = nodes_.at(host - 1);
  node->send_signal(SIGKILL);
  (void)node->wait(patience);
  node.reset();
}

resp_client hosted_cluster::client(host_number host, host_number from) {
  const inside there{network.at(from)};
  return resp_client::connect({host_network::address_of(host), client_port}, 5s);
}

resp_reply hosted_cluster::call(host_number host, const std::vector<std::string>& words, duration timeout) {
  auto one = client(host);
  return one.call(words, timeout);
}

void hosted_cluster::must_set(const std::vector<host_number>& hosts, const std::string& key, const std::string& value) {
  REQUIRE(comes_true(
      [&] {
        return std::any_of(hosts.begin(), hosts.end(), [&](host_number host) {
          return call(host, {"SET", key, value}).is_ok();
        });
      },
      patience));
}

std::optional<node_status> hosted_cluster::status_of(host_number host) {
  auto one = client(host);
  auto answer = ask_status(one, 2s);
  if (auto* status = std::get_if<node_status>(&answer))
    return std::move(*status);
  return std::nullopt;
}

node_status hosted_cluster::await_leader(const std::vector<host_number>& hosts, term_number above, duration within) {
  const auto deadline = now() + within;
  for (; now() < deadline; ::usleep(10000)) {
    std::optional<node_status> leader;
    std::vector<node_status> seen;
    for (const auto host : hosts)
      if (auto status = status_of(host)) {
        if (status->role == "leader" && status->term > above && (!leader || status->term > leader->term))
          leader = *status;
        seen.push_back(std::move(*status));
      }
    if (!leader)
      continue;
    const auto follow = std::count_if(seen.begin(), seen.end(), [&](const node_status& each) {
      return each.leader == leader->id && each.term == leader->term;
    });
    if (static_cast<std::size_t>(follow) > members_ / 2)
      return *leader;
  }
  std::string logs;
  for (const auto host : all())
    logs += "--- node " + std::to_string(host) + "\n" + log_of(host);
  FAIL("no leader in time\n" << logs);
  return {};
}

void hosted_cluster::await_agreement() {
  const auto leader = await_leader();
  for (const auto host : all())
    REQUIRE(comes_true(
        [&] {
          const auto status = status_of(host);
          return status && status->applied >= leader.commit;
        },
        patience));
}

std::vector<host_number> hosted_cluster::all_but(host_number left_out) const {
  std::vector<host_number> hosts;
  for (host_number host = 1; host <= size(); ++host)
    if (host != left_out)
      hosts.push_back(host);
  return hosts;
}

} // namespace troupe::testing
