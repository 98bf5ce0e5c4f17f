#include "tests/options/world.hpp"

#include "app/options/help.hpp"

#include <doctest/doctest.h>

using namespace troupe;

namespace {

// The order that is promised; what comes first beats what comes later.
const std::vector<source> nearest_first{source::flag, source::environment, source::file};

// What counts for a setting that `sources` say different things about, and why.
std::string what_counts(verb which, const setting& of, const std::vector<source>& sources) {
  made_up_world world;
  std::vector<std::string> arguments;
  auto values = samples(of);
  REQUIRE_MESSAGE(values.size() == 3, "no samples for ", of.name);
  for (auto from : sources) {
    if (from == source::flag)
      arguments.push_back(of.flag() + "=" + values[0]);
    if (from == source::environment)
      world.variables[of.variable()] = values[1];
    if (from == source::file) {
      arguments.push_back("--config=the.toml");
      auto quote = of.form == setting::shape::text ? "\"" : "";
      world.files["the.toml"] = of.name + " = " + quote + values[2] + quote + "\n";
    }
  }
  // Not through parse_command_line: values that do not suit the defaults of others are none of this test's business.
  auto flags = collect_flags(which, arguments);
  REQUIRE_MESSAGE(flags.wrong.empty(), flags.wrong.front());
  auto file = flags.config.empty() ? collected_file{} : collect_file(which, flags.config, world.view());
  REQUIRE_MESSAGE(file.wrong.empty(), file.wrong.front());
  auto resolved =
      resolve(which, flags.values, collect_variables(which, world.view()).values, file.values, flags.config);
  for (const auto& each : resolved)
    if (each.of->name == of.name)
      return each.text + " from " + each.source_words();
  return "";
}

std::string what_should_count(const setting& of, source from) {
  auto values = samples(of);
  switch (from) {
  case source::flag: return values[0] + " from flag " + of.flag();
  case source::environment: return values[1] + " from environment variable " + of.variable();
  case source::file: return values[2] + " from file the.toml";
  case source::fallback: return of.fallback + " from default";
  case source::none: return " from not set";
  }
  return "";
}

} // namespace

TEST_CASE("For every setting and every pair of sources, the one nearer to the user counts") {
  std::size_t pairs = 0;
  for (auto which : all_verbs)
    for (const auto& of : settings_of(which)) {
      CAPTURE(name_of(which));
      CAPTURE(of.name);
      auto lowest = of.fallback.empty() ? source::none : source::fallback;
      CHECK(what_counts(which, of, {}) == what_should_count(of, lowest));
      for (std::size_t i = 0; i < nearest_first.size(); ++i) {
        CHECK(what_counts(which, of, {nearest_first[i]}) == what_should_count(of, nearest_first[i]));
        for (std::size_t j = i + 1; j < nearest_first.size(); ++j, ++pairs)
          CHECK(what_counts(which, of, {nearest_first[i], nearest_first[j]})
                == what_should_count(of, nearest_first[i]));
      }
      CHECK(what_counts(which, of, nearest_first) == what_should_count(of, source::flag));
    }
  CHECK(pairs
        == 3 * (settings_of(verb::node).size() + settings_of(verb::demo).size() + settings_of(verb::status).size()));
}

TEST_CASE("An empty variable counts as not set") {
  made_up_world world;
  world.variables = {{"TROUPE_HEARTBEAT", ""}};
  auto result = world.run(good_node);
  CHECK(std::holds_alternative<program_options>(result));
}

TEST_CASE("The file may be named by TROUPE_CONFIG, and --config beats it") {
  made_up_world world;
  world.files = {{"a.toml", "cluster = \"a\""}, {"b.toml", "cluster = \"b\""}};
  world.variables["TROUPE_CONFIG"] = "a.toml";
  auto cluster = [&](const std::vector<std::string>& arguments) {
    return std::get<node_settings>(std::get<program_options>(world.run(arguments))).cluster;
  };
  CHECK(cluster(good_node) == "a");
  CHECK(cluster(good_node + std::vector<std::string>{"--config", "b.toml"}) == "b");
}

TEST_CASE("--print-config shows each value with its source, and is a file that gives the same values again") {
  made_up_world world;
  world.variables["TROUPE_HEARTBEAT"] = "50ms";
  world.files["the.toml"] = "max-clients = 77\ninsecure = true\n";
  auto first =
      std::get<early_end>(world.run(good_node + std::vector<std::string>{"--config", "the.toml", "--print-config"}));
  CHECK(first.code == exit_code::ok);
  CHECK(first.text.find("id = 2 # flag --id\n") != std::string::npos);
  CHECK(first.text.find("heartbeat = \"50ms\" # environment variable TROUPE_HEARTBEAT\n") != std::string::npos);
  CHECK(first.text.find("max-clients = 77 # file the.toml\n") != std::string::npos);
  CHECK(first.text.find("insecure = true # file the.toml\n") != std::string::npos);
  CHECK(first.text.find("cluster = \"troupe\" # default\n") != std::string::npos);
  CHECK(first.text.find("listen = \"127.0.0.1:7102\" # default\n") != std::string::npos);

  made_up_world other;
  other.files["again.toml"] = first.text;
  auto second = std::get<early_end>(other.run({"node", "--config", "again.toml", "--print-config"}));
  CHECK(second.code == exit_code::ok);
  auto without_sources = [](const std::string& text) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
      auto end = text.find('\n', at);
      auto line = text.substr(at, end - at);
      result += line.substr(0, line.rfind('#')) + '\n';
      at = end + 1;
    }
    return result;
  };
  CHECK(without_sources(first.text) == without_sources(second.text));
}

TEST_CASE("--print-config needs nothing to be set, and says what would be required") {
  auto printed = std::get<early_end>(made_up_world{}.run({"node", "--print-config"}));
  CHECK(printed.code == exit_code::ok);
  CHECK(printed.text.find("# id: not set, required\n") != std::string::npos);
  CHECK(printed.text.find("heartbeat = \"100ms\" # default\n") != std::string::npos);
}

TEST_CASE("A path with quotes and control characters survives --print-config") {
  made_up_world world;
  auto odd = std::string{"/a \"b\" \\ \t\x01 ü"};
  auto printed = std::get<early_end>(world.run({"node", "--data", odd, "--print-config"}));
  world.files["again.toml"] = printed.text;
  auto read = collect_file(verb::node, "again.toml", world.view());
  CHECK(read.wrong.empty());
  CHECK(read.values["data"] == odd);
}

TEST_CASE("Counts as people may write them survive --print-config") {
  for (const auto& [written, printed] : {std::pair{"007", "7"}, {"18446744073709551615", "\"18446744073709551615\""}}) {
    made_up_world world;
    const auto first = std::get<early_end>(world.run({"node", "--id", written, "--print-config"}));
    CHECK(first.text.find(std::string{"id = "} + printed + " # flag --id\n") != std::string::npos);
    world.files["again.toml"] = first.text;
    const auto again = std::get<early_end>(world.run({"node", "--config", "again.toml", "--print-config"}));
    CHECK(again.text.find(std::string{"id = "} + printed + " # file again.toml\n") != std::string::npos);
  }
}

TEST_CASE("The help lists the words of a setting that takes one of a few, and so does every refusal") {
  struct row {
    std::string name;
    std::string flag;
    std::string words;
    std::string accepted;
  };
  const std::vector<row> rows{
      {"node", "--log-level", "trace|debug|info|warn|critical|off", "trace, debug, info, warn, critical or off"},
      {"status", "--output", "table|json", "table or json"},
  };
  const made_up_world world;
  for (const auto& each : rows) {
    const auto text = [&](const std::vector<std::string>& arguments) {
      return std::get<early_end>(world.run(arguments)).text;
    };
    CHECK(text({each.name, "--help"}).find("\n  " + each.flag + " " + each.words + "  (default") != std::string::npos);
    CHECK(text({each.name, each.flag, "odd"}).find("accepted: " + each.accepted + "\n") != std::string::npos);
    CHECK(text({each.name, each.flag}).find("has no value; give " + each.flag + " " + each.words + "; accepted: ")
          != std::string::npos);
  }
  for (const auto which : all_verbs)
    for (const auto& each : settings_of(which))
      CHECK_MESSAGE(each.value_name != "WORD", each.name);
}

TEST_CASE("The help names every setting, its default and all exit codes") {
  for (auto which : all_verbs) {
    auto help = std::get<early_end>(made_up_world{}.run({std::string{name_of(which)}, "--help"}));
    CHECK(help.code == exit_code::ok);
    for (const auto& each : settings_of(which)) {
      CHECK_MESSAGE(help.text.find("  " + each.flag()) != std::string::npos, each.name);
      if (each.form != setting::shape::toggle && !each.fallback.empty())
        CHECK_MESSAGE(help.text.find("(default: " + each.fallback + ")") != std::string::npos, each.name);
    }
    for (auto code : {"\n  0 ", "\n  1 ", "\n  2 ", "\n  3 ", "\n  4 ", "\n  5 "})
      CHECK(help.text.find(code) != std::string::npos);
  }
}
