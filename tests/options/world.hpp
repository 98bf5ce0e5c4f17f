/// \file
/// A made-up environment and file system for the tests of options, and two good values for every setting.
#pragma once

#include "app/options/parse.hpp"

#include <map>

namespace troupe {

struct made_up_world {
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;
  mutable std::vector<std::string> warnings; ///< What was told and did not keep anything from running.

  [[nodiscard]] surroundings view() const {
    return {[this](const std::string& name) {
              auto found = variables.find(name);
              return found == variables.end() ? std::nullopt : std::optional{found->second};
            },
            [this] {
              std::vector<std::string> names;
              for (const auto& [name, value] : variables)
                names.push_back(name);
              return names;
            },
            [this](const std::string& path) {
              auto found = files.find(path);
              return found == files.end() ? file_contents{"", "No such file or directory"}
                                          : file_contents{found->second, std::nullopt};
            },
            [this](const std::string& line) { warnings.push_back(line); }};
  }

  [[nodiscard]] std::variant<program_options, early_end> run(const std::vector<std::string>& arguments) const {
    return parse_command_line(arguments, view());
  }
};

/// Three different good values of a setting, none of them the default.
[[nodiscard]] inline std::vector<std::string> samples(const setting& of) {
  static const std::map<std::string, std::vector<std::string>> special{
      {"peers", {"1=127.0.0.1:1", "1=127.0.0.1:2", "1=[::1]:3"}},
      {"election-timeout", {"301ms..900ms", "302ms..900ms", "303ms..900ms"}},
      {"log-level", {"debug", "warn", "trace"}},
      {"output", {"json", "table", "json"}},
      {"data", {"/a", "/b", "/c"}},
      {"dir", {"/a", "/b", "/c"}},
      {"cluster", {"red", "green", "blue"}},
  };
  if (of.name == "peers" && of.form == setting::shape::count) // The demo's.
    return {"4", "5", "6"};
  if (auto found = special.find(of.name); found != special.end())
    return found->second;
  if (of.form == setting::shape::toggle)
    return {"true", "false", "true"};
  if (of.form == setting::shape::count)
    return {"11", "12", "13"};
  if (of.value_name == "TIME")
    return {"101ms", "102ms", "103ms"};
  if (of.value_name == "SIZE")
    return {"101KiB", "102KiB", "103KiB"};
  if (of.value_name == "HOST:PORT")
    return {"127.0.0.1:11", "127.0.0.1:12", "127.0.0.1:13"};
  return {};
}

inline const std::vector<std::string> good_node{
    "node",     "--id",           "2",      "--peers", "1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103",
    "--client", "127.0.0.1:7002", "--data", "/data"};

inline std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

} // namespace troupe
