/// \file
/// Which commands there are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace troupe::resp {

/// A command by what it is, so that code can switch on it.
enum class verb : std::uint8_t {
  ping,
  echo,
  quit,
  hello,
  auth,
  select,
  command,
  config,
  info,
  client,
  troupe,
  get,
  set,
  setnx,
  getset,
  del,
  exists,
  incr,
  decr,
  incrby,
  decrby,
  append,
  strlen,
  mget,
  mset,
  type,
  dbsize,
};

/// One command as COMMAND describes it.
struct command_description {
  std::string_view name; ///< Lower case.
  verb what;
  /// As Redis counts: the name included; negative for "at least".
  int arity;
  /// Where keys stand among the arguments: first, last (negative: from the end), step. 0: there are none.
  int first_key;
  int last_key;
  int key_step;
  std::string_view flags; ///< Separated by blanks.
  std::string_view group;
  std::string_view summary;

  /// Whether the state machine carries it out; all other ones are answered by the node that is asked.
  [[nodiscard]] bool is_operation() const { return what >= verb::get; }
  [[nodiscard]] bool takes(std::size_t arguments) const {
    return arity >= 0 ? arguments == static_cast<std::size_t>(arity) : arguments >= static_cast<std::size_t>(-arity);
  }
};

/// All commands, in order of `verb`.
[[nodiscard]] std::span<const command_description> all_commands();

/// Finds a command by its name, whatever its case; null if there is none.
[[nodiscard]] const command_description* find_command(std::string_view name);

/// Whether `text` is `word` (lower case), whatever the case of `text`.
[[nodiscard]] bool is_word(std::string_view text, std::string_view word);
[[nodiscard]] std::string lower_case(std::string_view text);

/// `ERR unknown command ...`, in the exact words that clients match.
[[nodiscard]] std::string unknown_command(std::span<const std::string_view> arguments);

/// `ERR wrong number of arguments for ...`; `name` is lower case, a subcommand's is `client|id`.
[[nodiscard]] std::string wrong_arity(std::string_view name);

} // namespace troupe::resp
