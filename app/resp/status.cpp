#include "app/resp/status.hpp"

#include <nlohmann/json.hpp>

namespace troupe::resp {

namespace {

void line(std::string& out, std::string_view key, std::string_view value) {
  out.append(key).append(":").append(value).append("\r\n");
}

void line(std::string& out, std::string_view key, std::uint64_t value) {
  line(out, key, std::to_string(value));
}

std::uint64_t microseconds(duration span) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(span).count());
}

void server(std::string& out, const node_status& status) {
  line(out, "redis_version", "7.0.15");
  line(out, "redis_mode", "standalone");
  line(out, "server_name", "troupe");
  line(out, "process_id", static_cast<std::uint64_t>(status.process));
  line(out, "tcp_port", status.port);
  line(out, "uptime_in_seconds", static_cast<std::uint64_t>(status.uptime.count()));
}

void clients(std::string& out, const node_status& status) {
  line(out, "connected_clients", status.clients);
  line(out, "maxclients", status.max_clients);
}

void persistence(std::string& out, const node_status&) {
  line(out, "loading", 0);
}

/// Every node takes every command, so clients that look for a master find one in each.
void replication(std::string& out, const node_status& status) {
  std::size_t connected = 0;
  for (const auto& follower : status.peer.followers)
    connected += follower.connected ? 1 : 0;
  line(out, "role", "master");
  line(out, "connected_slaves", connected);
  line(out, "master_repl_offset", status.peer.commit.value());
}

void raft(std::string& out, const node_status& status) {
  const auto& peer = status.peer;
  line(out, "raft_node_id", peer.id.value());
  line(out, "raft_role", peer.role);
  line(out, "raft_current_term", peer.term.value());
  line(out, "raft_leader_id", peer.leader == nobody ? std::string{"none"} : std::to_string(peer.leader.value()));
  line(out, "raft_commit_index", peer.commit.value());
  line(out, "raft_log_start", peer.log_start.value());
  line(out, "raft_snapshot_index", peer.snapshot.value());
  line(out, "raft_snapshot_bytes", peer.snapshot_bytes);
  line(out, "raft_disk_full", peer.is_disk_full ? 1 : 0);
  line(out, "raft_has_say", peer.has_say ? 1 : 0);
  line(out, "raft_applied_index", peer.applied.value());
  line(out, "raft_last_index", peer.last.value());
  line(out, "raft_elections_started", peer.elections_started);
  line(out, "raft_leader_changes", peer.leader_changes);
  line(out, "raft_longest_leader_silence_us", microseconds(peer.longest_leader_silence));
  line(out, "raft_stale_replies_dropped", peer.stale_replies_dropped);
  std::size_t n = 0;
  for (const auto& follower : peer.followers)
    line(out, "raft_follower" + std::to_string(n++),
         "id=" + std::to_string(follower.id.value()) + ",match=" + std::to_string(follower.match.value())
             + ",connected=" + (follower.connected ? "1" : "0") + ",has_say=" + (follower.has_say ? "1" : "0"));
}

/// Counting keys is a read of the replicated state: DBSIZE asks it with the guarantees of a read.
void keyspace(std::string&, const node_status&) {}

struct section {
  std::string_view title;
  std::string_view name;
  void (*write)(std::string&, const node_status&);
};

constexpr section all_sections[] = {
    {"Server", "server", server},
    {"Clients", "clients", clients},
    {"Persistence", "persistence", persistence},
    {"Replication", "replication", replication},
    {"Raft", "raft", raft},
    {"Keyspace", "keyspace", keyspace},
};

/// Whether `name` is among `names`, each of which is followed by a blank.
bool is_named(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const auto end = names.find(' ');
    if (names.substr(0, end) == name)
      return true;
    names.remove_prefix(end == std::string_view::npos ? names.size() : end + 1);
  }
  return false;
}

} // namespace

std::string info_text(const node_status& status, std::string_view sections) {
  const auto all = sections.empty() || is_named(sections, "all") || is_named(sections, "default")
      || is_named(sections, "everything");
  auto text = std::string{};
  for (const auto& one : all_sections) {
    if (!all && !is_named(sections, one.name))
      continue;
    if (!text.empty())
      text += "\r\n";
    text.append("# ").append(one.title).append("\r\n");
    one.write(text, status);
  }
  return text;
}

std::string status_json(const peer_state& peer) {
  auto json = nlohmann::ordered_json{};
  json["id"] = peer.id.value();
  json["role"] = peer.role;
  json["term"] = peer.term.value();
  json["leader"] = nullptr;
  if (peer.leader != nobody)
    json["leader"] = peer.leader.value();
  json["commit"] = peer.commit.value();
  json["applied"] = peer.applied.value();
  json["last"] = peer.last.value();
  json["log_start"] = peer.log_start.value();
  json["snapshot"] = {{"index", peer.snapshot.value()}, {"bytes", peer.snapshot_bytes}};
  json["disk_full"] = peer.is_disk_full;
  json["has_say"] = peer.has_say;
  json["longest_leader_silence_us"] = microseconds(peer.longest_leader_silence);
  json["followers"] = nlohmann::ordered_json::array();
  for (const auto& follower : peer.followers)
    json["followers"].push_back({{"id", follower.id.value()},
                                 {"match", follower.match.value()},
                                 {"lag", follower.match < peer.last ? peer.last - follower.match : 0},
                                 {"connected", follower.connected},
                                 {"has_say", follower.has_say}});
  return json.dump();
}

} // namespace troupe::resp
