/// \file
/// Fixed-width little-endian fields, written and read back with a check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

/// Appends fields to a string.
class byte_writer {
public:
  template <class Int>
  byte_writer& put(Int value) {
    auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(Int); ++i, bits >>= 8)
      bytes_.push_back(static_cast<char>(bits & 0xff));
    return *this;
  }

  /// A length and that many bytes.
  byte_writer& put_bytes(std::string_view bytes) {
    put(static_cast<std::uint32_t>(bytes.size()));
    bytes_ += bytes;
    return *this;
  }

  /// Bytes as they are.
  byte_writer& append(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  [[nodiscard]] std::string_view so_far() const { return bytes_; }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
  std::string bytes_;
};

/// Takes fields off the front of a text. What is not there reads as zero or empty, and `is_whole` is false from then
/// on.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : rest_{bytes} {}

  template <class Int>
  [[nodiscard]] Int take() {
    std::uint64_t bits = 0;
    const auto field = take_bytes(sizeof(Int));
    for (std::size_t i = field.size(); i > 0; --i)
      bits = bits << 8 | static_cast<unsigned char>(field[i - 1]);
    return static_cast<Int>(bits);
  }

  [[nodiscard]] std::string_view take_bytes(std::size_t count) {
    if (count > rest_.size()) {
      is_whole_ = false;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  /// What `put_bytes` wrote.
  [[nodiscard]] std::string_view take_sized() { return take_bytes(take<std::uint32_t>()); }

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

private:
  std::string_view rest_;
  bool is_whole_ = true;
};
