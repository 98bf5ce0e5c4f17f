/// \file
/// One of Troupe's messages as one string: what an RPC takes as argument and gives as result.
#pragma once

#include <troupe/message_codec.hpp>

#include <optional>
#include <string>

namespace guest {

/// `u16 type | u32 group | u32 CRC-32C of the head | u32 size of the head | head | tail`, little-endian.
[[nodiscard]] std::string to_bytes(const troupe::encoded_message& message);

/// Reads it back. Nothing, if it is not exactly what `to_bytes` made: the head is checked here, each run of entries by
/// the checksum that its leader gave it.
[[nodiscard]] std::optional<troupe::peer_message> from_bytes(std::string bytes);

} // namespace guest
