#include "app/resp/commands.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace troupe::resp {

namespace {

constexpr std::array<command_description, 27> table{{
    {"ping", verb::ping, -1, 0, 0, 0, "fast", "connection", "Ping the server"},
    {"echo", verb::echo, 2, 0, 0, 0, "fast", "connection", "Echo the given string"},
    {"quit", verb::quit, -1, 0, 0, 0, "noscript loading stale fast no_auth allow_busy", "connection",
     "Close the connection"},
    {"hello", verb::hello, -1, 0, 0, 0, "noscript loading stale fast no_auth allow_busy", "connection",
     "Handshake with the server"},
    {"auth", verb::auth, -2, 0, 0, 0, "noscript loading stale fast no_auth allow_busy", "connection",
     "Authenticate to the server"},
    {"select", verb::select, 2, 0, 0, 0, "loading stale fast", "connection", "Change the selected database: only 0"},
    {"command", verb::command, -1, 0, 0, 0, "loading stale", "server", "Describe the commands"},
    {"config", verb::config, -2, 0, 0, 0, "admin noscript loading stale", "server", "Show settings"},
    {"info", verb::info, -1, 0, 0, 0, "loading stale", "server", "Tell about this node and its part in the cluster"},
    {"client", verb::client, -2, 0, 0, 0, "noscript loading stale", "connection", "Tell about client connections"},
    {"troupe", verb::troupe, -2, 0, 0, 0, "loading stale", "server", "TROUPE STATUS: the node's Raft state as JSON"},
    {"get", verb::get, 2, 1, 1, 1, "readonly fast", "string", "Get the value of a key"},
    {"set", verb::set, -3, 1, 1, 1, "write denyoom", "string", "Set the string value of a key"},
    {"setnx", verb::setnx, 3, 1, 1, 1, "write denyoom fast", "string",
     "Set the value of a key, only if the key does not exist"},
    {"getset", verb::getset, 3, 1, 1, 1, "write denyoom fast", "string",
     "Set the string value of a key and return its old value"},
    {"del", verb::del, -2, 1, -1, 1, "write", "generic", "Delete a key"},
    {"exists", verb::exists, -2, 1, -1, 1, "readonly fast", "generic", "Determine if a key exists"},
    {"incr", verb::incr, 2, 1, 1, 1, "write denyoom fast", "string", "Increment the integer value of a key by one"},
    {"decr", verb::decr, 2, 1, 1, 1, "write denyoom fast", "string", "Decrement the integer value of a key by one"},
    {"incrby", verb::incrby, 3, 1, 1, 1, "write denyoom fast", "string",
     "Increment the integer value of a key by the given amount"},
    {"decrby", verb::decrby, 3, 1, 1, 1, "write denyoom fast", "string",
     "Decrement the integer value of a key by the given number"},
    {"append", verb::append, 3, 1, 1, 1, "write denyoom fast", "string", "Append a value to a key"},
    {"strlen", verb::strlen, 2, 1, 1, 1, "readonly fast", "string", "Get the length of the value stored in a key"},
    {"mget", verb::mget, -2, 1, -1, 1, "readonly fast", "string", "Get the values of all the given keys"},
    {"mset", verb::mset, -3, 1, -1, 2, "write denyoom", "string", "Set multiple keys to multiple values"},
    {"type", verb::type, 2, 1, 1, 1, "readonly fast", "generic", "Determine the type stored at key"},
    {"dbsize", verb::dbsize, 1, 0, 0, 0, "readonly fast", "server", "Return the number of keys"},
}};

constexpr bool in_order_of_verb() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].what) != i)
      return false;
  return true;
}
static_assert(in_order_of_verb());

constexpr std::size_t longest_name = 15;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

} // namespace

std::span<const command_description> all_commands() {
  return table;
}

const command_description* find_command(std::string_view name) {
  static const auto by_name = [] {
    auto all = std::unordered_map<std::string_view, const command_description*>{};
    for (const auto& one : table)
      all.emplace(one.name, &one);
    return all;
  }();
  if (name.size() > longest_name)
    return nullptr;
  char text[longest_name];
  std::transform(name.begin(), name.end(), text, lower);
  const auto at = by_name.find(std::string_view{text, name.size()});
  return at == by_name.end() ? nullptr : at->second;
}

bool is_word(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char mine, char its) { return lower(mine) == its; });
}

std::string lower_case(std::string_view text) {
  auto result = std::string{text};
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

std::string unknown_command(std::span<const std::string_view> arguments) {
  constexpr std::size_t shown = 128;
  // Redis prints with %s: a NUL ends what is shown of an argument.
  const auto printed = [](std::string_view text, std::size_t most) {
    return text.substr(0, std::min(most, text.find('\0')));
  };
  auto rest = std::string{};
  for (const auto one : arguments.subspan(1)) {
    if (rest.size() >= shown)
      break;
    rest += '\'';
    rest += printed(one, shown - (rest.size() - 1));
    rest += "' ";
  }
  auto text = std::string{"ERR unknown command '"};
  text += printed(arguments.front(), shown);
  text += "', with args beginning with: ";
  return text + rest;
}

std::string wrong_arity(std::string_view name) {
  return "ERR wrong number of arguments for '" + std::string{name} + "' command";
}

} // namespace troupe::resp
