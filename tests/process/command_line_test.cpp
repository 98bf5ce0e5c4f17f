#include "tests/process/program.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

using namespace troupe;

namespace {

/// A variable of this process, and so of those it starts, for as long as this lives.
class variable {
public:
  variable(std::string name, const std::string& value) : name_{std::move(name)} {
    REQUIRE(::setenv(name_.c_str(), value.c_str(), 1) == 0);
  }
  ~variable() { ::unsetenv(name_.c_str()); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

private:
  std::string name_;
};

/// A port of loopback that somebody else listens on.
class taken_port {
public:
  taken_port() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    words_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~taken_port() { ::close(socket_); }
  taken_port(const taken_port&) = delete;
  taken_port& operator=(const taken_port&) = delete;

  [[nodiscard]] const std::string& words() const { return words_; }

private:
  int socket_;
  std::string words_;
};

/// An address on which nobody listens now.
std::string free_address() {
  return taken_port{}.words();
}

/// A node on its own that would start, keeping its data in `data`.
std::vector<std::string> lone_node(const std::string& data) {
  return {"node", "--id", "1", "--peers", "1=" + free_address(), "--client", "127.0.0.1:0", "--data", data};
}

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

void must_end(const std::vector<std::string>& arguments, int code, const std::string& words) {
  const auto result = run_to_end(arguments);
  CAPTURE(words);
  CHECK_MESSAGE(result.end.words() == "exit code " + std::to_string(code), result.err);
  CHECK_MESSAGE(result.err.find(words) != std::string::npos, result.err);
  CHECK(result.out.empty());
}

} // namespace

TEST_CASE("Wrong command lines end with exit code 2, words on stderr, nothing on stdout and no directory made") {
  struct row {
    std::vector<std::string> arguments;
    std::string words;
  };
  const std::vector<row> rows{
      {{}, "usage: troupe VERB"},
      {{"serve"}, "\"serve\" is neither a verb nor a flag"},
      {{"node"}, "id: not set"},
      {{"node", "--id", "one"}, "id: \"one\" (flag --id) is not a whole number from 1"},
      {{"node", "--heartbeat", "100"}, "is not a time with a unit; accepted:"},
      {{"node", "--config", "/nowhere/troupe.toml"}, "file /nowhere/troupe.toml cannot be read: No such file"},
      {{"node", "--config", "/tmp"}, "file /tmp cannot be read: is a directory"},
      {{"node", "--config", "/dev/zero"}, "file /dev/zero cannot be read: is longer than 1 MiB"},
      {{"node", "--unheard-of", "1"}, "--unheard-of: no such flag"},
      {{"node", "--heartbeet", "1ms"}, "--heartbeet: no such flag; did you mean --heartbeat?"},
      {{"demo", "--once", "--peers", "1"}, "at least 3"},
      {{"demo", "--client-port", "65500"}, "client-port: \"65500\" (flag --client-port) is too large"},
      {{"status"}, "at: not set"},
      {{"status", "--at", "nowhere"}, "is not HOST:PORT"},
      {{"status", "--at", "127.0.0.1:1", "--output", "xml"}, "accepted: table or json"},
  };
  for (const auto& each : rows)
    must_end(each.arguments, 2, each.words);
  // What a complete command line lacks to be right.
  const std::vector<row> almost{
      {{"--id", "1"}, "--id: given twice, as \"1\" and as \"1\"; give it once"},
      {{"--listen", "192.0.2.1:7101"}, "--insecure"},
      {{"--heartbeat", "1s"}, "must be more than 2 x heartbeat = 1s (flag --heartbeat)"},
      {{"--max-proposal", "33MiB"}, "is too large"},
      {{"stray"}, "\"stray\" is no flag"},
  };
  scratch_directory scratch;
  for (const auto& each : almost)
    must_end(with(lone_node(scratch / "data"), each.arguments), 2, each.words);
  CHECK_FALSE(std::filesystem::exists(scratch / "data"));
}

TEST_CASE("Wrong variables and files end with exit code 2 and make no directory") {
  scratch_directory scratch;
  const auto node = lone_node(scratch / "data");
  {
    const variable misspelt{"TROUPE_HEARTBEET", "50ms"};
    must_end(node, 2, "TROUPE_HEARTBEET is no setting of troupe; did you mean TROUPE_HEARTBEAT?");
  }
  {
    const variable bad{"TROUPE_MAX_CLIENTS", "many"};
    must_end(node, 2, "max-clients: \"many\" (environment variable TROUPE_MAX_CLIENTS)");
  }
  {
    const variable file{"TROUPE_CONFIG", scratch / "absent.toml"};
    must_end(node, 2, "(environment variable TROUPE_CONFIG names it)");
  }
  struct row {
    std::string contents;
    std::string words;
  };
  const std::vector<row> rows{
      {"heartbeet = \"50ms\"\n", "line 1: 'heartbeet' is no setting of troupe node; did you mean heartbeat?"},
      {"heartbeat 50ms\n", "line 1: not TOML: "},
      {"id = 1\nid = 1\n", "line 2: not TOML: "},
      {std::string{"\xff\xfei\0d\0", 6}, "is in UTF-16"},
  };
  for (const auto& each : rows) {
    std::ofstream{scratch / "troupe.toml"} << each.contents;
    must_end(with(node, {"--config", scratch / "troupe.toml"}), 2, each.words);
  }
  if (::geteuid() != 0) { // Root may read everything.
    REQUIRE(::chmod((scratch / "troupe.toml").c_str(), 0) == 0);
    must_end(with(node, {"--config", scratch / "troupe.toml"}), 2, "Permission denied");
  }
  CHECK_FALSE(std::filesystem::exists(scratch / "data"));
}

TEST_CASE("A file with a byte order mark is read, and a variable that means nothing is told and changes nothing") {
  scratch_directory scratch;
  std::ofstream{scratch / "troupe.toml"} << "\xef\xbb\xbf"
                                         << "heartbeat = \"51ms\"\n";
  const variable other{"TROUPE_FAVOURITE_COLOUR", "blue"};
  const auto result = run_to_end({"node", "--config", scratch / "troupe.toml", "--print-config"});
  CHECK(result.end.words() == "exit code 0");
  CHECK(result.out.find("heartbeat = \"51ms\" # file ") != std::string::npos);
  CHECK(result.err.find("TROUPE_FAVOURITE_COLOUR is no setting of troupe and changes nothing") != std::string::npos);
}

TEST_CASE("A port that is taken ends a node with exit code 1, names it, and leaves what others may use at once") {
  const taken_port taken;
  scratch_directory scratch;
  auto node = lone_node(scratch / "data");
  must_end(with(node, {"--listen", taken.words()}), 1, taken.words());
  auto clients = node;
  *std::next(std::find(clients.begin(), clients.end(), "--client")) = taken.words();
  must_end(clients, 1, taken.words());
  std::string why; // The directory is not locked, and the ports are free: the same node starts.
  auto process = child_process::start(troupe_program, node, scratch / "err", {}, why);
  REQUIRE_MESSAGE(process, why);
  const auto ready = process->read_line(std::chrono::seconds{20});
  REQUIRE_MESSAGE(ready, contents(scratch / "err"));
  CHECK(ready->starts_with("ready id=1 "));
}

TEST_CASE("A data directory that cannot be one ends a node with exit code 1, and what is no node's with 5") {
  scratch_directory scratch;
  std::ofstream{scratch / "file"} << "mine";
  must_end(lone_node(scratch / "file"), 1, scratch / "file");
  must_end(lone_node(scratch / "file/below"), 1, "file/below");
  must_end(lone_node("/proc/troupe"), 1, "/proc/troupe"); // Nobody may make a directory there.
  CHECK(contents(scratch / "file") == "mine");

  std::filesystem::create_directory(scratch / "homework");
  std::ofstream{scratch / "homework/essay"} << "mine";
  must_end(lone_node(scratch / "homework"), 5, "holds files, but no identity of a node");
  CHECK(contents(scratch / "homework/essay") == "mine");
  CHECK_FALSE(std::filesystem::exists(scratch / "homework/log"));

  std::filesystem::create_directory(scratch / "damaged");
  std::ofstream{scratch / "damaged/identity"} << "troupe data directory, format 1\ncluster=troupe\n";
  must_end(lone_node(scratch / "damaged"), 5, "damaged");
  std::ofstream{scratch / "damaged/identity"} << "troupe data directory, format 99\n";
  must_end(lone_node(scratch / "damaged"), 5, "newer program");
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
