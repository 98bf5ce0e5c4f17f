// The settings of `troupe node`. Defaults come from the structs they fill, so that library and program agree.
#include "app/options/settings.hpp"
#include "app/options/units.hpp"
#include "app/options/value_kinds.hpp"

#include <algorithm>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t operator""_KiB(unsigned long long n) {
  return n << 10;
}
constexpr std::uint64_t operator""_MiB(unsigned long long n) {
  return n << 20;
}
constexpr std::uint64_t operator""_GiB(unsigned long long n) {
  return n << 30;
}

// A frame of a link holds 64 MiB; a proposal and what goes with it must fit in one.
constexpr std::uint64_t largest_message = 32_MiB;

node_settings& node_of(program_options& options) {
  return std::get<node_settings>(options);
}
timing& times_of(program_options& options) {
  return node_of(options).peer.times;
}
bounds& limits_of(program_options& options) {
  return node_of(options).peer.limits;
}
// The bounds are size_t, which is the same 64 bits here.
static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));
place<std::uint64_t> limit(std::size_t bounds::*member) {
  return [member](program_options& options) -> std::uint64_t& { return limits_of(options).*member; };
}
place<std::uint64_t> limit(std::size_t resp::client_limits::*member) {
  return [member](program_options& options) -> std::uint64_t& { return node_of(options).client_limits.*member; };
}

problem take_peer(std::string_view text, std::vector<peer_address>& peers) {
  auto quoted = '"' + std::string{text} + '"';
  auto equals = text.find('=');
  if (equals == std::string_view::npos)
    return "has an entry " + quoted + " without '='";
  auto id = parse_count(text.substr(0, equals));
  if (!id || *id == 0)
    return "has an entry " + quoted + " whose id is not a whole number from 1";
  auto same_id = [&](const peer_address& peer) { return peer.id.value() == *id; };
  if (std::any_of(peers.begin(), peers.end(), same_id))
    return "names id " + std::to_string(*id) + " twice";
  peer_address added{peer_id{*id}, {}};
  if (auto wrong = take_endpoint(text.substr(equals + 1), 1, added.address))
    return "has an entry " + quoted + " whose address " + *wrong;
  auto same_address = [&](const peer_address& peer) { return to_string(peer.address) == to_string(added.address); };
  if (std::any_of(peers.begin(), peers.end(), same_address))
    return "names the address " + to_string(added.address) + " twice";
  peers.push_back(std::move(added));
  return std::nullopt;
}

problem take_peers(program_options& options, std::string_view text) {
  std::vector<peer_address> peers;
  for (std::size_t at = 0; at <= text.size();) {
    auto comma = std::min(text.find(',', at), text.size());
    if (auto wrong = take_peer(text.substr(at, comma - at), peers))
      return wrong;
    at = comma + 1;
  }
  std::sort(peers.begin(), peers.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  node_of(options).peers = std::move(peers);
  return std::nullopt;
}

problem take_election_timeout(program_options& options, std::string_view text) {
  auto dots = text.find("..");
  if (dots == std::string_view::npos)
    return "is not a range MIN..MAX";
  auto min = parse_duration(text.substr(0, dots));
  auto max = parse_duration(text.substr(dots + 2));
  if (!min || !max)
    return "has an end that is not a time with a unit";
  if (*min < 2ms || *max > 600s)
    return *min < 2ms ? "begins too short" : "ends too long";
  if (*max < *min)
    return "ends before it begins";
  times_of(options).election_timeout_min = *min;
  times_of(options).election_timeout_max = *max;
  return std::nullopt;
}

problem take_cluster(program_options& options, std::string_view text) {
  auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_'
        || c == '-';
  };
  if (text.empty() || text.size() > 64 || !std::all_of(text.begin(), text.end(), is_plain))
    return "is no name for a cluster";
  node_of(options).cluster = text;
  return std::nullopt;
}

void add_identity(std::vector<setting>& table) {
  const std::string section = "Who and where";
  auto id = named("id", section, "This node's number among --peers.");
  id.value_name = "N";
  id.form = setting::shape::count;
  id.accepted = "a whole number from 1";
  id.required = true;
  id.take = [](program_options& options, std::string_view text) -> problem {
    auto value = parse_count(text);
    if (!value || *value == 0)
      return "is not a whole number from 1";
    node_of(options).id = peer_id{*value};
    return std::nullopt;
  };
  table.push_back(std::move(id));

  auto peers =
      named("peers", section, "All members, this one included, each with the address at which the others reach it.");
  peers.value_name = "ID=HOST:PORT,...";
  peers.accepted = "ID=HOST:PORT for each member, separated by commas, such as "
                   "1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103";
  peers.required = true;
  peers.take = take_peers;
  table.push_back(std::move(peers));

  table.push_back(an_endpoint(named("listen", section,
                                    "Where to accept the other members, if that is not this node's own entry of "
                                    "--peers."),
                              1, [](program_options& options) -> endpoint& { return node_of(options).listen; }));

  auto client = an_endpoint(named("client", section, "Where to accept Redis clients. Port 0 picks a free one."), 0,
                            [](program_options& options) -> endpoint& { return node_of(options).client; });
  client.required = true;
  table.push_back(std::move(client));

  auto data =
      a_directory(named("data", section, "Where this node keeps what it must never forget. Made if missing."),
                  [](program_options& options, std::string_view path) { node_of(options).data_directory = path; });
  data.required = true;
  table.push_back(std::move(data));

  auto cluster = named("cluster", section, "The cluster's name; nodes of different clusters refuse each other.");
  cluster.value_name = "NAME";
  cluster.accepted = "1 to 64 letters, digits, '.', '_' or '-'";
  cluster.fallback = "troupe";
  cluster.take = take_cluster;
  table.push_back(std::move(cluster));

  table.push_back(a_toggle(named("insecure", section,
                                 "Allow addresses other than loopback, although nothing is encrypted and nobody is "
                                 "authenticated yet."),
                           [](program_options& options) -> bool& { return node_of(options).insecure; }));
}

void add_timing(std::vector<setting>& table) {
  const std::string section = "Timing";
  const timing usual;
  table.push_back(a_duration(named("heartbeat", section, "How often a leader says that it lives."), usual.heartbeat,
                             1ms, 60s,
                             [](program_options& options) -> duration& { return times_of(options).heartbeat; }));

  auto election = named("election-timeout", section,
                        "How long to hear of no leader before standing for election; drawn anew each time. Begins "
                        "above 2 x --heartbeat.");
  election.value_name = "MIN..MAX";
  election.accepted = "MIN..MAX, each a whole number of us, ms or s, from 2ms to 600s, such as 500ms..1000ms";
  election.fallback = duration_text(usual.election_timeout_min) + ".." + duration_text(usual.election_timeout_max);
  election.take = take_election_timeout;
  table.push_back(std::move(election));

  table.push_back(a_duration(
      named("commit-notice", section, "How long a commit index waits, at most, for a message that carries it along."),
      usual.commit_notice, 100us, 1s,
      [](program_options& options) -> duration& { return times_of(options).commit_notice; }));
  table.push_back(a_duration(named("client-deadline", section,
                                   "When a read that cannot be confirmed, or a command passed to a leader that does "
                                   "not answer, ends with an error."),
                             peer_options{}.client_deadline, 10ms, 600s, [](program_options& options) -> duration& {
                               return node_of(options).peer.client_deadline;
                             }));
}

void add_peer_bounds(std::vector<setting>& table) {
  const std::string section = "Bounds of the peer (what exceeds one is refused at once)";
  const bounds usual;
  auto size = [&](const char* name, const char* help, std::size_t bounds::*member, std::uint64_t most) {
    table.push_back(a_size(named(name, section, help), usual.*member, 1_KiB, most, limit(member)));
  };
  auto count = [&](const char* name, const char* help, std::size_t bounds::*member) {
    table.push_back(a_count(named(name, section, help), usual.*member, 1, 100'000'000, limit(member)));
  };
  size("max-uncommitted", "Accepted by a leader and not yet committed.", &bounds::uncommitted_bytes, 16_GiB);
  size("max-request", "Entries in one AppendEntries request, in bytes.", &bounds::request_bytes, largest_message);
  count("max-request-entries", "Entries in one AppendEntries request.", &bounds::request_entries);
  size("max-in-flight", "Sent to one follower and not answered, in bytes.", &bounds::in_flight_bytes, 1_GiB);
  count("max-in-flight-entries", "Sent to one follower and not answered, in entries.", &bounds::in_flight_entries);
  count("max-in-flight-requests", "Sent to one follower and not answered, in requests.", &bounds::in_flight_requests);
  size("max-snapshot-piece", "One piece of a snapshot on its way to a follower.", &bounds::snapshot_piece_bytes,
       largest_message);
  size("log-window", "The newest part of the log, kept in memory.", &bounds::log_window_bytes, 16_GiB);
  size("apply-backlog", "Committed and not yet applied.", &bounds::apply_backlog_bytes, 16_GiB);
  size("max-proposal", "One command.", &bounds::proposal_bytes, largest_message);
  count("max-waiting-reads", "Reads accepted and not yet answered.", &bounds::waiting_reads);
  size("max-waiting-read-bytes", "Reads that no quorum has confirmed yet.", &bounds::waiting_read_bytes, 16_GiB);
  size("max-forwarded", "Passed on to the leader and not yet answered.", &bounds::forwarded_bytes, 16_GiB);
}

void add_storage(std::vector<setting>& table) {
  const std::string section = "Storage";
  const snapshot_policy usual;
  table.push_back(a_size(named("segment-size", section, "One file of the log."), 64_MiB, 4_KiB, 1_GiB,
                         [](program_options& options) -> std::uint64_t& { return node_of(options).segment_bytes; }));
  auto policy = [](std::size_t snapshot_policy::*member) -> place<std::uint64_t> {
    return [member](program_options& options) -> std::uint64_t& { return node_of(options).peer.snapshots.*member; };
  };
  table.push_back(a_size(
      named("snapshot-log-size", section, "A snapshot is taken when the log behind the newest one is this long,"),
      usual.log_bytes, 1_KiB, 1024_GiB, policy(&snapshot_policy::log_bytes)));
  table.push_back(a_count(
      named("snapshot-log-entries", section, "or has this many entries,"), usual.log_entries, 1, 1'000'000'000'000,
      [](program_options& options) -> std::uint64_t& { return node_of(options).peer.snapshots.log_entries; }));
  table.push_back(
      a_count(named("snapshot-ratio", section, "and is at least this many percent of the newest snapshot's size;"),
              usual.ratio_percent, 0, 10'000, policy(&snapshot_policy::ratio_percent)));
  table.push_back(a_size(named("snapshot-max-log", section, "in any case when it is this long."), usual.most_log_bytes,
                         1_KiB, 1024_GiB, policy(&snapshot_policy::most_log_bytes)));
  table.push_back(a_count(named("trailing-entries", section,
                                "Entries kept in the log though a snapshot stands for them, so that a follower that is "
                                "a little slow needs none."),
                          usual.trailing_entries, 0, 1'000'000'000'000, [](program_options& options) -> std::uint64_t& {
                            return node_of(options).peer.snapshots.trailing_entries;
                          }));
  table.push_back(a_count(named("snapshots-kept", section, "Snapshots kept; the log goes back to the oldest of them."),
                          usual.kept, 1, 100, policy(&snapshot_policy::kept)));
  table.push_back(a_count(
      named("state-hash-entries", section, "Replicas compare checksums of their states each so many entries; 0 never."),
      peer_options{}.state_hash_entries, 0, 1'000'000'000'000,
      [](program_options& options) -> std::uint64_t& { return node_of(options).peer.state_hash_entries; }));
}

void add_client_bounds(std::vector<setting>& table) {
  const std::string section = "Bounds of Redis clients";
  using limits = resp::client_limits;
  const limits usual;
  auto count = [&](const char* name, const char* help, std::size_t limits::*member) {
    table.push_back(a_count(named(name, section, help), usual.*member, 1, 100'000'000, limit(member)));
  };
  auto size = [&](const char* name, const char* help, std::size_t limits::*member) {
    table.push_back(a_size(named(name, section, help), usual.*member, 64, 1_GiB, limit(member)));
  };
  table.push_back(a_count(named("max-clients", section, "Connections at a time; one more is told so and closed."),
                          10'000, 1, 1'000'000,
                          [](program_options& options) -> std::uint64_t& { return node_of(options).max_clients; }));
  count("max-args", "Arguments of one command; more closes the connection.", &limits::arguments);
  size("max-argument-size", "One argument; a larger one closes the connection.", &limits::argument_bytes);
  size("max-command-size", "All arguments of one command; more closes the connection.", &limits::command_bytes);
  size("max-inline", "A command typed as a plain line; a longer one closes the connection.", &limits::inline_bytes);
  count("max-pipeline", "Commands of one connection that wait for their answer; with more it is not read from.",
        &limits::pipeline);
  size("output-pause", "Answers a client has not fetched; with more it is not read from.", &limits::output_pause_bytes);
  size("max-output", "Answers a client has not fetched; with more its connection is closed.", &limits::output_bytes);
  table.push_back(a_size(named("max-output-all", section,
                               "Answers all clients together have not fetched; with more the connection that has most "
                               "of them is closed."),
                         resp::gateway_limits{}.output_bytes, 64, 1024_GiB,
                         [](program_options& options) -> std::uint64_t& { return node_of(options).max_output_all; }));
  auto gathered = [&](const char* name, const char* help, std::size_t gather_limits::*member, std::uint64_t most) {
    table.push_back(
        a_size(named(name, section, help), gather_limits{}.*member, 1_KiB, most,
               [member](program_options& options) -> std::uint64_t& { return node_of(options).gather.*member; }));
  };
  table.push_back(a_size(named("max-input-all", section,
                               "Commands of all clients that are not whole yet or wait for earlier ones; beyond it the "
                               "connection that holds most is answered BUSY and closed."),
                         resp::gateway_limits{}.input_bytes, 64_KiB, 1024_GiB,
                         [](program_options& options) -> std::uint64_t& { return node_of(options).max_input_all; }));
  table.push_back(a_duration(
      named("client-keepalive", section,
            "When a client whose machine does not answer, or that leaves answers unread, is "
            "taken for gone and its connection closed."),
      120s, 3s, 24h, [](program_options& options) -> duration& { return node_of(options).client_vanished_after; }));
  gathered("lot-size", "Commands of all clients are handed to the peer in lots of about this much.",
           &gather_limits::lot_bytes, largest_message);
  gathered("max-gathered", "Commands of all clients that wait for the peer; beyond it they are answered BUSY.",
           &gather_limits::waiting_bytes, 16_GiB);
  gathered("max-unanswered",
           "Commands of all clients that are not answered yet, each counted with 128 bytes more than it has; beyond it "
           "they are answered BUSY.",
           &gather_limits::unanswered_bytes, 1024_GiB);
  gathered("lot-answers", "A lot of commands is closed when its answers are expected to take this much.",
           &gather_limits::lot_answer_bytes, 1_GiB);
  gathered("max-answers", "Answers expected to all commands under way; beyond it the next reads wait.",
           &gather_limits::answer_bytes, 1024_GiB);
}

} // namespace

std::vector<setting> node_table() {
  std::vector<setting> table;
  add_identity(table);
  add_timing(table);
  add_storage(table);
  add_peer_bounds(table);
  add_client_bounds(table);
  table.push_back(a_choice(named("log-level", "Logging (to stderr)", "What is worth a line."),
                           {"trace", "debug", "info", "warn", "critical", "off"}, "info",
                           [](program_options& options, std::string_view word) { node_of(options).log_level = word; }));
  return table;
}

} // namespace troupe
