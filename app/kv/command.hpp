/// \file
/// How a key-value command looks as the content of a log entry. This is the one place that says it; entries of this
/// form lie in logs on disk, so codes are never given another meaning.
///
///     u8 code | { varint length | bytes } per argument
///
/// A varint holds 7 bits per byte, low bits first; the high bit says that another byte follows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::kv {

/// What to do. Codes below 32 are writes, from 32 on reads.
enum class opcode : std::uint8_t {
  set = 1,     ///< key, value, optionally one byte of `set_flags`.
  set_nx = 2,  ///< key, value. Answers 1 if it was set, else 0.
  get_set = 3, ///< key, value. Answers the old value.
  del = 4,     ///< one or more keys.
  add = 5,     ///< key, delta (8 bytes, little-endian, two's complement): INCR, DECR, INCRBY, DECRBY.
  append = 6,  ///< key, suffix.
  mset = 7,    ///< one or more of key, value.
  get = 32,    ///< key.
  exists = 33, ///< one or more keys, each counted as often as it is named.
  strlen = 34, ///< key.
  mget = 35,   ///< one or more keys.
  type = 36,   ///< key.
  dbsize = 37, ///< nothing.
};

[[nodiscard]] constexpr bool is_read(opcode code) {
  return static_cast<std::uint8_t>(code) >= 32;
}

/// Options of SET, combined by or.
enum set_flags : std::uint8_t {
  set_if_absent = 1,  ///< NX
  set_if_present = 2, ///< XX
  set_and_get = 4,    ///< GET: answers the old value, whether or not the new one was set.
};

/// A value grows no longer than this; Redis's own text refuses what would.
inline constexpr std::size_t max_value_bytes = std::size_t{16} << 20;

/// An answer grows no longer than this, so that it fits in one frame between nodes.
inline constexpr std::size_t max_answer_bytes = std::size_t{32} << 20;

/// Encoding: one `append_opcode`, then an `append_argument` for each argument.
inline void append_opcode(std::string& out, opcode code) {
  out += static_cast<char>(code);
}
void append_argument(std::string& out, std::string_view argument);
/// What comes before an argument's bytes.
void append_length(std::string& out, std::size_t length);
/// The delta of `opcode::add`.
void append_delta(std::string& out, std::int64_t delta);

/// Upper bound of what an argument of `size` bytes takes when encoded.
[[nodiscard]] constexpr std::size_t encoded_argument_bytes(std::size_t size) {
  return size + 10;
}

/// Walks an encoded command. Total: any bytes can be given to it, and it never reads outside them.
class command_reader {
public:
  explicit command_reader(std::string_view content) : rest_{content} {}

  /// The code, which comes first. Nothing if there is none or it is not known.
  [[nodiscard]] std::optional<opcode> code();

  /// The next argument. Nothing at the end, and if what is left is not an argument; `ended` tells which.
  [[nodiscard]] std::optional<std::string_view> next();

  /// After `next` gave nothing: what is left is the beginning of an argument, or nothing at all. Otherwise no bytes to
  /// come could make it one.
  [[nodiscard]] bool may_be_cut() const;

  /// All bytes were read, and all made sense.
  [[nodiscard]] bool ended() const { return rest_.empty(); }

private:
  struct length_part {
    std::uint64_t length = 0;
    std::size_t bytes = 0; ///< What the length itself takes; none if it is not there or makes no sense.
    bool is_damaged = false;
  };
  [[nodiscard]] length_part length() const;

  std::string_view rest_;
};

/// Reads what `append_delta` wrote.
[[nodiscard]] std::optional<std::int64_t> read_delta(std::string_view argument);

} // namespace troupe::kv
