/// \file
/// From what a client asks to what the state machine is asked.
#pragma once

#include "app/kv/command.hpp"
#include "app/resp/commands.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace troupe::resp {

/// A client's command, understood. `encode` makes it the content of an entry.
struct operation_plan {
  kv::opcode code;
  std::uint8_t flags = 0; ///< SET's.
  std::int64_t delta = 0; ///< Of INCR and its kin.
};

/// Understands a command of the state machine; its arity is checked already. The other possibility is the text of an
/// error that does not depend on the state: then nothing needs to be replicated.
[[nodiscard]] std::variant<operation_plan, std::string_view> plan(verb what,
                                                                  std::span<const std::string_view> arguments);

/// Appends the entry content. `arguments` are those the plan was made from.
void encode(const operation_plan& plan, std::span<const std::string_view> arguments, std::string& out);

/// Upper bound of what `encode` appends.
[[nodiscard]] std::size_t encoded_bytes(std::span<const std::string_view> arguments);

} // namespace troupe::resp
