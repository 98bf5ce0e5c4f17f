// A bit of what was synced goes bad while a node is down: it starts all the same, keeps what is good, has no say until
// a leader has repaired it, and then counts like any other.
#include "tests/process/chance.hpp"
#include "tests/process/real_cluster.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <map>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr duration patience = 60s;

// Several segments, so that there may be some behind the damage; and no snapshot, which would stand for them.
const auto flags = quick_elections({"--segment-size", "64KiB", "--snapshot-log-size", "1GiB"});
constexpr int written_before = 120;
constexpr int written_meanwhile = 20;
constexpr std::size_t value_bytes = 1000;

// A line of `troupe log dump`.
using dump_line = std::map<std::string, std::string>;

dump_line pairs_in(const std::string& line) {
  dump_line pairs;
  std::istringstream words{line};
  for (std::string word; words >> word;)
    if (const auto equals = word.find('='); equals != word.npos)
      pairs[word.substr(0, equals)] = word.substr(equals + 1);
  return pairs;
}

struct flipped_bit {
  std::string segment; // The file's name,
  std::string damaged; // and what is in it since.
};

// Flips one bit in the middle of a record that the node knows to be synced, somewhere in the middle of its log.
flipped_bit flip_a_bit(const std::string& data_directory, seeded_dice& dice) {
  std::vector<dump_line> records;
  std::uint64_t synced = 0;
  std::istringstream dump{run_to_end({"log", "dump", data_directory}).out};
  for (std::string line; std::getline(dump, line);) {
    auto said = pairs_in(line);
    if (said["file"] == "hint")
      synced = std::stoull(said.at("durable"));
    else if (said["kind"] == "entries")
      records.push_back(std::move(said));
  }
  std::erase_if(records, [&](const dump_line& each) { return std::stoull(each.at("lsn")) > synced; });
  REQUIRE(records.size() > 20);
  const auto& record = records[records.size() / 4 + dice.below(records.size() / 2)];
  const auto path = data_directory + "/log/" + record.at("file");
  auto bytes = contents(path);
  const auto at = std::stoull(record.at("offset")) + std::stoull(record.at("bytes")) / 2;
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ (1 << dice.below(8)));
  std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
  file.seekp(static_cast<std::streamoff>(at)).put(bytes.at(at)).flush();
  REQUIRE(file);
  return {record.at("file"), std::move(bytes)};
}

bool is_set_aside(const std::string& data_directory, const flipped_bit& flipped) {
  const std::filesystem::directory_iterator all{data_directory + "/log"};
  return std::any_of(begin(all), end(all), [&](const auto& each) {
    const std::string name = each.path().filename();
    return name.starts_with("damaged-") && name.ends_with(flipped.segment) && contents(each.path()) == flipped.damaged;
  });
}

// Three nodes, and what was acknowledged to their clients.
struct written_cluster {
  written_cluster() { three.start_all(); }

  void write(peer_id at, int count) {
    for (int i = 0; i < count; ++i) {
      const auto number = std::to_string(acknowledged.size());
      const auto value = number + std::string(value_bytes, 'v');
      three.set(at, "key:" + number, value);
      acknowledged["key:" + number] = value;
    }
  }

  void must_have_all(peer_id at) {
    for (const auto& [key, value] : acknowledged)
      CHECK_MESSAGE(three.get(at, key) == value, key);
  }

  [[nodiscard]] node_status status(peer_id id) {
    std::optional<node_status> found;
    REQUIRE(comes_true([&] { return (found = three.cluster.status_of(id)).has_value(); }, patience));
    return *found;
  }

  // What Redis clients see.
  [[nodiscard]] bool is_told(peer_id by, const std::string& line) {
    return three.call(by, {"INFO", "raft"}).text.find("\r\n" + line + "\r\n") != std::string::npos;
  }

  [[nodiscard]] bool has_logged(peer_id id, const std::string& event) {
    return contents(three.cluster.at(id).log).find(event, logged_before[id]) != std::string::npos;
  }

  // What nodes have logged until now is no answer to what comes.
  void turn_page() {
    for (const auto& each : three.cluster.members())
      logged_before[each.id] = contents(each.log).size();
  }

  void signal_all_but(peer_id id, int number) {
    for (const auto& each : three.cluster.members())
      if (each.id != id)
        each.process->send_signal(number);
  }

  real_cluster three{3, flags};
  std::map<std::string, std::string> acknowledged;
  std::map<peer_id, std::size_t> logged_before;
};

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE(
    "P3 I14 a node whose log has a flipped bit has no say until a leader has repaired it, and then counts again") {
  seeded_dice dice = is_long_form() ? seeded_dice{} : seeded_dice{1};
  INFO(dice.words());
  written_cluster on;
  auto& three = on.three;
  INFO(three.log_tails());
  const int cycles = rounds(1, 5);
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    on.turn_page();
    const peer_id victim{1 + dice.below(3)};
    const auto& directory = three.cluster.at(victim).data_directory;
    on.write(three.await_leader(), written_before);
    const auto committed = on.status(three.await_leader()).commit;
    REQUIRE(comes_true([&] { return on.status(victim).applied >= committed; }, patience));

    three.cluster.kill_hard(victim);
    const auto flipped = flip_a_bit(directory, dice);
    const auto verified = run_to_end({"log", "verify", directory, "--output", "json"});
    CHECK(verified.end.code == 5);
    CHECK(nlohmann::json::parse(verified.out).at("verdict") == "corrupt");
    on.write(three.await_leader(victim), written_meanwhile);

    // While the others stand still, nobody repairs it.
    on.signal_all_but(victim, SIGSTOP);
    three.start(victim);
    CHECK(comes_true([&] { return on.has_logged(victim, "event=log_lost "); }));
    CHECK(comes_true([&] { return on.has_logged(victim, "event=no_say "); }));
    CHECK(on.is_told(victim, "raft_has_say:0"));
    CHECK(on.status(victim).last < committed);
    const auto table = three.status(victim, "table").out;
    CHECK_MESSAGE(table.find("\nsay       none: its log was damaged") != std::string::npos, table);

    on.signal_all_but(victim, SIGCONT);
    REQUIRE(comes_true([&] { return on.is_told(victim, "raft_has_say:1"); }, patience));
    CHECK(comes_true([&] { return on.has_logged(victim, "event=repaired "); }));
    const auto is_noticed = [&] {
      const auto event = "event=follower_lost follower=" + std::to_string(victim.value()) + " ";
      return on.has_logged(three.other_than(victim), event)
          || on.has_logged(three.other_than(victim, three.other_than(victim)), event);
    };
    CHECK(comes_true(is_noticed));
    CHECK(is_set_aside(directory, flipped));

    // Of the two that are left none is a quorum without the other. The leader goes, so its vote is needed, too.
    const auto leader = three.await_leader();
    const auto gone = leader == victim ? three.other_than(victim) : leader;
    three.cluster.kill_hard(gone);
    on.must_have_all(victim);
    on.write(victim, 1);
    three.start(gone);
    say_progress("bit " + std::to_string(cycle) + " of " + std::to_string(cycles) + ", " + dice.words());
  }
  const auto ended = three.cluster.unexpected_end();
  CHECK_MESSAGE(!ended, *ended);
}

TEST_SUITE_END();
