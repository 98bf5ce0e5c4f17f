#include "app/options/value_kinds.hpp"

#include "app/options/units.hpp"

#include <algorithm>

namespace troupe {

setting named(std::string name, std::string section, std::string help) {
  setting result;
  result.name = std::move(name);
  result.section = std::move(section);
  result.help = std::move(help);
  return result;
}

setting a_duration(setting base, duration fallback, duration least, duration most, place<duration> where) {
  base.value_name = "TIME";
  base.fallback = duration_text(fallback);
  base.accepted = "a whole number of us, ms or s from " + duration_text(least) + " to " + duration_text(most)
      + ", such as " + base.fallback;
  base.take = [=](program_options& options, std::string_view text) -> problem {
    auto value = parse_duration(text);
    if (!value)
      return "is not a time with a unit";
    if (*value < least || *value > most)
      return *value < least ? "is too short" : "is too long";
    where(options) = *value;
    return std::nullopt;
  };
  return base;
}

setting a_size(setting base, std::uint64_t fallback, std::uint64_t least, std::uint64_t most,
               place<std::uint64_t> where) {
  base.value_name = "SIZE";
  base.fallback = size_text(fallback);
  base.accepted = "a whole number of B, KiB, MiB or GiB from " + size_text(least) + " to " + size_text(most)
      + ", such as " + base.fallback;
  base.take = [=](program_options& options, std::string_view text) -> problem {
    auto value = parse_size(text);
    if (!value)
      return "is not a size with a unit";
    if (*value < least || *value > most)
      return *value < least ? "is too small" : "is too large";
    where(options) = *value;
    return std::nullopt;
  };
  return base;
}

setting a_count(setting base, std::optional<std::uint64_t> fallback, std::uint64_t least, std::uint64_t most,
                place<std::uint64_t> where) {
  base.value_name = "N";
  base.form = setting::shape::count;
  base.required = !fallback;
  base.fallback = fallback ? std::to_string(*fallback) : "";
  base.accepted = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  base.take = [=](program_options& options, std::string_view text) -> problem {
    auto value = parse_count(text);
    if (!value)
      return "is not a whole number";
    if (*value < least || *value > most)
      return *value < least ? "is too small" : "is too large";
    where(options) = *value;
    return std::nullopt;
  };
  return base;
}

setting a_toggle(setting base, place<bool> where) {
  base.form = setting::shape::toggle;
  base.fallback = "false";
  base.accepted = "true or false";
  base.take = [=](program_options& options, std::string_view text) -> problem {
    if (text != "true" && text != "false")
      return "is neither true nor false";
    where(options) = text == "true";
    return std::nullopt;
  };
  return base;
}

problem take_endpoint(std::string_view text, std::uint16_t least_port, endpoint& target) {
  auto value = parse_endpoint(text);
  if (!value)
    return "is not HOST:PORT with a port up to 65535";
  if (value->port < least_port)
    return "names port 0, at which nobody can be reached";
  target = *value;
  return std::nullopt;
}

setting an_endpoint(setting base, std::uint16_t least_port, place<endpoint> where) {
  base.value_name = "HOST:PORT";
  base.accepted =
      "HOST:PORT with a port from " + std::to_string(least_port) + " to 65535, such as 127.0.0.1:7001 or [::1]:7001";
  base.take = [=](program_options& options, std::string_view text) {
    return take_endpoint(text, least_port, where(options));
  };
  return base;
}

setting a_directory(setting base, std::function<void(program_options&, std::string_view)> put) {
  base.value_name = "DIR";
  base.accepted = "the path of a directory";
  base.take = [put](program_options& options, std::string_view text) -> problem {
    if (text.empty())
      return "is empty";
    if (text.find('\0') != text.npos) // A file can say so; the system would cut the path there.
      return "holds a NUL, which no path does";
    put(options, text);
    return std::nullopt;
  };
  return base;
}

std::string enumerated(const std::vector<std::string>& words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i)
    result += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return result;
}

setting a_choice(setting base, std::vector<std::string> words, std::string fallback,
                 std::function<void(program_options&, std::string_view)> put) {
  for (const auto& each : words)
    base.value_name += (base.value_name.empty() ? "" : "|") + each;
  base.fallback = std::move(fallback);
  base.accepted = enumerated(words);
  base.take = [words, put](program_options& options, std::string_view text) -> problem {
    if (std::find(words.begin(), words.end(), text) == words.end())
      return "is not one of the words known here";
    put(options, text);
    return std::nullopt;
  };
  return base;
}

} // namespace troupe
