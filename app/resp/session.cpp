#include "app/resp/session.hpp"

#include "app/kv/integer.hpp"
#include "app/kv/reply.hpp"
#include "app/resp/introspection.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

namespace troupe::resp {

namespace {

using words = std::span<const std::string_view>;

constexpr std::string_view syntax_error = "ERR syntax error";
constexpr std::string_view bad_name = "ERR Client names cannot contain spaces, newlines or special characters.";
constexpr std::string_view wrong_password = "WRONGPASS invalid username-password pair or user is disabled.";

/// Bytes that the node made itself for people to read: a plain bulk string, or RESP3's verbatim one.
void append_text(std::string& out, bool resp3, std::string_view text) {
  if (!resp3)
    return reply::append_bulk(out, text);
  reply::append_header(out, '=', static_cast<std::int64_t>(text.size() + 4));
  out.append("txt:").append(text).append("\r\n");
}

void append_null(std::string& out, bool resp3) {
  out += resp3 ? "_\r\n" : reply::null;
}

/// Printable and without blanks: a name stands in a line of CLIENT LIST.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

void ping(const session&, words arguments, std::string& out) {
  if (arguments.size() > 2)
    reply::append_error(out, wrong_arity("ping"));
  else if (arguments.size() == 2)
    reply::append_bulk(out, arguments[1]);
  else
    reply::append_status(out, "PONG");
}

void select(words arguments, std::string& out) {
  const auto number = strict_integer(arguments[1]);
  if (!number)
    reply::append_error(out, "ERR value is not an integer or out of range");
  else if (*number < std::numeric_limits<std::int32_t>::min() || *number > std::numeric_limits<std::int32_t>::max())
    reply::append_error(out, "ERR value is out of range, value must between -2147483648 and 2147483647");
  else if (*number != 0)
    reply::append_error(out, "ERR DB index is out of range");
  else
    out += reply::ok;
}

/// There are no passwords: as in a Redis without any, the user `default` may come with whatever password he has.
void auth(words arguments, std::string& out) {
  if (arguments.size() > 3)
    reply::append_error(out, syntax_error);
  else if (arguments.size() == 2)
    reply::append_error(out,
                        "ERR AUTH <password> called without any password configured for the default user. Are you "
                        "sure your configuration is correct?");
  else if (arguments[1] != "default")
    reply::append_error(out, wrong_password);
  else
    out += reply::ok;
}

void append_greeting(const session& client, std::string& out) {
  append_map(out, client.resp3, 7);
  reply::append_bulk(out, "server");
  reply::append_bulk(out, "redis");
  reply::append_bulk(out, "version");
  reply::append_bulk(out, "7.0.15");
  reply::append_bulk(out, "proto");
  reply::append_integer(out, client.resp3 ? 3 : 2);
  reply::append_bulk(out, "id");
  reply::append_integer(out, static_cast<std::int64_t>(client.who.id));
  reply::append_bulk(out, "mode");
  reply::append_bulk(out, "standalone");
  reply::append_bulk(out, "role");
  reply::append_bulk(out, "master");
  reply::append_bulk(out, "modules");
  reply::append_array(out, 0);
}

void hello(session& client, words arguments, std::string& out) {
  auto version = std::optional<std::int64_t>{};
  if (arguments.size() > 1) {
    version = strict_integer(arguments[1]);
    if (!version)
      return reply::append_error(out, "ERR Protocol version is not an integer or out of range");
    if (*version != 2 && *version != 3)
      return reply::append_error(out, "NOPROTO unsupported protocol version");
  }
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const auto more = arguments.size() - 1 - i;
    if (is_word(arguments[i], "auth") && more >= 2) {
      if (arguments[i + 1] != "default")
        return reply::append_error(out, wrong_password);
      i += 2;
    } else if (is_word(arguments[i], "setname") && more >= 1) {
      if (!is_plain(arguments[i + 1]))
        return reply::append_error(out, bad_name);
      client.name = arguments[++i];
    } else {
      auto text = std::string{"ERR Syntax error in HELLO option '"};
      return reply::append_error(out, text.append(arguments[i]).append("'"));
    }
  }
  if (version)
    client.resp3 = *version == 3;
  append_greeting(client, out);
}

/// Redis's glob, as far as settings are asked for by it: `*` and `?`.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  auto star = std::string_view::npos;
  std::size_t from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(), [](char c) { return c == '*'; });
}

void config(const session& client, const surroundings& around, words arguments, std::string& out) {
  if (!is_word(arguments[1], "get"))
    return reply::append_error(out, unknown_subcommand(arguments[1], "CONFIG"));
  if (arguments.size() < 3)
    return reply::append_error(out, wrong_arity("config|get"));
  // A name that is asked for outright is shown as it was written, as Redis does it.
  auto shown = std::vector<std::pair<std::string_view, std::string_view>>{};
  for (const auto& [name, value] : around.settings())
    for (const auto asked : arguments.subspan(2))
      if (matches(lower_case(asked), name)) {
        shown.emplace_back(asked.size() == name.size() && is_word(asked, name) ? asked : std::string_view{name}, value);
        break;
      }
  append_map(out, client.resp3, shown.size());
  for (const auto& [name, value] : shown) {
    reply::append_bulk(out, name);
    reply::append_bulk(out, value);
  }
}

void client_setname(session& client, words arguments, std::string& out) {
  if (!is_plain(arguments[2]))
    return reply::append_error(out, bad_name);
  client.name = arguments[2];
  out += reply::ok;
}

void client_getname(session& client, words, std::string& out) {
  if (client.name.empty())
    append_null(out, client.resp3);
  else
    reply::append_bulk(out, client.name);
}

void client_setinfo(session& client, words arguments, std::string& out) {
  const auto is_name = is_word(arguments[2], "lib-name");
  if (!is_name && !is_word(arguments[2], "lib-ver"))
    return reply::append_error(out, std::string{"ERR Unrecognized option '"}.append(arguments[2]).append("'"));
  if (!is_plain(arguments[3]))
    return reply::append_error(out,
                               std::string{"ERR "}
                                   .append(is_name ? "lib-name" : "lib-ver")
                                   .append(" cannot contain spaces, newlines or special characters."));
  (is_name ? client.library_name : client.library_version) = arguments[3];
  out += reply::ok;
}

void client_switch(session&, words arguments, std::string& out) {
  if (is_word(arguments[2], "on") || is_word(arguments[2], "off"))
    out += reply::ok;
  else
    reply::append_error(out, syntax_error);
}

void client_reply(session&, words arguments, std::string& out) {
  if (is_word(arguments[2], "on"))
    out += reply::ok;
  else if (is_word(arguments[2], "off") || is_word(arguments[2], "skip"))
    reply::append_error(out, "ERR CLIENT REPLY OFF and SKIP are not supported");
  else
    reply::append_error(out, syntax_error);
}

void client_command(session& client, const surroundings& around, words arguments, std::string& out) {
  struct subcommand {
    std::string_view name;
    std::size_t arity;
    void (*run)(session&, words, std::string&);
  };
  static constexpr subcommand all[] = {
      {"setname", 3, client_setname},
      {"getname", 2, client_getname},
      {"setinfo", 4, client_setinfo},
      {"no-evict", 3, client_switch},
      {"no-touch", 3, client_switch},
      {"reply", 3, client_reply},
      {"id", 2,
       [](session& c, words, std::string& o) { reply::append_integer(o, static_cast<std::int64_t>(c.who.id)); }},
  };
  for (const auto& one : all)
    if (is_word(arguments[1], one.name)) {
      if (arguments.size() != one.arity)
        return reply::append_error(out, wrong_arity("client|" + std::string{one.name}));
      return one.run(client, arguments, out);
    }
  if (is_word(arguments[1], "info")) {
    if (arguments.size() != 2)
      return reply::append_error(out, wrong_arity("client|info"));
    return append_text(out, client.resp3, client.description(around.now()));
  }
  if (is_word(arguments[1], "list")) {
    if (arguments.size() != 2)
      return reply::append_error(out, syntax_error);
    return append_text(out, client.resp3, around.client_list());
  }
  reply::append_error(out, unknown_subcommand(arguments[1], "CLIENT"));
}

} // namespace

std::string session::description(instant now) const {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - who.since).count();
  auto text = "id=" + std::to_string(who.id);
  text += " addr=" + who.address + " laddr=" + who.local_address + " name=" + name;
  text += " age=" + std::to_string(age) + " flags=N db=0 user=default";
  text += " lib-name=" + library_name + " lib-ver=" + library_version;
  text += resp3 ? " resp=3\n" : " resp=2\n";
  return text;
}

void carry_out_locally(session& client, const surroundings& around, const command_description& command,
                       std::span<const std::string_view> arguments, std::string& out) {
  switch (command.what) {
  case verb::ping: return ping(client, arguments, out);
  case verb::echo: return reply::append_bulk(out, arguments[1]);
  case verb::quit: out += reply::ok; return;
  case verb::hello: return hello(client, arguments, out);
  case verb::auth: return auth(arguments, out);
  case verb::select: return select(arguments, out);
  case verb::command: return describe_commands(client.resp3, arguments, out);
  case verb::config: return config(client, around, arguments, out);
  case verb::client: return client_command(client, around, arguments, out);
  default: break;
  }
  TROUPE_ASSERT(false, "only commands that a node answers alone are carried out locally");
}

} // namespace troupe::resp
