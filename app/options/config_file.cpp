// Settings from a TOML file.
#include "app/options/shown.hpp"
#include "app/options/sources.hpp"
#include "app/options/unknown_name.hpp"

#include <toml++/toml.h>

#include <algorithm>

namespace troupe {

namespace {

std::optional<std::string> written(const toml::node& value) {
  if (auto text = value.value_exact<std::string>())
    return text;
  if (auto count = value.value_exact<std::int64_t>())
    return std::to_string(*count);
  if (auto toggle = value.value_exact<bool>())
    return *toggle ? "true" : "false";
  return std::nullopt;
}

/// A file of Windows's own encoding is no TOML at its first byte; say what it is.
bool is_utf16(std::string_view text) {
  return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
}

} // namespace

collected_file collect_file(verb which, const std::string& path, const surroundings& world) {
  collected_file result;
  const auto file = "file " + in_plain(path);
  const auto contents = world.read_file(path);
  if (contents.wrong) {
    result.wrong.push_back(file + " cannot be read: " + *contents.wrong);
    return result;
  }
  if (is_utf16(contents.text)) {
    result.wrong.push_back(file + " is in UTF-16; save it as UTF-8");
    return result;
  }
  const auto known = settings_of(which);
  try {
    const auto table = toml::parse(std::string_view{contents.text}, std::string_view{path});
    for (const auto& [key, value] : table) {
      const auto name = std::string{key.str()};
      const auto line = file + ", line " + std::to_string(value.source().begin.line) + ": ";
      if (std::none_of(known.begin(), known.end(), [&](const setting& each) { return each.name == name; }))
        result.wrong.push_back(line + "'" + in_plain(name) + "' is no setting of troupe " + std::string{name_of(which)}
                               + instead_of(name, which, [](const setting& each) { return each.name; }, {}));
      else if (auto text = written(value))
        result.values.emplace(name, std::move(*text));
      else
        result.wrong.push_back(line + "'" + name + "' is neither a string, an integer nor a boolean");
    }
  } catch (const toml::parse_error& error) {
    result.wrong.push_back(file + ", line " + std::to_string(error.source().begin.line) + ": not TOML: "
                           + std::string{error.description()} + "; accepted: lines such as heartbeat = \"100ms\"");
  }
  return result;
}

} // namespace troupe
