/// \file
/// Fixed-width little-endian numbers, written to and read from the wire. Reading is total: whatever the bytes are, a
/// reader says at the end whether they were exactly what was asked for.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// Appends numbers to a string.
class wire_writer {
public:
  explicit wire_writer(std::string& out) : out_{out} {}

  template <std::unsigned_integral T>
  wire_writer& put(T value) {
    char bytes[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
    out_.append(bytes, sizeof(T));
    return *this;
  }

  wire_writer& flag(bool value) { return put(static_cast<std::uint8_t>(value)); }

  /// A length (u16, so at most 65,535 bytes) and that many bytes.
  wire_writer& text(std::string_view value) {
    put(static_cast<std::uint16_t>(value.size()));
    out_ += value;
    return *this;
  }

private:
  std::string& out_;
};

/// Takes numbers from the front of a view. Once a byte is missing every further read gives zero, and `complete` is
/// false.
class wire_reader {
public:
  explicit wire_reader(std::string_view bytes) : rest_{bytes} {}

  template <std::unsigned_integral T>
  [[nodiscard]] T take() {
    const auto bytes = take_bytes(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return static_cast<T>(value);
  }

  /// A byte that is 0 or 1; any other counts as missing.
  [[nodiscard]] bool flag() {
    const auto value = take<std::uint8_t>();
    sound_ = sound_ && value <= 1;
    return value == 1;
  }

  /// Exactly `count` bytes, or none if there are fewer.
  [[nodiscard]] std::string_view take_bytes(std::size_t count) {
    if (!sound_ || rest_.size() < count) {
      sound_ = false;
      return {};
    }
    const auto bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }

  [[nodiscard]] std::string_view text() { return take_bytes(take<std::uint16_t>()); }

  /// Bytes not taken yet.
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

  /// Everything asked for was there.
  [[nodiscard]] bool sound() const { return sound_; }

  /// Everything asked for was there, and nothing is left over.
  [[nodiscard]] bool complete() const { return sound_ && rest_.empty(); }

private:
  std::string_view rest_;
  bool sound_ = true;
};

} // namespace troupe
