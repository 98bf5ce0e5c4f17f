#include "app/kv/command.hpp"

#include <limits>

namespace troupe::kv {

void append_length(std::string& out, std::size_t length) {
  for (; length >= 0x80; length >>= 7)
    out += static_cast<char>(length | 0x80);
  out += static_cast<char>(length);
}

void append_argument(std::string& out, std::string_view argument) {
  append_length(out, argument.size());
  out += argument;
}

void append_delta(std::string& out, std::int64_t delta) {
  const auto bits = static_cast<std::uint64_t>(delta);
  char bytes[8];
  for (int i = 0; i < 8; ++i)
    bytes[i] = static_cast<char>(bits >> (8 * i));
  append_argument(out, {bytes, sizeof bytes});
}

std::optional<std::int64_t> read_delta(std::string_view argument) {
  if (argument.size() != 8)
    return std::nullopt;
  std::uint64_t bits = 0;
  for (int i = 0; i < 8; ++i)
    bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(argument[static_cast<std::size_t>(i)])) << (8 * i);
  return static_cast<std::int64_t>(bits);
}

std::optional<opcode> command_reader::code() {
  if (rest_.empty())
    return std::nullopt;
  const auto code = static_cast<opcode>(rest_.front());
  switch (code) {
  case opcode::set:
  case opcode::set_nx:
  case opcode::get_set:
  case opcode::del:
  case opcode::add:
  case opcode::append:
  case opcode::mset:
  case opcode::get:
  case opcode::exists:
  case opcode::strlen:
  case opcode::mget:
  case opcode::type:
  case opcode::dbsize: rest_.remove_prefix(1); return code;
  }
  return std::nullopt;
}

command_reader::length_part command_reader::length() const {
  auto found = length_part{};
  for (unsigned shift = 0;; shift += 7, ++found.bytes) {
    if (shift > 28) // Longer than any entry can be.
      return {.is_damaged = true};
    if (found.bytes == rest_.size())
      return {};
    const auto byte = static_cast<unsigned char>(rest_[found.bytes]);
    if (byte == 0 && shift > 0) // Not the shortest: a length is written in one way only.
      return {.is_damaged = true};
    found.length |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80)
      break;
  }
  ++found.bytes;
  if (found.length > std::numeric_limits<std::uint32_t>::max())
    return {.is_damaged = true};
  return found;
}

std::optional<std::string_view> command_reader::next() {
  const auto [length, begin, is_damaged] = this->length();
  if (begin == 0 || length > rest_.size() - begin)
    return std::nullopt;
  const auto argument = rest_.substr(begin, length);
  rest_.remove_prefix(begin + length);
  return argument;
}

bool command_reader::may_be_cut() const {
  return !length().is_damaged;
}

} // namespace troupe::kv
