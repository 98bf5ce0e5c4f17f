#include "app/kv/store.hpp"

#include "app/kv/integer.hpp"
#include "app/kv/reply.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace troupe::kv {

namespace {

constexpr std::string_view undecodable = "ERR command could not be decoded; nothing was done";
constexpr std::string_view not_an_integer = "ERR value is not an integer or out of range";
constexpr std::string_view would_overflow = "ERR increment or decrement would overflow";
constexpr std::string_view too_long = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
constexpr std::string_view answer_too_long = "ERR reply would exceed the limit of 32 MiB; ask for fewer keys";

/// Exactly `N` arguments and nothing behind them.
template <std::size_t N>
std::optional<std::array<std::string_view, N>> exactly(command_reader& arguments) {
  std::array<std::string_view, N> all;
  for (auto& one : all) {
    const auto argument = arguments.next();
    if (!argument)
      return std::nullopt;
    one = *argument;
  }
  if (!arguments.ended())
    return std::nullopt;
  return all;
}

/// Walks all arguments ahead of any change: a command that is damaged near its end must not be half carried out.
std::optional<std::size_t> count(command_reader arguments) {
  std::size_t n = 0;
  while (arguments.next())
    ++n;
  return arguments.ended() ? std::optional{n} : std::nullopt;
}

bool sum_overflows(std::int64_t a, std::int64_t b) {
  return b > 0 ? a > std::numeric_limits<std::int64_t>::max() - b : a < std::numeric_limits<std::int64_t>::min() - b;
}

} // namespace

std::size_t store::apply(std::span<const command> commands, answer_list& answers) {
  std::size_t applied = 0;
  while (applied < commands.size() && !answers.is_full()) {
    carry_out(commands[applied++].content, true, answers.bytes);
    answers.end_answer();
  }
  return applied;
}

void store::query(std::string_view content, answer_list& answers) {
  carry_out(content, false, answers.bytes);
  answers.end_answer();
}

void store::carry_out(std::string_view content, bool may_write, std::string& out) {
  auto arguments = command_reader{content};
  const auto code = arguments.code();
  const auto understood =
      code && (is_read(*code) ? read(*code, arguments, out) : may_write && write(*code, arguments, out));
  if (!understood)
    reply::append_error(out, undecodable);
}

bool store::write(opcode code, command_reader& arguments, std::string& out) {
  switch (code) {
  case opcode::set: return set(arguments, out);
  case opcode::set_nx: return set_nx(arguments, out);
  case opcode::get_set: return get_set(arguments, out);
  case opcode::del: return del(arguments, out);
  case opcode::add: return add(arguments, out);
  case opcode::append: return append(arguments, out);
  case opcode::mset: return mset(arguments, out);
  default: return false;
  }
}

bool store::read(opcode code, command_reader& arguments, std::string& out) const {
  switch (code) {
  case opcode::exists: return exists(arguments, out);
  case opcode::mget: return mget(arguments, out);
  case opcode::dbsize:
    if (!arguments.ended())
      return false;
    reply::append_integer(out, static_cast<std::int64_t>(values_.size()));
    return true;
  case opcode::get:
  case opcode::strlen:
  case opcode::type: {
    const auto key = exactly<1>(arguments);
    if (!key)
      return false;
    const auto value = values_.find((*key)[0]);
    if (code == opcode::get)
      append_value(out, value);
    else if (code == opcode::strlen)
      reply::append_integer(out, value ? static_cast<std::int64_t>(value->size()) : 0);
    else
      reply::append_status(out, value ? "string" : "none");
    return true;
  }
  default: return false;
  }
}

bool store::set(command_reader& arguments, std::string& out) {
  const auto key = arguments.next();
  const auto value = arguments.next();
  if (!key || !value)
    return false;
  std::uint8_t flags = 0;
  if (!arguments.ended()) {
    const auto given = arguments.next();
    if (!given || given->size() != 1 || !arguments.ended())
      return false;
    flags = static_cast<std::uint8_t>(given->front());
  }
  const auto old = flags != 0 ? values_.find(*key) : std::nullopt;
  const auto allowed = !((flags & set_if_absent) && old) && !((flags & set_if_present) && !old);
  if (flags & set_and_get)
    append_value(out, old);
  else
    out += allowed ? reply::ok : reply::null;
  if (allowed)
    values_.put(*key, *value);
  return true;
}

bool store::set_nx(command_reader& arguments, std::string& out) {
  const auto both = exactly<2>(arguments);
  if (!both)
    return false;
  const auto absent = !values_.find((*both)[0]);
  if (absent)
    values_.put((*both)[0], (*both)[1]);
  reply::append_integer(out, absent ? 1 : 0);
  return true;
}

bool store::get_set(command_reader& arguments, std::string& out) {
  const auto both = exactly<2>(arguments);
  if (!both)
    return false;
  append_value(out, values_.find((*both)[0]));
  values_.put((*both)[0], (*both)[1]);
  return true;
}

bool store::del(command_reader& arguments, std::string& out) {
  const auto n = count(arguments);
  if (!n || *n == 0)
    return false;
  std::int64_t removed = 0;
  while (const auto key = arguments.next())
    removed += values_.erase(*key) ? 1 : 0;
  reply::append_integer(out, removed);
  return true;
}

bool store::add(command_reader& arguments, std::string& out) {
  const auto both = exactly<2>(arguments);
  const auto delta = both ? read_delta((*both)[1]) : std::nullopt;
  if (!delta)
    return false;
  const auto text = values_.find((*both)[0]);
  const auto old = text ? strict_integer(*text) : std::optional<std::int64_t>{0};
  if (!old) {
    reply::append_error(out, not_an_integer);
    return true;
  }
  if (sum_overflows(*old, *delta)) {
    reply::append_error(out, would_overflow);
    return true;
  }
  char digits[24];
  const auto sum = *old + *delta;
  const auto size = static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, sum).ptr - digits);
  values_.put((*both)[0], {digits, size});
  reply::append_integer(out, sum);
  return true;
}

bool store::append(command_reader& arguments, std::string& out) {
  const auto both = exactly<2>(arguments);
  if (!both)
    return false;
  const auto [key, suffix] = *both;
  const auto old = values_.find(key);
  const auto size = (old ? old->size() : 0) + suffix.size();
  if (size > max_value_bytes) {
    reply::append_error(out, too_long);
    return true;
  }
  values_.append(key, suffix);
  reply::append_integer(out, static_cast<std::int64_t>(size));
  return true;
}

bool store::mset(command_reader& arguments, std::string& out) {
  const auto n = count(arguments);
  if (!n || *n == 0 || *n % 2 != 0)
    return false;
  while (const auto key = arguments.next())
    values_.put(*key, *arguments.next());
  out += reply::ok;
  return true;
}

bool store::mget(command_reader& arguments, std::string& out) const {
  const auto n = count(arguments);
  if (!n || *n == 0)
    return false;
  const auto begin = out.size();
  reply::append_array(out, *n);
  while (const auto key = arguments.next()) {
    const auto value = values_.find(*key);
    if (value && out.size() - begin + value->size() > max_answer_bytes) {
      out.resize(begin);
      reply::append_error(out, answer_too_long);
      return true;
    }
    append_value(out, value);
  }
  return true;
}

bool store::exists(command_reader& arguments, std::string& out) const {
  const auto n = count(arguments);
  if (!n || *n == 0)
    return false;
  std::int64_t found = 0;
  while (const auto key = arguments.next())
    found += values_.find(*key) ? 1 : 0;
  reply::append_integer(out, found);
  return true;
}

void store::append_value(std::string& out, std::optional<std::string_view> value) const {
  if (value)
    reply::append_bulk(out, *value);
  else
    out += reply::null;
}

} // namespace troupe::kv
