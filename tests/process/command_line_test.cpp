#include "tests/process/program.hpp"

using namespace troupe;

TEST_CASE("Wrong flags end with exit code 2, words on stderr, and nothing on stdout") {
  struct row {
    std::vector<std::string> arguments;
    std::string words;
  };
  const std::vector<row> rows{
      {{}, "usage: troupe VERB"},
      {{"serve"}, "'serve' is neither a verb nor a flag"},
      {{"node"}, "id: not set"},
      {{"node", "--id", "one"}, "id: \"one\" (flag --id) is not a whole number from 1"},
      {{"node", "--heartbeat", "100"}, "is not a time with a unit; accepted:"},
      {{"node", "--config", "/nowhere/troupe.toml"}, "/nowhere/troupe.toml cannot be read"},
      {{"node", "--unheard-of", "1"}, "--unheard-of"},
      {{"demo", "--once", "--peers", "1"}, "at least 3"},
      {{"status"}, "at: not set"},
      {{"status", "--at", "nowhere"}, "is not HOST:PORT"},
      {{"status", "--at", "127.0.0.1:1", "--output", "xml"}, "accepted: table or json"},
  };
  for (const auto& each : rows) {
    auto result = run_to_end(each.arguments);
    CAPTURE(each.words);
    CHECK(result.end.words() == "exit code 2");
    CHECK_MESSAGE(result.err.find(each.words) != std::string::npos, result.err);
    CHECK(result.out.empty());
  }
}

TEST_CASE("A node that is told wrong things makes no directory") {
  scratch_directory scratch;
  auto result = run_to_end(
      {"node", "--id", "1", "--peers", "1=192.0.2.1:7101", "--client", "127.0.0.1:0", "--data", scratch / "data"});
  CHECK(result.end.code == 2);
  CHECK(result.err.find("--insecure") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(scratch / "data"));
}

TEST_CASE("Help and version go to stdout and end well") {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"--help"},
                                                                                         {"node", "--help"},
                                                                                         {"demo", "-h"},
                                                                                         {"status", "--help"},
                                                                                         {"--version"},
                                                                                         {"node", "--print-config"}}) {
    auto result = run_to_end(arguments);
    CHECK(result.end.words() == "exit code 0");
    CHECK_FALSE(result.out.empty());
    CHECK(result.err.empty());
  }
}

TEST_CASE("The environment of the process beats the file, and a flag beats both") {
  scratch_directory scratch;
  std::ofstream{scratch / "troupe.toml"} << "cluster = \"file\"\nlog-level = \"warn\"\n";
  REQUIRE(::setenv("TROUPE_CLUSTER", "environment", 1) == 0);
  auto environment = run_to_end({"node", "--config", scratch / "troupe.toml", "--print-config"});
  auto flag = run_to_end({"node", "--config", scratch / "troupe.toml", "--cluster", "flag", "--print-config"});
  REQUIRE(::unsetenv("TROUPE_CLUSTER") == 0);
  CHECK(environment.out.find("cluster = \"environment\" # environment variable TROUPE_CLUSTER") != std::string::npos);
  CHECK(environment.out.find("log-level = \"warn\" # file ") != std::string::npos);
  CHECK(flag.out.find("cluster = \"flag\" # flag --cluster") != std::string::npos);
}

TEST_CASE("Status of an address where nobody listens ends with exit code 4") {
  auto result = run_to_end({"status", "--at", "127.0.0.1:1"});
  CHECK(result.end.code == 4);
  CHECK(result.err.find("127.0.0.1:1: Connection refused") != std::string::npos);
}
