#include "app/resp/introspection.hpp"

#include "app/kv/reply.hpp"
#include "app/resp/commands.hpp"

#include <vector>

namespace troupe::resp {

namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  auto words = std::vector<std::string_view>{};
  while (!text.empty()) {
    const auto end = text.find(' ');
    words.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return words;
}

void append_set(std::string& out, bool resp3, std::size_t count) {
  reply::append_header(out, resp3 ? '~' : '*', static_cast<std::int64_t>(count));
}

/// The ten fields of Redis 7. What only matters to clusters and to access control is left empty.
void append_command(std::string& out, bool resp3, const command_description& one) {
  reply::append_array(out, 10);
  reply::append_bulk(out, one.name);
  reply::append_integer(out, one.arity);
  const auto flags = words_of(one.flags);
  append_set(out, resp3, flags.size());
  for (const auto flag : flags)
    reply::append_status(out, flag);
  reply::append_integer(out, one.first_key);
  reply::append_integer(out, one.last_key);
  reply::append_integer(out, one.key_step);
  append_set(out, resp3, 1);
  reply::append_status(out, "@" + std::string{one.group == "generic" ? "keyspace" : one.group});
  append_set(out, resp3, 0);
  append_set(out, resp3, 0);
  append_set(out, resp3, 0);
}

void append_docs(std::string& out, bool resp3, const command_description& one) {
  reply::append_bulk(out, one.name);
  append_map(out, resp3, 3);
  reply::append_bulk(out, "summary");
  reply::append_bulk(out, one.summary);
  reply::append_bulk(out, "since");
  reply::append_bulk(out, "1.0.0");
  reply::append_bulk(out, "group");
  reply::append_bulk(out, one.group);
}

void append_all_docs(std::string& out, bool resp3, std::span<const std::string_view> names) {
  auto chosen = std::vector<const command_description*>{};
  if (names.empty())
    for (const auto& one : all_commands())
      chosen.push_back(&one);
  for (const auto name : names)
    if (const auto* one = find_command(name))
      chosen.push_back(one);
  append_map(out, resp3, chosen.size());
  for (const auto* one : chosen)
    append_docs(out, resp3, *one);
}

void append_all_commands(std::string& out, bool resp3, std::span<const std::string_view> names) {
  reply::append_array(out, names.empty() ? all_commands().size() : names.size());
  if (names.empty())
    for (const auto& one : all_commands())
      append_command(out, resp3, one);
  for (const auto name : names)
    if (const auto* one = find_command(name))
      append_command(out, resp3, *one);
    else
      out += resp3 ? "_\r\n" : reply::null;
}

} // namespace

void append_map(std::string& out, bool resp3, std::size_t pairs) {
  reply::append_header(out, resp3 ? '%' : '*', static_cast<std::int64_t>(resp3 ? pairs : 2 * pairs));
}

std::string unknown_subcommand(std::string_view subcommand, std::string_view container) {
  auto text = std::string{"ERR unknown subcommand '"};
  text += subcommand.substr(0, 128);
  return text.append("'. Try ").append(container).append(" HELP.");
}

void describe_commands(bool resp3, std::span<const std::string_view> arguments, std::string& out) {
  if (arguments.size() == 1)
    return append_all_commands(out, resp3, {});
  const auto subcommand = arguments[1];
  const auto rest = arguments.subspan(2);
  if (is_word(subcommand, "info"))
    return append_all_commands(out, resp3, rest);
  if (is_word(subcommand, "docs"))
    return append_all_docs(out, resp3, rest);
  if (is_word(subcommand, "count")) {
    if (!rest.empty())
      return reply::append_error(out, wrong_arity("command|count"));
    return reply::append_integer(out, static_cast<std::int64_t>(all_commands().size()));
  }
  if (is_word(subcommand, "list")) {
    if (!rest.empty())
      return reply::append_error(out, "ERR syntax error");
    reply::append_array(out, all_commands().size());
    for (const auto& one : all_commands())
      reply::append_bulk(out, one.name);
    return;
  }
  reply::append_error(out, unknown_subcommand(subcommand, "COMMAND"));
}

} // namespace troupe::resp
