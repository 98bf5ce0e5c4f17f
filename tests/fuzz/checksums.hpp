/// \file
/// Mends the checksums of mutated bytes, so that a fuzzer gets behind them. Written from the formats as frame.hpp and
/// codec.cpp describe them, not from the code that is fuzzed.
#pragma once

#include "troupe/message_codec.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace troupe::fuzz {

[[nodiscard]] inline std::uint32_t load(std::span<const char> at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at.data(), sizeof value);
  return value;
}

inline void store(std::span<char> at, std::uint32_t value) {
  std::memcpy(at.data(), &value, sizeof value);
}

[[nodiscard]] inline std::string_view view(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

/// Gives every payload in the tail of an append_entries or forward message the checksum it should have.
inline void mend_payloads(std::uint16_t type, std::span<char> head, std::span<char> tail) {
  constexpr std::size_t entries_fields = 24 + 4 + 8 + 16 + 8 + 8 + 4;
  constexpr std::size_t batch_fields = 8 + 8 + 4 + 8 + 4 + 4;
  constexpr std::size_t forward_fields = 24 + 8 + 1 + 4;
  if (type == static_cast<std::uint16_t>(message_type::forward) && head.size() >= forward_fields + 8)
    store(head.subspan(forward_fields), crc32c(view(tail)));
  if (type != static_cast<std::uint16_t>(message_type::append_entries))
    return;
  for (auto at = entries_fields; at + batch_fields <= head.size(); at += batch_fields) {
    // A size that claims too much gets the checksum of what is there: whoever believes it is found.
    const auto size = std::min<std::size_t>(load(head.subspan(at + 32)), tail.size());
    store(head.subspan(at + 28), crc32c(view(tail.first(size))));
    tail = tail.subspan(size);
  }
}

/// Gives every frame of a stream the checksum it should have, and, if wanted, its payloads too.
inline void mend_frames(std::span<char> stream, bool payloads) {
  constexpr std::size_t header = 20;
  while (stream.size() >= header) {
    const std::size_t length = load(stream);
    const std::size_t head_length = load(stream.subspan(16));
    if (head_length > length || length > stream.size() - header)
      return;
    std::uint16_t type = 0;
    std::memcpy(&type, stream.data() + 8, sizeof type);
    const auto head = stream.subspan(header, head_length);
    if (payloads)
      mend_payloads(type, head, stream.subspan(header + head_length, length - head_length));
    auto sum = crc32c(view(stream.first(4)));
    sum = crc32c(view(stream.subspan(8, header - 8)), sum);
    store(stream.subspan(4), crc32c(view(head), sum));
    stream = stream.subspan(header + length);
  }
}

} // namespace troupe::fuzz
