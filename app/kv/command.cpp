#include "app/kv/command.hpp"

namespace troupe::kv {

void append_argument(std::string& out, std::string_view argument) {
  auto length = argument.size();
  for (; length >= 0x80; length >>= 7)
    out += static_cast<char>(length | 0x80);
  out += static_cast<char>(length);
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

std::optional<std::string_view> command_reader::next() {
  std::uint64_t length = 0;
  std::size_t at = 0;
  for (unsigned shift = 0;; shift += 7, ++at) {
    if (at == rest_.size() || shift > 28) // Longer than any entry can be.
      return std::nullopt;
    const auto byte = static_cast<unsigned char>(rest_[at]);
    if (byte == 0 && at > 0) // Not the shortest: a length is written in one way only.
      return std::nullopt;
    length |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80)
      break;
  }
  const auto begin = at + 1;
  if (length > rest_.size() - begin)
    return std::nullopt;
  const auto argument = rest_.substr(begin, length);
  rest_.remove_prefix(begin + length);
  return argument;
}

} // namespace troupe::kv
