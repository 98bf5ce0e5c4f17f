#include "app/options/checks.hpp"

#include <algorithm>

namespace troupe {

namespace {

auto find_value(auto& values, std::string_view name) {
  return std::find_if(values.begin(), values.end(), [&](const auto& each) { return each.of->name == name; });
}

// "heartbeat = 300ms (environment variable TROUPE_HEARTBEAT)"
std::string said(const std::vector<resolved_value>& values, std::string_view name) {
  auto found = find_value(values, name);
  return found->of->name + " = " + found->text + " (" + found->source_words() + ")";
}

bool is_given(const std::vector<resolved_value>& values, std::string_view name) {
  return find_value(values, name)->from != source::none;
}

const peer_address* own_entry(const node_settings& node) {
  auto found = std::find_if(node.peers.begin(), node.peers.end(), [&](const auto& each) { return each.id == node.id; });
  return found == node.peers.end() ? nullptr : &*found;
}

void check_addresses(const node_settings& node, const std::vector<resolved_value>& values,
                     std::vector<std::string>& wrong) {
  if (node.insecure)
    return;
  auto refuse = [&](std::string_view name, const endpoint& address) {
    wrong.push_back(said(values, name) + ": " + to_string(address)
                    + " is not loopback, and nothing that troupe sends is encrypted or authenticated yet; accepted: "
                      "127.0.0.1, ::1 or localhost, or --insecure on a network that only friends can reach");
  };
  if (is_given(values, "peers"))
    for (const auto& peer : node.peers)
      if (!is_loopback(peer.address)) {
        refuse("peers", peer.address);
        break;
      }
  for (auto [name, address] : {std::pair{"listen", &node.listen}, std::pair{"client", &node.client}})
    if (is_given(values, name) && !is_loopback(*address))
      refuse(name, *address);
}

// Clients and peers speak differently, and one port has one owner.
void check_ports(const node_settings& node, const std::vector<resolved_value>& values,
                 std::vector<std::string>& wrong) {
  if (!is_given(values, "client") || node.client.port == 0)
    return;
  const auto client = to_string(node.client);
  auto refuse = [&](std::string_view other) {
    wrong.push_back(said(values, "client") + " must differ from " + said(values, other)
                    + ": Redis clients and other nodes cannot share an address");
  };
  if (is_given(values, "listen") && client == to_string(node.listen))
    refuse("listen");
  else if (is_given(values, "peers")
           && std::any_of(node.peers.begin(), node.peers.end(),
                          [&](const peer_address& each) { return client == to_string(each.address); }))
    refuse("peers");
}

} // namespace

void derive(node_settings& node, std::vector<resolved_value>& values) {
  auto listen = find_value(values, "listen");
  auto own = own_entry(node);
  if (listen->from != source::none || own == nullptr)
    return;
  node.listen = own->address;
  listen->from = source::fallback;
  listen->text = to_string(own->address);
}

std::vector<std::string> misfits(const node_settings& node, const std::vector<resolved_value>& values) {
  std::vector<std::string> wrong;
  auto complain = [&](std::string_view first, std::string_view relation, std::string_view second,
                      std::string_view because) {
    wrong.push_back(said(values, first) + " must be " + std::string{relation} + " " + said(values, second) + ": "
                    + std::string{because});
  };
  const auto& times = node.peer.times;
  const auto& limits = node.peer.limits;
  const auto& clients = node.client_limits;
  if (is_given(values, "id") && is_given(values, "peers") && own_entry(node) == nullptr)
    complain("id", "one of the ids in", "peers", "a node needs an address at which the others reach it");
  if (times.election_timeout_min <= 2 * times.heartbeat)
    complain("election-timeout", "more than 2 x", "heartbeat",
             "one late heartbeat would otherwise cost the leader its office");
  if (limits.request_bytes > limits.in_flight_bytes)
    complain("max-request", "at most", "max-in-flight", "a full request could otherwise never be sent");
  if (limits.proposal_bytes > limits.uncommitted_bytes)
    complain("max-proposal", "at most", "max-uncommitted", "the largest command could otherwise never be accepted");
  if (limits.proposal_bytes > limits.forwarded_bytes)
    complain("max-proposal", "at most", "max-forwarded",
             "a follower could otherwise never pass the largest command on");
  if (clients.argument_bytes > clients.command_bytes)
    complain("max-argument-size", "at most", "max-command-size", "it could otherwise never be reached");
  if (clients.command_bytes >= limits.proposal_bytes)
    complain("max-command-size", "less than", "max-proposal",
             "the largest command would otherwise be taken from a client and always be refused");
  if (clients.command_bytes > node.max_input_all)
    complain("max-command-size", "at most", "max-input-all", "the largest command could otherwise never come whole");
  if (node.gather.lot_bytes > limits.proposal_bytes)
    complain("lot-size", "at most", "max-proposal", "a full lot would otherwise always be refused");
  if (clients.output_pause_bytes > clients.output_bytes)
    complain("output-pause", "at most", "max-output", "a slow client would otherwise be cut off before it is slowed");
  if (clients.output_bytes > node.max_output_all)
    complain("max-output", "at most", "max-output-all", "it could otherwise never be reached");
  if (clients.command_bytes + operation_cost_bytes > node.gather.unanswered_bytes)
    complain("max-command-size", "less than", "max-unanswered",
             "the largest command would otherwise always be refused");
  if (clients.command_bytes > node.gather.waiting_bytes)
    complain("max-command-size", "at most", "max-gathered", "the largest command would otherwise always be refused");
  check_addresses(node, values, wrong);
  check_ports(node, values, wrong);
  return wrong;
}

} // namespace troupe
