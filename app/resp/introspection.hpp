/// \file
/// COMMAND: what redis-cli and client libraries ask to learn which commands there are.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace troupe::resp {

/// Appends the reply to COMMAND and its subcommands COUNT, DOCS, INFO, LIST.
void describe_commands(bool resp3, std::span<const std::string_view> arguments, std::string& out);

/// `ERR unknown subcommand 'x'. Try COMMAND HELP.`; `container` is upper case.
[[nodiscard]] std::string unknown_subcommand(std::string_view subcommand, std::string_view container);

/// Announces a map of `pairs` pairs: in RESP2 that is an array of twice as many values.
void append_map(std::string& out, bool resp3, std::size_t pairs);

} // namespace troupe::resp
