/// \file
/// What a simulated Redis client says for an operation of the key-value store, and how the operation is known again.
#pragma once

#include "troupe/dice.hpp"
#include "troupe/types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// A Redis command, word by word, that asks for what `content` (app/kv/command.hpp: one key) asks of the store. The
/// operation's number stands in front of the key, `17:k1`: so it travels through parser and conversation to the peer.
/// Where Redis has several ways to say something, chance picks one.
[[nodiscard]] std::vector<std::string> redis_words(operation_id id, std::string_view content, dice& chance);

/// The words as bytes on a connection: an array of bulk strings, or, by chance and if they are plain, an inline
/// command.
[[nodiscard]] std::string redis_bytes(const std::vector<std::string>& words, dice& chance);

/// Takes the number off the key of a command for the store again. Nothing if there is none.
[[nodiscard]] std::optional<std::pair<operation_id, std::string>> without_number(std::string_view content);

} // namespace troupe
