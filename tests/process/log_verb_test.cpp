#include "tests/process/program.hpp"
#include "tests/support/free_ports.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>

using namespace troupe;

namespace {

/// A cluster of one.
std::vector<std::string> node_in(const std::string& data, std::uint16_t port) {
  return {"node",     "--id",        "1",      "--peers", "1=127.0.0.1:" + std::to_string(port),
          "--client", "127.0.0.1:0", "--data", data};
}

std::string first_segment(const std::string& data) {
  std::vector<std::string> found;
  for (const auto& each : std::filesystem::directory_iterator{data + "/log"})
    if (each.path().extension() == ".log")
      found.push_back(each.path());
  std::sort(found.begin(), found.end());
  REQUIRE_FALSE(found.empty());
  return found.front();
}

nlohmann::json verified(const std::string& data, int code) {
  const auto result = run_to_end({"log", "verify", data, "--output", "json"});
  CHECK(result.end.code == code);
  return nlohmann::json::parse(result.out);
}

} // namespace

TEST_CASE("troupe log verify and dump look at a node's directory while it runs, after it was killed, and damaged") {
  scratch_directory scratch;
  const auto data = scratch / "data";
  const auto port = testing::free_port();
  std::string why;
  {
    auto node = child_process::start(troupe_program, node_in(data, port), scratch / "err", {}, why);
    REQUIRE_MESSAGE(node, why);
    const auto line = node->read_line(std::chrono::seconds{20});
    REQUIRE_MESSAGE(line, contents(scratch / "err"));
    CHECK(line->starts_with("ready "));
    CHECK(verified(data, 0)["verdict"] == "intact");
    // Its first record is there once it leads.
    REQUIRE(comes_true([&] { return verified(data, 0)["records"].get<int>() >= 1; }, std::chrono::seconds{10}));
    node->send_signal(SIGKILL);
    static_cast<void>(node->wait(std::chrono::seconds{5}));
  }
  const auto killed = verified(data, 0);
  CHECK((killed["verdict"] == "intact" || killed["verdict"] == "torn"));
  CHECK(killed["records"].get<int>() >= 1);
  CHECK(killed["snapshots"].empty());
  CHECK(killed["losses"].empty());
  CHECK(killed.size() == 5);
  const auto dumped = run_to_end({"log", "dump", data});
  CHECK(dumped.end.code == 0);
  CHECK(dumped.out.find("offset=512 lsn=1 group=0 kind=entries") != std::string::npos);
  CHECK(dumped.out.find("file=votes group=0 term=1 voted_for=1") != std::string::npos);
  CHECK(dumped.out.find("file=hint ") != std::string::npos);

  const auto segment = first_segment(data);
  {
    std::fstream file{segment, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(512 + 40);
    file.put('?');
  }
  const auto before = std::filesystem::last_write_time(segment);
  const auto damaged = verified(data, 5);
  CHECK(damaged["verdict"] == "corrupt");
  CHECK(damaged["records"] == 0);
  REQUIRE(damaged["problems"].size() >= 1);
  CHECK(damaged["problems"][0]["file"] == segment);
  CHECK(damaged["problems"][0]["offset"] == 512);
  CHECK(damaged["problems"][0]["lsn"] == 1);
  CHECK_FALSE(damaged["problems"][0]["reason"].get<std::string>().empty());
  CHECK(run_to_end({"log", "dump", data}).end.code == 5);
  CHECK(run_to_end({"log", "verify", data}).out.starts_with("verdict  corrupt\nrecords  0\nsnapshot none\nproblem  "));
  CHECK(std::filesystem::last_write_time(segment) == before);
  CHECK(run_to_end(node_in(data, port)).end.code == 5);
}

TEST_CASE("troupe log says what is wrong with its command line, and ends with 2") {
  const auto refused = [](const std::vector<std::string>& arguments, const std::string& words) {
    const auto result = run_to_end(arguments);
    CHECK(result.end.code == 2);
    CHECK(result.out.empty());
    CHECK(result.err.find(words) != std::string::npos);
  };
  refused({"log"}, "verify or dump");
  refused({"log", "repair", "x"}, "accepted: verify, dump");
  refused({"log", "verify"}, "name the data directory");
  refused({"log", "verify", "a", "b"}, "two directories");
  refused({"log", "verify", "a", "--output", "xml"}, "accepted: table or json");
  refused({"log", "dump", "a", "--output", "json"}, "no such flag");
  CHECK(run_to_end({"log", "--help"}).end.code == 0);
}

TEST_CASE("troupe log says of a path that is no data directory what to give instead, and ends with 2") {
  scratch_directory scratch;
  const auto refused = [](const std::string& path, const std::string& words) {
    for (const std::string what : {"verify", "dump"}) {
      const auto result = run_to_end({"log", what, path});
      CHECK(result.end.code == 2);
      CHECK(result.out.empty());
      CHECK(result.err == "troupe log: " + path + ": " + words + "\n");
    }
  };
  const std::string give = "; give the directory that the node has as --data";
  refused("/nowhere/at/all", "there is no such directory" + give);
  std::ofstream{scratch / "file"} << "text";
  refused(scratch / "file", "is a file, not a directory" + give);
  std::filesystem::create_directories(scratch / "empty");
  refused(scratch / "empty", "is empty: no node has started there yet" + give);
  std::filesystem::create_directories(scratch / "other/log"); // As /var has one.
  std::ofstream{scratch / "other/log/messages"} << "text";
  refused(scratch / "other", "is no data directory: it has neither the file `identity` of a node nor a log" + give);
  {
    std::string why;
    auto node = child_process::start(troupe_program, node_in(scratch / "some/node-1", testing::free_port()),
                                     scratch / "err", {}, why);
    REQUIRE_MESSAGE(node, why);
    REQUIRE_MESSAGE(node->read_line(std::chrono::seconds{20}), contents(scratch / "err"));
  }
  refused(scratch / "some/node-1/log", "is the log within a data directory" + give + ", the one above");
  refused(scratch / "some",
          "holds data directories of nodes and is none itself; name one, such as " + (scratch / "some/node-1"));
  CHECK(verified(scratch / "some/node-1/", 0)["records"].get<int>() >= 0);
  // Without its identity it is still one, and damaged.
  std::filesystem::remove(scratch / "some/node-1/identity");
  CHECK(verified(scratch / "some/node-1", 5)["verdict"] == "corrupt");
}
