#include "tests/process/real_cluster.hpp"

#include <nlohmann/json.hpp>

#include <csignal>

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("A node says that it is ready once it serves, and SIGTERM or SIGINT stops it cleanly with exit code 0") {
  for (int number : {SIGTERM, SIGINT}) {
    real_cluster one{1};
    auto& self = one.cluster.at(peer_id{1});
    std::string why;
    self.process = child_process::start(troupe_program, one.cluster.flags(self), self.log, {}, why);
    REQUIRE_MESSAGE(self.process, why);
    auto& node = *self.process;
    CHECK(node.read_line(20s).value_or(one.log_tails())
          == "ready id=1 client=" + to_string(self.client) + " peer=" + to_string(self.peer));
    CHECK(one.call(peer_id{1}, {"PING"}).text == "PONG");
    node.send_signal(number);
    auto end = node.wait(20s);
    REQUIRE(end);
    CHECK_MESSAGE(end->words() == "exit code 0", one.log_tails());
    CHECK(node.read_rest(1s).empty()); // Nothing else is for stdout.
  }
}

TEST_CASE("Status is printed as JSON for programs and as a table for people") {
  real_cluster three;
  three.start_all();
  auto leader = three.await_leader();
  three.set(leader, "key", "value");
  auto as_json = three.status(leader, "json");
  CHECK(as_json.end.words() == "exit code 0");
  auto said = nlohmann::json::parse(as_json.out, nullptr, false);
  REQUIRE_MESSAGE(said.is_object(), as_json.out);
  CHECK(said["id"] == leader.value());
  CHECK(said["role"] == "leader");
  CHECK(said["leader"] == leader.value());
  CHECK(said["term"] >= 1);
  CHECK(said["commit"] >= 1);
  CHECK(said["applied"] <= said["commit"]);
  CHECK(said["last"] >= said["commit"]);
  REQUIRE(said["followers"].size() == 2);
  for (auto field : {"id", "match", "lag", "connected"})
    CHECK(said["followers"][0].contains(field));
  auto as_table = three.status(leader, "table");
  CHECK(as_table.end.words() == "exit code 0");
  for (auto word : {"role      leader", "follower", "lag", "connected"})
    CHECK_MESSAGE(as_table.out.find(word) != std::string::npos, as_table.out);
}

TEST_CASE("Status ends with exit code 3 where a node knows no leader") {
  real_cluster three;
  three.start(peer_id{1}); // Alone, it can elect nobody.
  auto result = three.status(peer_id{1}, "json");
  CHECK(result.end.words() == "exit code 3");
  CHECK(nlohmann::json::parse(result.out)["leader"].is_null());
}

TEST_CASE("A second process on one data directory is refused with exit code 5, and the first goes on") {
  real_cluster one{1};
  one.start_all();
  auto& first = one.cluster.at(peer_id{1});
  real_cluster other{1};
  auto flags = other.cluster.flags(other.cluster.at(peer_id{1}));
  for (auto& each : flags)
    if (each == other.cluster.at(peer_id{1}).data_directory)
      each = first.data_directory;
  auto second = run_to_end(flags);
  CHECK(second.end.words() == "exit code 5");
  CHECK_MESSAGE(second.err.find(first.data_directory) != std::string::npos, second.err);
  CHECK(one.call(peer_id{1}, {"PING"}).text == "PONG");
}

TEST_CASE("A data directory of another node or cluster is refused with exit code 5") {
  real_cluster one{1};
  one.start_all();
  REQUIRE(!one.cluster.stop_all(20s));
  auto flags = one.cluster.flags(one.cluster.at(peer_id{1}));
  auto foreign = flags;
  foreign.insert(foreign.end(), {"--cluster", "another"});
  auto refused = run_to_end(foreign);
  CHECK(refused.end.words() == "exit code 5");
  CHECK_MESSAGE(refused.err.find("another") != std::string::npos, refused.err);
}

TEST_CASE("A port that is taken ends the node with exit code 1 and its address in the last line") {
  real_cluster one{1};
  one.start_all();
  scratch_directory scratch;
  auto flags = one.cluster.flags(one.cluster.at(peer_id{1}));
  for (auto& each : flags)
    if (each == one.cluster.at(peer_id{1}).data_directory)
      each = scratch / "data";
  auto result = run_to_end(flags);
  CHECK(result.end.words() == "exit code 1");
  CHECK_MESSAGE(result.err.find(to_string(one.cluster.at(peer_id{1}).peer)) != std::string::npos, result.err);
}

TEST_CASE("N26c: what is acknowledged survives kill -9 of all nodes at once, again and again") {
  real_cluster three;
  for (int round = 1; round <= 3; ++round) {
    three.start_all();
    auto leader = three.await_leader();
    for (int earlier = 1; earlier < round; ++earlier)
      for (int i = 0; i < 20; ++i)
        CHECK(three.get(leader, "k" + std::to_string(earlier) + "." + std::to_string(i)) == std::to_string(i));
    for (int i = 0; i < 20; ++i)
      three.set(leader, "k" + std::to_string(round) + "." + std::to_string(i), std::to_string(i));
    three.kill_all();
  }
}

TEST_CASE("A node whose disk was wiped is refused by its peers and ends with exit code 5 and the remedy") {
  real_cluster three;
  three.start_all();
  auto leader = three.await_leader();
  three.set(leader, "key", "value");
  auto wiped = peer_id{leader.value() % 3 + 1};
  three.cluster.kill_hard(wiped);
  std::filesystem::remove_all(three.cluster.at(wiped).data_directory);
  auto result = run_to_end(three.cluster.flags(three.cluster.at(wiped)));
  CHECK(result.end.words() == "exit code 5");
  CHECK_MESSAGE(result.err.find("wiped or replaced") != std::string::npos, result.err);
  CHECK_MESSAGE(result.err.find("restore the old data directory") != std::string::npos, result.err);
  CHECK(three.get(leader, "key") == "value"); // The others go on.
}

TEST_CASE("O3: an older copy of a data directory, put back, is refused by the peers") {
  real_cluster three;
  three.start_all();
  auto leader = three.await_leader();
  auto old = peer_id{leader.value() % 3 + 1};
  const std::filesystem::path directory = three.cluster.at(old).data_directory;
  const auto copy = directory.string() + ".copy";
  three.cluster.kill_hard(old);
  std::filesystem::copy(directory, copy, std::filesystem::copy_options::recursive);
  const auto is_noted = [&](const std::string& boot) {
    const auto text = contents(three.cluster.at(leader).data_directory + "/identity");
    const auto line = text.find("peer=" + std::to_string(old.value()) + ":");
    return line != text.npos
        && text.substr(line, text.find('\n', line) - line).find(":" + boot + ":") != std::string::npos;
  };
  three.start(old);
  CHECK(comes_true([&] { return is_noted("2"); }));
  three.cluster.kill_hard(old);
  std::filesystem::remove_all(directory);
  std::filesystem::rename(copy, directory);
  auto result = run_to_end(three.cluster.flags(three.cluster.at(old)));
  CHECK(result.end.words() == "exit code 5"); // The second start of both; the lives are not the same.
  CHECK_MESSAGE(result.err.find("another copy of its data directory") != std::string::npos, result.err);
}
