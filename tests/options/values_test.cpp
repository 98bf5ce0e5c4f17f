#include "tests/options/world.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

node_settings node_with(const std::vector<std::string>& flags) {
  auto result = made_up_world{}.run(good_node + flags);
  auto wrong = std::get_if<early_end>(&result);
  REQUIRE_MESSAGE(!wrong, wrong->text);
  return std::get<node_settings>(std::get<program_options>(result));
}

std::string refusal_of(const std::vector<std::string>& arguments, const made_up_world& world = {}) {
  auto result = world.run(arguments);
  auto end = std::get_if<early_end>(&result);
  REQUIRE(end);
  CHECK(end->code == exit_code::usage);
  CHECK(end->text.find("Nothing was started.") != std::string::npos);
  return end->text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("A node that is told only what is required has the defaults of the library") {
  auto node = node_with({});
  CHECK(node.id == peer_id{2});
  REQUIRE(node.peers.size() == 3);
  CHECK(to_string(node.peers[2].address) == "127.0.0.1:7103");
  CHECK(to_string(node.listen) == "127.0.0.1:7102"); // Its own entry of --peers.
  CHECK(to_string(node.client) == "127.0.0.1:7002");
  CHECK(node.data_directory == "/data");
  CHECK(node.cluster == "troupe");
  CHECK_FALSE(node.insecure);
  CHECK(node.segment_bytes == 64u << 20);
  CHECK(node.log_level == "info");
  CHECK(node.peer.times.heartbeat == 100ms);
  CHECK(node.peer.times.election_timeout_min == 500ms);
  CHECK(node.peer.times.election_timeout_max == 1000ms);
  CHECK(node.peer.client_deadline == 5s);
  CHECK(node.peer.limits.uncommitted_bytes == bounds{}.uncommitted_bytes);
  CHECK(node.max_clients == 10'000);
}

TEST_CASE("Every number lands in the field it names, and in no other") {
  struct row {
    const char* name;
    const char* value;
    std::function<std::uint64_t(const node_settings&)> field;
    std::uint64_t expected;
  };
  auto in = [](std::size_t bounds::*member) {
    return [member](const node_settings& node) -> std::uint64_t { return node.peer.limits.*member; };
  };
  auto client = [](std::size_t resp::client_limits::*member) {
    return [member](const node_settings& node) -> std::uint64_t { return node.client_limits.*member; };
  };
  auto microseconds = [](auto get) {
    return [get](const node_settings& node) -> std::uint64_t {
      return std::chrono::duration_cast<std::chrono::microseconds>(get(node)).count();
    };
  };
  const std::vector<row> rows{
      {"heartbeat", "51ms", microseconds([](auto& n) { return n.peer.times.heartbeat; }), 51'000},
      {"commit-notice", "250us", microseconds([](auto& n) { return n.peer.times.commit_notice; }), 250},
      {"client-deadline", "7s", microseconds([](auto& n) { return n.peer.client_deadline; }), 7'000'000},
      {"segment-size", "4KiB", [](const node_settings& n) { return n.segment_bytes; }, 4096},
      {"snapshot-log-size", "41MiB", [](const node_settings& n) { return n.peer.snapshots.log_bytes; }, 41u << 20},
      {"snapshot-log-entries", "42", [](const node_settings& n) { return n.peer.snapshots.log_entries; }, 42},
      {"snapshot-ratio", "43", [](const node_settings& n) { return n.peer.snapshots.ratio_percent; }, 43},
      {"snapshot-max-log", "44MiB", [](const node_settings& n) { return n.peer.snapshots.most_log_bytes; }, 44u << 20},
      {"trailing-entries", "45", [](const node_settings& n) { return n.peer.snapshots.trailing_entries; }, 45},
      {"snapshots-kept", "46", [](const node_settings& n) { return n.peer.snapshots.kept; }, 46},
      {"state-hash-entries", "47", [](const node_settings& n) { return n.peer.state_hash_entries; }, 47},
      {"max-snapshot-piece", "48KiB", in(&bounds::snapshot_piece_bytes), 48u << 10},
      {"max-uncommitted", "33MiB", in(&bounds::uncommitted_bytes), 33u << 20},
      {"max-request", "2KiB", in(&bounds::request_bytes), 2u << 10},
      {"max-request-entries", "17", in(&bounds::request_entries), 17},
      {"max-in-flight", "3MiB", in(&bounds::in_flight_bytes), 3u << 20},
      {"max-in-flight-entries", "18", in(&bounds::in_flight_entries), 18},
      {"max-in-flight-requests", "19", in(&bounds::in_flight_requests), 19},
      {"log-window", "5MiB", in(&bounds::log_window_bytes), 5u << 20},
      {"apply-backlog", "6MiB", in(&bounds::apply_backlog_bytes), 6u << 20},
      {"max-proposal", "15500KiB", in(&bounds::proposal_bytes), 15500u << 10},
      {"max-waiting-reads", "20", in(&bounds::waiting_reads), 20},
      {"max-waiting-read-bytes", "3MiB", in(&bounds::waiting_read_bytes), 3u << 20},
      {"max-forwarded", "34MiB", in(&bounds::forwarded_bytes), 34u << 20},
      {"max-clients", "21", [](const node_settings& n) { return n.max_clients; }, 21},
      {"max-args", "22", client(&resp::client_limits::arguments), 22},
      {"max-argument-size", "7KiB", client(&resp::client_limits::argument_bytes), 7u << 10},
      {"max-command-size", "9MiB", client(&resp::client_limits::command_bytes), 9u << 20},
      {"max-inline", "8KiB", client(&resp::client_limits::inline_bytes), 8u << 10},
      {"max-pipeline", "23", client(&resp::client_limits::pipeline), 23},
      {"output-pause", "9KiB", client(&resp::client_limits::output_pause_bytes), 9u << 10},
      {"max-output", "10MiB", client(&resp::client_limits::output_bytes), 10u << 20},
      {"max-input-all", "25MiB", [](const node_settings& n) { return n.max_input_all; }, 25u << 20},
      {"client-keepalive", "8s", microseconds([](auto& n) { return n.client_vanished_after; }), 8'000'000},
      {"max-output-all", "129MiB", [](const node_settings& n) { return n.max_output_all; }, 129u << 20},
      {"lot-size", "11MiB", [](const node_settings& n) { return n.gather.lot_bytes; }, 11u << 20},
      {"max-gathered", "36MiB", [](const node_settings& n) { return n.gather.waiting_bytes; }, 36u << 20},
      {"max-unanswered", "26MiB", [](const node_settings& n) { return n.gather.unanswered_bytes; }, 26u << 20},
      {"lot-answers", "27MiB", [](const node_settings& n) { return n.gather.lot_answer_bytes; }, 27u << 20},
      {"max-answers", "28MiB", [](const node_settings& n) { return n.gather.answer_bytes; }, 28u << 20},
  };
  std::size_t numbers = 0;
  for (const auto& each : settings_of(verb::node))
    numbers += each.value_name == "TIME" || each.value_name == "SIZE" || each.value_name == "N";
  CHECK(rows.size() == numbers - 1); // All but the id.
  for (const auto& set : rows) {
    auto node = node_with({"--" + std::string{set.name}, set.value});
    for (const auto& looked_at : rows) {
      CAPTURE(set.name);
      CAPTURE(looked_at.name);
      CHECK((looked_at.field(node) == looked_at.expected) == (set.name == looked_at.name));
    }
  }
}

TEST_CASE("A range of election timeouts is taken whole") {
  auto node = node_with({"--election-timeout", "300ms..2s"});
  CHECK(node.peer.times.election_timeout_min == 300ms);
  CHECK(node.peer.times.election_timeout_max == 2s);
}

TEST_CASE("Where a node listens may differ from the address it advertises") {
  auto node = node_with({"--listen", "[::1]:9000"});
  CHECK(to_string(node.listen) == "[::1]:9000");
  CHECK(to_string(node.peers[1].address) == "127.0.0.1:7102");
}

TEST_CASE("A demo and a status request are understood") {
  auto demo = std::get<demo_settings>(
      std::get<program_options>(made_up_world{}.run({"demo", "--peers", "5", "--dir", "/d", "--client-port", "0"})));
  CHECK(demo.peers == 5);
  CHECK(demo.directory == "/d");
  CHECK(demo.client_port == 0);
  CHECK_FALSE(demo.once);
  auto status = std::get<status_settings>(
      std::get<program_options>(made_up_world{}.run({"status", "--at", "localhost:7001", "--output=json"})));
  CHECK(to_string(status.at) == "localhost:7001");
  CHECK(status.output == output_format::json);
  CHECK(status.timeout == 2s);
}

TEST_CASE("A value is taken to the letter, behind its flag and behind an equals sign") {
  for (const std::string path : {"-x", "-id", "-5", "-", "-a=b", "a=b", "=", "{}", "[a,b]", "[]", "%%", "true", " "}) {
    CAPTURE(path);
    auto behind = good_node;
    behind.back() = path;
    auto attached = good_node;
    attached.pop_back();
    attached.back() = "--data=" + path;
    for (const auto& arguments : {behind, attached}) {
      const auto result = made_up_world{}.run(arguments);
      const auto* wrong = std::get_if<early_end>(&result);
      REQUIRE_MESSAGE(!wrong, wrong->text);
      CHECK(std::get<node_settings>(std::get<program_options>(result)).data_directory == path);
    }
  }
  for (const std::string path : {"--", "--id", "--x=y", "---", "-h"}) { // Behind their flag, these are flags.
    auto attached = good_node;
    attached.pop_back();
    attached.back() = "--data=" + path;
    const auto result = made_up_world{}.run(attached);
    REQUIRE(std::holds_alternative<program_options>(result));
    CHECK(std::get<node_settings>(std::get<program_options>(result)).data_directory == path);
  }
}

TEST_CASE("A bad value is refused with the setting, the source, the fault and what is accepted") {
  made_up_world world;
  world.variables["TROUPE_HEARTBEAT"] = "100";
  auto text = refusal_of(good_node, world);
  CHECK(has(text,
            "troupe node: heartbeat: \"100\" (environment variable TROUPE_HEARTBEAT) is not a time with a unit; "
            "accepted: a whole number of us, ms or s from 1ms to 60s, such as 100ms"));
}

TEST_CASE("Every setting that is not free text refuses nonsense, whatever the source, and names itself") {
  for (auto which : {verb::node, verb::demo, verb::status})
    for (const auto& each : settings_of(which)) {
      if (each.name == "data" || each.name == "dir")
        continue;
      const auto nonsense = std::string{"!nonsense"};
      CAPTURE(each.name);
      auto name = std::string{name_of(which)};
      CHECK(has(refusal_of({name, each.flag() + "=" + nonsense}), each.name));
      made_up_world world;
      world.variables[each.variable()] = nonsense;
      CHECK(has(refusal_of({name}, world), each.variable()));
      world = {};
      world.files["f.toml"] = each.name + " = \"" + nonsense + "\"";
      CHECK(has(refusal_of({name, "--config", "f.toml"}, world), "(file f.toml)"));
    }
}

TEST_CASE("Faults of several settings are told together") {
  auto text = refusal_of(good_node + std::vector<std::string>{"--heartbeat", "0ms", "--max-clients", "0"});
  CHECK(has(text, "heartbeat: \"0ms\" (flag --heartbeat) is too short"));
  CHECK(has(text, "max-clients: \"0\" (flag --max-clients) is too small"));
}

TEST_CASE("Settings that are required and missing are all named") {
  auto text = refusal_of({"node"});
  for (auto name : {"id: not set", "peers: not set", "client: not set", "data: not set"})
    CHECK_MESSAGE(has(text, name), name);
  CHECK(has(refusal_of({"status"}), "at: not set"));
}

TEST_CASE("Peers that cannot be are refused with words") {
  auto with_peers = [](const std::string& peers) {
    return refusal_of({"node", "--id", "1", "--peers", peers, "--client", "127.0.0.1:7001", "--data", "/d"});
  };
  CHECK(has(with_peers("2=127.0.0.1:7102"), "id = 1 (flag --id) must be one of the ids in peers"));
  CHECK(has(with_peers("1=127.0.0.1:7101,1=127.0.0.1:7102"), "names id 1 twice"));
  CHECK(has(with_peers("1=127.0.0.1:7101,2=127.0.0.1:7101"), "names the address 127.0.0.1:7101 twice"));
  CHECK(has(with_peers("1=127.0.0.1:70000"), "port up to 65535"));
  CHECK(has(with_peers("1=127.0.0.1:0"), "port 0"));
  CHECK(has(with_peers("0=127.0.0.1:7101"), "id is not a whole number from 1"));
  CHECK(has(with_peers("127.0.0.1:7101"), "without '='"));
  CHECK(has(with_peers("1=127.0.0.1:7101,"), "without '='"));
}

TEST_CASE("Timing that would cost leaders their office is refused, naming both settings and their sources") {
  made_up_world world;
  world.variables["TROUPE_HEARTBEAT"] = "250ms";
  auto text = refusal_of(good_node, world);
  CHECK(has(text,
            "election-timeout = 500ms..1s (default) must be more than 2 x heartbeat = 250ms (environment variable "
            "TROUPE_HEARTBEAT)"));
  CHECK(has(refusal_of(good_node + std::vector<std::string>{"--election-timeout", "900ms..800ms"}),
            "ends before it begins"));
  CHECK(has(refusal_of(good_node + std::vector<std::string>{"--election-timeout", "900ms"}), "not a range"));
}

TEST_CASE("Bounds that would stop all traffic are refused") {
  CHECK(
      has(refusal_of(good_node + std::vector<std::string>{"--max-in-flight", "1KiB"}), "max-request = 1MiB (default)"));
  CHECK(has(refusal_of(good_node + std::vector<std::string>{"--max-uncommitted", "1MiB"}), "max-proposal"));
  CHECK(has(refusal_of(good_node + std::vector<std::string>{"--max-forwarded", "1MiB"}), "max-proposal"));
  CHECK(has(refusal_of(good_node + std::vector<std::string>{"--max-proposal", "15MiB"}), "max-command-size"));
  CHECK(has(refusal_of(good_node + std::vector<std::string>{"--max-argument-size", "15361KiB"}), "max-command-size"));
  CHECK(has(refusal_of(good_node + std::vector<std::string>{"--lot-size", "17MiB"}),
            "lot-size = 17MiB (flag --lot-size)"));
  CHECK(has(refusal_of(good_node + std::vector<std::string>{"--max-output", "1023KiB"}), "output-pause"));
  CHECK(has(refusal_of(good_node + std::vector<std::string>{"--segment-size", "4095B"}), "too small"));
}

TEST_CASE("An address that others can reach is refused, wherever it is, unless --insecure is given") {
  auto outside = [](std::vector<std::string> flags) {
    auto arguments = good_node + flags;
    auto insecure = made_up_world{}.run(arguments + std::vector<std::string>{"--insecure"});
    CHECK(std::holds_alternative<program_options>(insecure));
    return refusal_of(arguments);
  };
  CHECK(has(outside({"--listen", "0.0.0.0:7102"}), "listen = 0.0.0.0:7102 (flag --listen)"));
  CHECK(has(outside({"--listen", "[::]:7102"}), "--insecure"));
  made_up_world world;
  world.variables["TROUPE_CLIENT"] = "192.168.0.1:7001";
  CHECK(has(refusal_of({"node", "--id", "1", "--peers", "1=127.0.0.1:1", "--data", "/d"}, world),
            "client = 192.168.0.1:7001 (environment variable TROUPE_CLIENT)"));
  CHECK(has(refusal_of({"node", "--id", "1", "--peers", "1=127.0.0.1:1,2=db2.example:1", "--data", "/d", "--client",
                        "localhost:1"}),
            "db2.example:1 is not loopback"));
}

TEST_CASE("A toggle may be switched off by hand") {
  made_up_world world;
  world.variables["TROUPE_INSECURE"] = "true";
  auto result = world.run(good_node + std::vector<std::string>{"--insecure=false"});
  CHECK_FALSE(std::get<node_settings>(std::get<program_options>(result)).insecure);
  CHECK(node_with({"--insecure"}).insecure);
}

TEST_CASE("Help, version and an empty command line end at once, with the right code") {
  auto end = [](const std::vector<std::string>& arguments) {
    return std::get<early_end>(made_up_world{}.run(arguments));
  };
  CHECK(end({"--help"}).code == exit_code::ok);
  CHECK(end({"-h"}).text == end({"--help"}).text);
  CHECK(end({"node", "-h"}).code == exit_code::ok);
  CHECK(end({"--version"}).code == exit_code::ok);
  CHECK(end({"--version"}).text.starts_with("troupe "));
  CHECK(end({}).code == exit_code::usage);
  CHECK(end({}).text == end({"--help"}).text);
}

TEST_CASE("A demonstration that kills a leader needs three peers") {
  CHECK(has(refusal_of({"demo", "--once", "--peers", "2"}), "at least 3"));
}
