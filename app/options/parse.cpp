#include "app/options/parse.hpp"

#include "app/options/checks.hpp"
#include "app/options/help.hpp"
#include "app/options/log_verb.hpp"
#include "app/options/nearest.hpp"
#include "app/options/shown.hpp"
#include "app/options/sim_verb.hpp"

#include <optional>

namespace troupe {

namespace {

std::optional<verb> verb_named(std::string_view name) {
  for (auto each : all_verbs)
    if (name == name_of(each))
      return each;
  return std::nullopt;
}

early_end usage_error(std::string_view program, const std::vector<std::string>& wrong) {
  std::string text;
  for (const auto& each : wrong)
    text += std::string{program} + ": " + each + '\n';
  return {exit_code::usage, text + "Nothing was started. See " + std::string{program} + " --help\n"};
}

std::vector<std::string> take_all(program_options& options, const std::vector<resolved_value>& values) {
  std::vector<std::string> wrong;
  for (const auto& each : values)
    if (each.from != source::none)
      if (auto fault = each.of->take(options, each.text))
        wrong.push_back(each.of->name + ": " + shown(each.text) + " (" + each.source_words() + ") " + *fault
                        + "; accepted: " + each.of->accepted);
  return wrong;
}

std::vector<std::string> missing(const std::vector<resolved_value>& values) {
  std::vector<std::string> wrong;
  for (const auto& each : values)
    if (each.of->required && each.from == source::none)
      wrong.push_back(each.of->name + ": not set; give " + each.of->flag() + " " + each.of->value_name + " or "
                      + each.of->variable() + "; accepted: " + each.of->accepted);
  return wrong;
}

std::vector<std::string> fit_together(program_options& options, std::vector<resolved_value>& values) {
  if (auto node = std::get_if<node_settings>(&options)) {
    derive(*node, values);
    return misfits(*node, values);
  }
  if (auto demo = std::get_if<demo_settings>(&options); demo && demo->once && demo->peers < 3)
    return {"once: needs at least 3 peers to go on without one, and has " + std::to_string(demo->peers)};
  return {};
}

std::variant<program_options, early_end> parse_verb(verb which, const std::vector<std::string>& arguments,
                                                    const surroundings& world) {
  auto program = "troupe " + std::string{name_of(which)};
  auto flags = collect_flags(which, arguments);
  if (flags.help)
    return early_end{exit_code::ok, verb_help(which)};
  auto variables = collect_variables(which, world);
  for (const auto& each : variables.doubtful)
    world.warn(program + ": " + each);
  auto path = flags.config.empty() ? world.variable("TROUPE_CONFIG").value_or("") : flags.config;
  auto file = path.empty() ? collected_file{} : collect_file(which, path, world);
  if (flags.config.empty())
    for (auto& each : file.wrong)
      each += " (environment variable TROUPE_CONFIG names it)";
  auto unread = flags.wrong;
  unread.insert(unread.end(), variables.wrong.begin(), variables.wrong.end());
  unread.insert(unread.end(), file.wrong.begin(), file.wrong.end());
  if (!unread.empty())
    return usage_error(program, unread);

  auto values = resolve(which, flags.values, variables.values, file.values, path);
  auto options = blank_options(which);
  auto wrong = take_all(options, values);
  if (wrong.empty())
    wrong = fit_together(options, values);
  if (wrong.empty() && flags.print_config)
    return early_end{exit_code::ok, printed_config(which, values)};
  if (wrong.empty())
    wrong = missing(values);
  if (!wrong.empty())
    return usage_error(program, wrong);
  return options;
}

} // namespace

std::variant<program_options, early_end> parse_command_line(const std::vector<std::string>& arguments,
                                                            const surroundings& world) {
  if (arguments.empty())
    return early_end{exit_code::usage, general_help()};
  const auto& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help")
    return early_end{exit_code::ok, general_help()};
  if (first == "--version")
    return early_end{exit_code::ok, "troupe " TROUPE_VERSION "\n"};
  if (auto which = verb_named(first))
    return parse_verb(*which, {arguments.begin() + 1, arguments.end()}, world);
  if (first == "log")
    return parse_log({arguments.begin() + 1, arguments.end()});
  if (first == "sim")
    return parse_sim({arguments.begin() + 1, arguments.end()});
  const std::vector<std::string> known{"node", "demo", "status", "log", "sim", "--help", "--version"};
  const auto near = nearest(first, known);
  return usage_error("troupe",
                     {shown(first) + " is neither a verb nor a flag known here"
                      + (near->is_close ? "; did you mean " + near->name + "?" : "")
                      + "; accepted: node, demo, status, log, sim, --help, --version"});
}

} // namespace troupe
