#include "app/node_status.hpp"

#include <nlohmann/json.hpp>

#include <iomanip>
#include <sstream>

namespace troupe {

std::optional<node_status> read_status(const std::string& json) try {
  auto read = nlohmann::json::parse(json);
  node_status status;
  status.id = peer_id{read.at("id").get<std::uint64_t>()};
  status.role = read.at("role").get<std::string>();
  status.term = term_number{read.at("term").get<std::uint64_t>()};
  status.leader = read.at("leader").is_null() ? nobody : peer_id{read.at("leader").get<std::uint64_t>()};
  status.commit = log_index{read.at("commit").get<std::uint64_t>()};
  status.applied = log_index{read.at("applied").get<std::uint64_t>()};
  status.last = log_index{read.at("last").get<std::uint64_t>()};
  status.log_start = log_index{read.at("log_start").get<std::uint64_t>()};
  status.snapshot = log_index{read.at("snapshot").at("index").get<std::uint64_t>()};
  status.snapshot_bytes = read.at("snapshot").at("bytes").get<std::uint64_t>();
  status.is_disk_full = read.at("disk_full").get<bool>();
  status.has_say = read.at("has_say").get<bool>();
  for (const auto& each : read.at("followers"))
    status.followers.push_back({peer_id{each.at("id").get<std::uint64_t>()},
                                log_index{each.at("match").get<std::uint64_t>()}, each.at("lag").get<std::uint64_t>(),
                                each.at("connected").get<bool>(), each.at("has_say").get<bool>()});
  status.json = json;
  return status;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

std::string status_table_text(const node_status& status) {
  std::ostringstream out;
  out << "node      " << status.id.value() << '\n'
      << "role      " << status.role << '\n'
      << "term      " << status.term.value() << '\n'
      << "leader    " << (status.leader == nobody ? "none" : std::to_string(status.leader.value())) << '\n'
      << "commit    " << status.commit.value() << '\n'
      << "applied   " << status.applied.value() << '\n'
      << "last      " << status.last.value() << '\n'
      << "log_start " << status.log_start.value() << '\n'
      << "snapshot  "
      << (status.snapshot == log_index{}
              ? "none"
              : std::to_string(status.snapshot.value()) + " (" + std::to_string(status.snapshot_bytes) + " bytes)")
      << '\n';
  if (status.is_disk_full)
    out << "disk      full: commands are refused, reads go on\n";
  if (!status.has_say)
    out << "say       none: its log was damaged, it neither votes nor leads until a leader has repaired it\n";
  if (status.followers.empty())
    return out.str();
  out << "\nfollower  match         lag           connected  say\n" << std::left;
  for (const auto& each : status.followers)
    out << std::setw(10) << each.id.value() << std::setw(14) << each.match.value() << std::setw(14) << each.lag
        << std::setw(11) << (each.connected ? "yes" : "no") << (each.has_say ? "yes" : "no") << '\n';
  return out.str();
}

std::variant<node_status, no_status> ask_status(resp_client& client, duration timeout) {
  auto reply = client.call({"TROUPE", "STATUS"}, timeout);
  if (reply.is_lost())
    return no_status{false, reply.text};
  if (reply.what == resp_reply::kind::error)
    return no_status{true, reply.text};
  if (auto status = read_status(reply.text))
    return std::move(*status);
  return no_status{true, "what answers there is not a troupe node"};
}

} // namespace troupe
