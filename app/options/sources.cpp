#include "app/options/sources.hpp"

#include <CLI/CLI.hpp>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace troupe {

surroundings real_surroundings() {
  return {[](const std::string& name) -> std::optional<std::string> {
            auto value = std::getenv(name.c_str());
            return value ? std::optional<std::string>{value} : std::nullopt;
          },
          [](const std::string& path) -> std::optional<std::string> {
            std::ifstream in{path, std::ios::binary};
            std::ostringstream contents;
            if (!in || !(contents << in.rdbuf()))
              return std::nullopt;
            return contents.str();
          }};
}

collected_flags collect_flags(verb which, const std::vector<std::string>& arguments) {
  collected_flags result;
  CLI::App app;
  app.set_help_flag();
  app.add_flag("--help,-h", result.help);
  app.add_flag("--print-config", result.print_config);
  app.add_option("--config", result.config);
  std::vector<std::pair<const setting*, CLI::Option*>> options;
  std::vector<std::string> unused(settings_of(which).size());
  for (std::size_t i = 0; i < unused.size(); ++i) {
    const auto& known = settings_of(which)[i];
    auto option = known.form == setting::shape::toggle ? app.add_flag(known.flag(), unused[i])
                                                       : app.add_option(known.flag(), unused[i]);
    options.emplace_back(&known, option);
  }
  try {
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()}); // CLI11 takes them from the back.
  } catch (const CLI::ParseError& error) {
    result.wrong = error.what();
    return result;
  }
  for (auto [known, option] : options)
    if (!option->empty())
      result.values.emplace(known->name, option->results().back());
  return result;
}

written_values collect_variables(verb which, const surroundings& world) {
  written_values result;
  for (const auto& known : settings_of(which))
    if (auto value = world.variable(known.variable()); value && !value->empty())
      result.emplace(known.name, std::move(*value));
  return result;
}

collected_file collect_file(verb which, const std::string& path, const surroundings& world) {
  collected_file result;
  auto contents = world.read_file(path);
  if (!contents) {
    result.wrong.push_back("file " + path + " cannot be read");
    return result;
  }
  auto known = settings_of(which);
  try {
    auto table = toml::parse(std::string_view{*contents}, std::string_view{path});
    for (const auto& [key, value] : table) {
      auto name = std::string{key.str()};
      auto line = "file " + path + ", line " + std::to_string(value.source().begin.line) + ": ";
      if (std::none_of(known.begin(), known.end(), [&](const setting& each) { return each.name == name; }))
        result.wrong.push_back(line + "'" + name + "' is no setting of troupe " + std::string{name_of(which)});
      else if (auto text = value.value_exact<std::string>())
        result.values.emplace(name, *text);
      else if (auto count = value.value_exact<std::int64_t>())
        result.values.emplace(name, std::to_string(*count));
      else if (auto toggle = value.value_exact<bool>())
        result.values.emplace(name, *toggle ? "true" : "false");
      else
        result.wrong.push_back(line + "'" + name + "' is neither a string, an integer nor a boolean");
    }
  } catch (const toml::parse_error& error) {
    result.wrong.push_back("file " + path + ", line " + std::to_string(error.source().begin.line) + ": "
                           + std::string{error.description()});
  }
  return result;
}

std::string resolved_value::source_words() const {
  switch (from) {
  case source::flag: return "flag " + of->flag();
  case source::environment: return "environment variable " + of->variable();
  case source::file: return "file " + file;
  case source::fallback: return "default";
  case source::none: break;
  }
  return "not set";
}

std::vector<resolved_value> resolve(verb which, const written_values& flags, const written_values& variables,
                                    const written_values& file, const std::string& file_path) {
  std::vector<resolved_value> result;
  for (const auto& known : settings_of(which)) {
    resolved_value value{&known, source::none, "", ""};
    auto take = [&](const written_values& from, source which_source) {
      auto found = from.find(known.name);
      if (found == from.end())
        return false;
      value.from = which_source;
      value.text = found->second;
      return true;
    };
    if (take(flags, source::flag) || take(variables, source::environment)) {
      // Said where the user is closest.
    } else if (take(file, source::file)) {
      value.file = file_path;
    } else if (!known.fallback.empty()) {
      value.from = source::fallback;
      value.text = known.fallback;
    }
    result.push_back(std::move(value));
  }
  return result;
}

} // namespace troupe
