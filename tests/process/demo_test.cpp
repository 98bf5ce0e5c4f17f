#include "tests/process/program.hpp"

#include <csignal>

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("The demonstration of kill -9 succeeds, says so, and cleans up") {
  auto result = run_to_end({"demo", "--once", "--client-port", "0"}, 120s);
  CHECK_MESSAGE(result.end.words() == "exit code 0", result.out, result.err);
  for (auto words : {"1,000 keys written", "kill -9 of node", "1,000 keys read back", "restarted and caught up",
                     "every acknowledged write survived"})
    CHECK_MESSAGE(result.out.find(words) != std::string::npos, result.out);
  auto at = result.out.find("data and logs in ") + std::string{"data and logs in "}.size();
  CHECK_FALSE(std::filesystem::exists(result.out.substr(at, result.out.find('\n', at) - at)));
}

TEST_CASE("A demonstration that cannot start its nodes ends with exit code 1 and says which and why") {
  scratch_directory scratch;
  std::ofstream{scratch / "node-2"} << "not a directory";
  auto result = run_to_end({"demo", "--once", "--client-port", "0", "--dir", scratch.path()}, 60s);
  CHECK(result.end.words() == "exit code 1");
  CHECK_MESSAGE(result.err.find("node 2 ended with exit code") != std::string::npos, result.err);
}

TEST_CASE("A demo prints addresses, leaders and the end of a node, and Ctrl-C stops all of it cleanly") {
  scratch_directory scratch;
  std::string why;
  auto demo = child_process::start(troupe_program, {"demo", "--client-port", "0", "--dir", scratch / "data"},
                                   scratch / "err", {}, why);
  REQUIRE_MESSAGE(demo, why);
  std::string seen;
  pid_t victim = 0;
  auto reads = [&](const std::string& words) {
    while (auto line = demo->read_line(30s)) {
      seen += *line + '\n';
      if (auto at = line->find("   pid "); at != std::string::npos)
        victim = static_cast<pid_t>(std::stoi(line->substr(at + 7)));
      if (line->find(words) != std::string::npos)
        return true;
    }
    return false;
  };
  REQUIRE_MESSAGE(reads("Ctrl-C stops all nodes"), seen, contents(scratch / "err"));
  REQUIRE_MESSAGE(reads(" leads in term "), seen);
  REQUIRE(victim > 0);
  ::kill(victim, SIGKILL);
  CHECK_MESSAGE(reads("node 3 has ended: signal 9"), seen);
  demo->send_signal(SIGINT);
  auto end = demo->wait(30s);
  REQUIRE(end);
  CHECK_MESSAGE(end->words() == "exit code 0", contents(scratch / "err"));
  CHECK(std::filesystem::exists(scratch / "data/node-1")); // A directory that was asked for is kept.
}
