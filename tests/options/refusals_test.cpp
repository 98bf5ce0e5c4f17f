// What must not start: every setting with every kind of bad value from every source, and everything else that can be
// wrong before a program has begun. Each refusal names what is wrong and what to do.
#include "tests/options/world.hpp"

#include "app/options/nearest.hpp"
#include "app/options/shown.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace troupe;

namespace {

/// Bad values of a setting, by its kind.
std::vector<std::string> bad_samples(const setting& of) {
  if (of.name == "peers" && of.form == setting::shape::text)
    return {"",
            "1",
            "1=",
            "=127.0.0.1:1",
            "0=127.0.0.1:1",
            "-1=127.0.0.1:1",
            "1.5=127.0.0.1:1",
            "18446744073709551616=127.0.0.1:1",
            "one=127.0.0.1:1",
            "1=127.0.0.1",
            "1=127.0.0.1:",
            "1=:7101",
            "1=127.0.0.1:0",
            "1=127.0.0.1:65536",
            "1=127.0.0.1:7101,",
            ",1=127.0.0.1:7101",
            "1=127.0.0.1:7101;2=127.0.0.1:7102",
            "1=127.0.0.1:7101, 2=127.0.0.1:7102",
            "1=127.0.0.1:7101,1=127.0.0.1:7102",
            "1=127.0.0.1:7101,2=127.0.0.1:7101",
            "1=::1:7101x",
            "1=[::1:7101",
            "1=[127.0.0.1]:7101",
            "1=http://127.0.0.1:7101"};
  if (of.name == "election-timeout")
    return {"",         "500ms",  "500..1000",    "500ms..",    "..1s",    "1s..500ms", "1ms..500ms",
            "1s..601s", "1s..1h", "500ms-1000ms", "500ms...1s", "-1s..1s", "0s..0s",    "1.5s..2s"};
  if (of.name == "cluster")
    return {"", "two words", "a/b", "a,b", "\"quoted\"", "\x1b[31mred", std::string(65, 'a'), "caf\xc3\xa9"};
  if (of.name == "log-level")
    return {"", "INFO", "verbose", "error ", "1"};
  if (of.name == "output")
    return {"", "JSON", "xml", "json,table"};
  if (of.name == "data" || of.name == "dir")
    return {"", std::string{"/a\0b", 4}};
  if (of.form == setting::shape::toggle)
    return {"", "yes", "on", "1", "TRUE", "truely"};
  if (of.form == setting::shape::count)
    return {"", "-1", "1.5", "1e3", "0x10", " 3", "3 ", "three", "18446744073709551616", "99999999999999999999999"};
  if (of.value_name == "TIME")
    return {"",   "100",    "ms",  "-1ms", "1.5s", "1m",     "1h",
            "1S", "100 ms", "0us", "0ms",  "1us",  "99999s", "99999999999999999999s"};
  if (of.value_name == "SIZE")
    return {"",    "4096",  "B",  "-1B", "1.5MiB", "1MB",      "1kB",
            "1KB", "1 MiB", "0B", "63B", "1TiB",   "99999GiB", "18446744073709551615GiB"};
  if (of.value_name == "HOST:PORT")
    return {"",
            "7001",
            ":7001",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:70000",
            "127.0.0.1:-1",
            "127.0.0.1:port",
            "[::1]",
            "::1:7001",
            "[127.0.0.1]:1",
            "[::1",
            "a b:7001",
            "tcp://127.0.0.1:7001",
            std::string(256, 'a') + ":1"};
  return {};
}

std::string refusal_of(const std::vector<std::string>& arguments, const made_up_world& world = {}) {
  const auto result = world.run(arguments);
  const auto* end = std::get_if<early_end>(&result);
  REQUIRE(end);
  CHECK(end->code == exit_code::usage);
  CHECK(end->text.find("Nothing was started. See troupe") != std::string::npos);
  for (const char c : end->text)
    REQUIRE_MESSAGE((c == '\n' || static_cast<unsigned char>(c) >= 0x20),
                    "a terminal would obey: ", in_plain(end->text));
  return end->text;
}

void must_say(const std::string& text, const std::string& part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, "does not say: ", part, "\nbut: ", text);
}

std::string toml_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (byte < 0x20)
      out += byte < 16 ? std::string{"\\u000"} + "0123456789abcdef"[byte]
                       : std::string{"\\u001"} + "0123456789abcdef"[byte - 16];
    else
      out += c;
  }
  return out + '"';
}

} // namespace

TEST_CASE("Every setting refuses every kind of bad value, from every source, and says what it accepts") {
  std::size_t refused = 0;
  for (const auto which : all_verbs)
    for (const auto& of : settings_of(which)) {
      const auto name = std::string{name_of(which)};
      const auto samples = bad_samples(of);
      CAPTURE(of.name);
      REQUIRE_MESSAGE(!samples.empty(), "a new kind of setting wants bad samples here");
      for (const auto& bad : samples) {
        const auto shown_value = in_plain(bad);
        CAPTURE(shown_value);
        const auto expect = [&](const std::string& text, const std::string& source) {
          must_say(text, "troupe " + name + ": " + of.name + ": " + shown(bad) + " (" + source + ") ");
          must_say(text, "; accepted: " + of.accepted);
          ++refused;
        };
        expect(refusal_of({name, of.flag() + "=" + bad}), "flag " + of.flag());
        if (of.form != setting::shape::toggle && !bad.starts_with("--"))
          expect(refusal_of({name, of.flag(), bad}), "flag " + of.flag());
        made_up_world world;
        if (!bad.empty() && bad.find('\0') == bad.npos) { // An empty variable counts as not set.
          world.variables[of.variable()] = bad;
          expect(refusal_of({name}, world), "environment variable " + of.variable());
        }
        world = {};
        world.files["f.toml"] = of.name + " = " + toml_string(bad) + "\n";
        expect(refusal_of({name, "--config", "f.toml"}, world), "file f.toml");
      }
    }
  MESSAGE(refused, " refusals");
}

TEST_CASE("A key of the file refuses what is of another kind than a value") {
  for (const auto which : all_verbs)
    for (const auto& of : settings_of(which))
      for (const std::string odd : {"1.5", "[1]", "[\"a\"]", "1979-05-27", "{ a = 1 }", "nan"}) {
        made_up_world world;
        world.files["f.toml"] = "\n" + of.name + " = " + odd + "\n";
        must_say(refusal_of({std::string{name_of(which)}, "--config", "f.toml"}, world),
                 "file f.toml, line 2: '" + of.name + "' is neither a string, an integer nor a boolean");
      }
}

TEST_CASE("Every flag misspelt by one letter is told with the one that was meant") {
  for (const auto which : all_verbs)
    for (const auto& of : settings_of(which)) {
      const auto name = std::string{name_of(which)};
      auto doubled = of.flag();
      doubled.insert(3, 1, 'q');
      must_say(refusal_of({name, doubled, "1"}),
               "troupe " + name + ": " + doubled + ": no such flag; did you mean " + of.flag() + "?");
      made_up_world world;
      world.files["f.toml"] = doubled.substr(2) + " = 1\n";
      must_say(refusal_of({name, "--config", "f.toml"}, world),
               "file f.toml, line 1: '" + doubled.substr(2) + "' is no setting of troupe " + name + "; did you mean "
                   + of.name + "?");
    }
}

TEST_CASE("Every flag is given once, and with its value") {
  for (const auto which : all_verbs)
    for (const auto& of : settings_of(which)) {
      const auto name = std::string{name_of(which)};
      const auto good = samples(of);
      const auto twice = refusal_of({name, of.flag() + "=" + good[0], of.flag() + "=" + good[1]});
      must_say(twice, of.flag() + ": given twice, as \"" + good[0] + "\" and as \"" + good[1] + "\"; give it once");
      CHECK(std::count(twice.begin(), twice.end(), '\n') == 2); // One fault, and that nothing was started.
      if (of.form == setting::shape::toggle)
        continue;
      must_say(refusal_of({name, of.flag()}),
               of.flag() + ": has no value; give " + of.flag() + " " + of.value_name + "; accepted: " + of.accepted);
      must_say(refusal_of({name, of.flag(), "--print-config"}), of.flag() + ": has no value");
    }
}

TEST_CASE("A misspelt variable is an error, one that means nothing a warning, one of an orchestrator nothing") {
  for (const auto which : all_verbs)
    for (const auto& of : settings_of(which)) {
      made_up_world world;
      auto misspelt = of.variable();
      misspelt.insert(8, 1, 'Q');
      world.variables[misspelt] = "1";
      must_say(refusal_of({std::string{name_of(which)}}, world),
               "environment variable " + misspelt + " is no setting of troupe; did you mean " + of.variable()
                   + "? Correct it or unset it");
    }
  made_up_world world;
  world.variables = {{"TROUPE_SEEDS", "3"}, {"TROUPE_HEARTBEAT", "50ms"}, {"TROUP_HEARTBEAT", "1"}};
  CHECK(std::holds_alternative<program_options>(world.run(good_node)));
  REQUIRE(world.warnings.size() == 1);
  must_say(world.warnings[0],
           "troupe node: environment variable TROUPE_SEEDS is no setting of troupe and changes nothing; the nearest is "
           "TROUPE_PEERS");
  made_up_world orchestrated;
  orchestrated.variables = {{"TROUPE_SERVICE_HOST", "10.0.0.1"},
                            {"TROUPE_SERVICE_PORT", "7001"},
                            {"TROUPE_SERVICE_PORT_CLIENT", "7001"},
                            {"TROUPE_PORT", "tcp://10.0.0.1:7001"},
                            {"TROUPE_PORT_7001_TCP", "tcp://10.0.0.1:7001"},
                            {"TROUPE_PORT_7001_TCP_ADDR", "10.0.0.1"},
                            {"TROUPE_READERS_SERVICE_HOST", "10.0.0.2"}};
  CHECK(std::holds_alternative<program_options>(orchestrated.run(good_node)));
  CHECK(orchestrated.warnings.empty());
}

TEST_CASE("A setting of another verb is told whose it is, as a variable it is left alone") {
  must_say(refusal_of({"status", "--heartbeat", "50ms"}), "--heartbeat: no such flag; it is a setting of troupe node");
  must_say(refusal_of({"node", "--at", "127.0.0.1:1"}), "--at: no such flag; it is a setting of troupe status");
  made_up_world world;
  world.files["f.toml"] = "once = true\n";
  must_say(refusal_of({"node", "--config", "f.toml"}, world), "it is a setting of troupe demo");
  world.variables = {{"TROUPE_HEARTBEAT", "50ms"}};
  CHECK(std::holds_alternative<program_options>(world.run({"demo"})));
  CHECK(world.warnings.empty());
}

TEST_CASE("Everything wrong with the command line is told at once") {
  const auto text = refusal_of({"node", "stray", "--heartbeets", "1ms", "--id", "1", "--id", "2", "--data"});
  must_say(text, "\"stray\" is no flag; every value stands behind its flag");
  must_say(text, "--heartbeets: no such flag");
  must_say(text, "--id: given twice");
  must_say(text, "--data: has no value");
  CHECK(text.find("\"1ms\"") == std::string::npos); // Part of the flag that does not exist.
  must_say(refusal_of({"node", "--heartbeets", "--id", "1", "stray"}), "\"stray\" is no flag"); // And this is not.
}

TEST_CASE("Command lines that cannot be meant are refused with words") {
  struct row {
    std::vector<std::string> arguments;
    std::string words;
  };
  const std::vector<row> rows{
      {{"nod"},
       "\"nod\" is neither a verb nor a flag known here; did you mean node?; accepted: node, demo, status, log, sim"},
      {{"serve"}, "\"serve\" is neither a verb nor a flag known here; accepted:"},
      {{"--id", "1"}, "\"--id\" is neither a verb nor a flag"},
      {{""}, "\"\" is neither a verb nor a flag"},
      {{"\x1b]0;title\a"}, "\"\\x1b]0;title\\x07\" is neither"},
      {{"node", "-"}, "\"-\" is no flag"},
      {{"node", ""}, "\"\" is no flag"},
      {{"node", "--"}, "--: no such flag"},
      {{"node", "-id", "1"}, "-id: no such flag; did you mean --id?"},
      {{"node", "-x"}, "-x: no such flag"},
      {{"node", "--ID", "1"}, "--ID: no such flag"},
      {{"node", "--Heartbeat=1ms"}, "--Heartbeat: no such flag; did you mean --heartbeat?"},
      {{"node", "--election_timeout=1s..2s"}, "did you mean --election-timeout?"},
      {{"node", "--config"}, "--config: has no value; give --config FILE"},
      {{"node", "--config="}, "--config: has no value"},
      {{"node", "--config", "--id", "1"}, "--config: has no value"},
      {{"node", "--config", "a", "--config", "b"}, "--config: given twice, as \"a\" and as \"b\""},
      {{"node", "--print-config=yes"}, "--print-config: takes no value, and got \"yes\""},
      {{"node", "--insecure", "true"}, "\"true\" is no flag"},
      {{"node", "--insecure", "-5"}, "-5: no such flag"},
      {{"node", "--insecure={}"}, "insecure: \"{}\" (flag --insecure) is neither true nor false"},
      {{"node", "--print-config="}, "--print-config: takes no value, and got \"\""},
      {{"node", "--id=", "1"}, "\"1\" is no flag"},
      {{"node", "--id", "--", "1"}, "--id: has no value"},
      {{"node", "--id", "1", "--"}, "--: no such flag"},
      {{"node", "--", "--peers"}, "--peers: has no value"},
      {{"demo", "--once", "--peers", "2"}, "at least 3"},
      {{"status"}, "at: not set; give --at HOST:PORT or TROUPE_AT"},
      {{"status", "127.0.0.1:7001"}, "\"127.0.0.1:7001\" is no flag"},
      {{"node", "--\x1b[2J", "1"}, "--\\x1b[2J: no such flag"},
  };
  for (const auto& each : rows)
    must_say(refusal_of(each.arguments), each.words);
}

TEST_CASE("troupe log says what is wrong with its command line, and not that nothing was started") {
  struct row {
    std::vector<std::string> arguments;
    std::string words;
  };
  const std::vector<row> rows{
      {{"log"}, "say what to do: verify or dump"},
      {{"log", "repair", "x"}, "\"repair\" is nothing that can be done to a log; accepted: verify, dump"},
      {{"log", "verify"}, "name the data directory of a node: troupe log verify DIR"},
      {{"log", "verify", ""}, "name the data directory of a node: troupe log verify DIR"},
      {{"log", "verify", "a", "b"}, "two directories, \"a\" and \"b\"; name one"},
      {{"log", "verify", "a", "--output"}, "--output: has no value; give --output table|json"},
      {{"log", "verify", "a", "--output", "xml"}, "--output: \"xml\" is no way to print it; accepted: table or json"},
      {{"log", "dump", "a", "--output", "json"}, "\"--output\": no such flag; accepted: --help"},
  };
  for (const auto& each : rows) {
    const auto end = std::get<early_end>(made_up_world{}.run(each.arguments));
    CHECK(end.code == exit_code::usage);
    CHECK(end.text == "troupe log: " + each.words + "\nSee troupe log --help\n");
  }
}

TEST_CASE("Files that are no settings are refused with the file, the line and the fault") {
  struct row {
    std::string contents;
    std::string words;
  };
  const std::string bom = "\xef\xbb\xbf";
  const std::vector<row> rows{
      {"id = \n", "file f.toml, line 1: not TOML: "},
      {"id = 1\nid = 2\n", "file f.toml, line 2: not TOML: "},
      {"id: 1\n", "not TOML: "},
      {"--id 1\n", "not TOML: "},
      {"id = 1 peers = 2\n", "not TOML: "},
      {"heartbeat = 100ms\n", "accepted: lines such as heartbeat = \"100ms\""},
      {"data = \"unended\n", "not TOML: "},
      {"{\"id\": 1}\n", "not TOML: "},
      {"\xff\xfe\x69\x00", "file f.toml is in UTF-16; save it as UTF-8"},
      {"data = \"\xff\"\n", "not TOML: "},
      {std::string{"\0\0\0", 3}, "not TOML: "},
      {"[node]\nid = 1\n", "'node' is no setting of troupe node"},
      {"\n\nheartbeet = \"1ms\"\n", "line 3: 'heartbeet' is no setting of troupe node; did you mean heartbeat?"},
      {"election_timeout = \"1s..2s\"\n", "did you mean election-timeout?"},
      {"node.id = 1\n", "'node' is no setting"},
      {"config = \"other.toml\"\n", "'config' is no setting"},
      {"\"\\u001b[2J\" = 1\n", "'\\x1b[2J' is no setting"},
      {"heartbeat = 100\n", "heartbeat: \"100\" (file f.toml) is not a time with a unit"},
      {"id = true\n", "id: \"true\" (file f.toml) is not a whole number from 1"},
      {"insecure = 1\n", "insecure: \"1\" (file f.toml) is neither true nor false"},
      {bom + "heartbeat = \"100\"\n", "heartbeat: \"100\" (file f.toml)"}, // The mark itself is no fault.
  };
  for (const auto& each : rows) {
    made_up_world world;
    world.files["f.toml"] = each.contents;
    const auto contents = in_plain(each.contents);
    CAPTURE(contents);
    must_say(refusal_of({"node", "--config", "f.toml"}, world), each.words);
  }
  must_say(refusal_of({"node", "--config", "absent.toml"}),
           "file absent.toml cannot be read: No such file or directory\n");
  made_up_world world;
  world.variables["TROUPE_CONFIG"] = "absent.toml";
  must_say(refusal_of({"node"}, world),
           "file absent.toml cannot be read: No such file or directory (environment "
           "variable TROUPE_CONFIG names it)");
}

TEST_CASE("Settings that contradict each other are refused, naming both with their sources") {
  struct row {
    std::vector<std::string> flags;
    std::string words;
  };
  const std::vector<row> rows{
      {{"--id", "4"}, "id = 4 (flag --id) must be one of the ids in peers"},
      {{"--heartbeat", "250ms"},
       "election-timeout = 500ms..1s (default) must be more than 2 x heartbeat = 250ms (flag"},
      {{"--heartbeat", "1s"}, "must be more than 2 x heartbeat"},
      {{"--election-timeout", "200ms..400ms"},
       "election-timeout = 200ms..400ms (flag --election-timeout) must be more"},
      {{"--max-request", "17MiB", "--max-in-flight", "16MiB"},
       "max-request = 17MiB (flag --max-request) must be at most"},
      {{"--max-in-flight", "1KiB"}, "max-request = 1MiB (default) must be at most max-in-flight"},
      {{"--max-uncommitted", "1MiB"}, "max-proposal = 16MiB (default) must be at most max-uncommitted"},
      {{"--max-forwarded", "1MiB"}, "max-proposal = 16MiB (default) must be at most max-forwarded"},
      {{"--max-proposal", "15MiB"}, "max-command-size = 15MiB (default) must be less than max-proposal"},
      {{"--max-proposal", "33MiB"}, "max-proposal: \"33MiB\" (flag --max-proposal) is too large"}, // A frame's limit.
      {{"--max-request", "64MiB"}, "max-request: \"64MiB\" (flag --max-request) is too large"},
      {{"--max-argument-size", "15361KiB"}, "max-argument-size = 15361KiB (flag --max-argument-size) must be at most"},
      {{"--lot-size", "17MiB"}, "lot-size = 17MiB (flag --lot-size) must be at most max-proposal"},
      {{"--max-output", "1023KiB"}, "output-pause = 1MiB (default) must be at most max-output"},
      {{"--max-gathered", "14MiB"}, "max-gathered"},
      {{"--listen", "0.0.0.0:7102"}, "0.0.0.0:7102 is not loopback"},
      {{"--listen", "[::]:7102"}, "--insecure on a network"},
      {{"--listen", "127.0.0.1:7002"}, "client = 127.0.0.1:7002 (flag --client) must differ from listen"},
  };
  for (const auto& each : rows)
    must_say(refusal_of([&] {
               auto arguments = good_node;
               for (std::size_t i = 0; i + 1 < each.flags.size(); i += 2) {
                 auto known = std::find(arguments.begin(), arguments.end(), each.flags[i]);
                 if (known == arguments.end())
                   arguments = arguments + std::vector<std::string>{each.flags[i], each.flags[i + 1]};
                 else
                   *std::next(known) = each.flags[i + 1];
               }
               return arguments;
             }()),
             each.words);
}

TEST_CASE("Names that are near are found, others are not made up") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("heartbeat", "haertbeat") == 1); // Two that are swapped are one slip.
  CHECK(edit_distance("ab", "ba") == 1);
  CHECK_FALSE(nearest("x", {}));
  CHECK(nearest("hartbeat", {"data", "heartbeat"})->name == "heartbeat");
  CHECK(nearest("hartbeat", {"data", "heartbeat"})->is_close);
  CHECK_FALSE(nearest("something", {"data", "heartbeat"})->is_close);
}
