#include "app/options/sources.hpp"

#include "app/options/nearest.hpp"
#include "app/options/unknown_name.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace troupe {

namespace {

constexpr std::string_view prefix = "TROUPE_";
constexpr std::size_t longest_file = std::size_t{1} << 20;

std::vector<std::string> names_in_environment() {
  std::vector<std::string> names;
  for (auto each = ::environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view line{*each};
    names.emplace_back(line.substr(0, line.find('=')));
  }
  return names;
}

file_contents read_real_file(const std::string& path) {
  std::error_code fault;
  if (std::filesystem::is_directory(path, fault))
    return {"", "is a directory"};
  errno = 0;
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return {"", std::strerror(errno)};
  std::string text(longest_file + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad())
    return {"", std::strerror(errno)};
  if (text.size() > longest_file)
    return {"", "is longer than 1 MiB, which no file with settings is"};
  return {std::move(text), std::nullopt};
}

/// Orchestrators tell every process where the services are; one may be called troupe, or troupe-client. Then there is
/// TROUPE_CLIENT_SERVICE_HOST, TROUPE_CLIENT_PORT_7001_TCP, and TROUPE_CLIENT_PORT=tcp://10.0.0.1:7001.
bool is_of_an_orchestrator(const std::string& name, const surroundings& world) {
  const auto port = name.find("_PORT_");
  const auto is_url = [&] { return world.variable(name).value_or("").find("://") != std::string::npos; };
  return name.find("_SERVICE_HOST") != name.npos || name.find("_SERVICE_PORT") != name.npos
      || (name.ends_with("_PORT") && is_url())
      || (port != name.npos && port + 6 < name.size() && std::isdigit(static_cast<unsigned char>(name[port + 6])) != 0);
}

bool is_known_to_any_verb(std::string_view name) {
  for (const auto which : all_verbs) {
    const auto known = settings_of(which);
    if (std::any_of(known.begin(), known.end(), [&](const setting& each) { return each.variable() == name; }))
      return true;
  }
  return name == "TROUPE_CONFIG";
}

/// Names are compared without what all of them begin with, or any two would be near.
void judge_unknown(std::string_view name, collected_variables& into) {
  std::vector<std::string> known{"CONFIG"};
  for (const auto which : all_verbs)
    for (const auto& each : settings_of(which))
      known.push_back(each.variable().substr(prefix.size()));
  const auto near = nearest(name.substr(prefix.size()), known);
  const auto words = "environment variable " + std::string{name} + " is no setting of troupe";
  const auto meant = std::string{prefix} + near->name;
  if (near->is_close)
    into.wrong.push_back(words + "; did you mean " + meant + "? Correct it or unset it");
  else
    into.doubtful.push_back(words + " and changes nothing; the nearest is " + meant);
}

} // namespace

surroundings real_surroundings() {
  return {[](const std::string& name) -> std::optional<std::string> {
            const auto* value = std::getenv(name.c_str());
            return value ? std::optional<std::string>{value} : std::nullopt;
          },
          names_in_environment, read_real_file, [](const std::string& line) { std::cerr << line << '\n'; }};
}

collected_variables collect_variables(verb which, const surroundings& world) {
  collected_variables result;
  for (const auto& known : settings_of(which))
    if (auto value = world.variable(known.variable()); value && !value->empty())
      result.values.emplace(known.name, std::move(*value));
  auto names = world.variable_names();
  std::sort(names.begin(), names.end());
  for (const auto& name : names)
    if (name.starts_with(prefix) && !is_known_to_any_verb(name) && !is_of_an_orchestrator(name, world))
      judge_unknown(name, result);
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
