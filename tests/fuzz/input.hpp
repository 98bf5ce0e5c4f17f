/// \file
/// What a fuzzer gives a target: a few bytes that choose how, and the bytes to be understood.
#pragma once

#include "troupe/assert.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::fuzz {

/// Takes choices from the front of an input; what is not there counts as zero.
class input {
public:
  input(const std::uint8_t* bytes, std::size_t size) : rest_{reinterpret_cast<const char*>(bytes), size} {}

  [[nodiscard]] std::uint8_t byte() {
    const auto text = bytes(1);
    return text.empty() ? 0 : static_cast<std::uint8_t>(text.front());
  }

  /// At most `count` bytes.
  [[nodiscard]] std::string_view bytes(std::size_t count) {
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  [[nodiscard]] std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i)
      value |= std::uint64_t{byte()} << (8 * i);
    return value;
  }

  [[nodiscard]] std::string_view rest() { return bytes(rest_.size()); }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

private:
  std::string_view rest_;
};

/// Cuts bytes as a network might: each piece is a buffer of its own, gone when the next one comes, so that whoever kept
/// a view of it is found. `how` decides the sizes; the same `how` cuts the same way.
class pieces {
public:
  pieces(std::string_view bytes, std::uint8_t how) : rest_{bytes}, state_{how + 1u} {}

  [[nodiscard]] bool any() const { return !rest_.empty(); }

  [[nodiscard]] std::vector<char> next() {
    state_ = state_ * 1'103'515'245u + 12'345u;
    // Mostly a few bytes, now and then many.
    const auto most = state_ >> 30 == 0 ? std::size_t{300} : std::size_t{9};
    const auto size = std::min<std::size_t>(rest_.size(), 1 + (state_ >> 8) % most);
    const std::vector<char> piece(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(size));
    rest_.remove_prefix(size);
    return piece;
  }

private:
  std::string_view rest_;
  std::uint32_t state_;
};

[[nodiscard]] inline std::string_view view(const std::vector<char>& bytes) {
  return {bytes.data(), bytes.size()};
}

} // namespace troupe::fuzz
