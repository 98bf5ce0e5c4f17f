#include "app/resp/operations.hpp"

#include "app/kv/integer.hpp"
#include "troupe/assert.hpp"

#include <limits>
#include <optional>

namespace troupe::resp {

namespace {

using planned = std::variant<operation_plan, std::string_view>;

constexpr std::string_view syntax_error = "ERR syntax error";

planned plan_set(std::span<const std::string_view> arguments) {
  std::uint8_t flags = 0;
  for (const auto option : arguments.subspan(3)) {
    if (is_word(option, "nx"))
      flags |= kv::set_if_absent;
    else if (is_word(option, "xx"))
      flags |= kv::set_if_present;
    else if (is_word(option, "get"))
      flags |= kv::set_and_get;
    else
      return syntax_error;
  }
  if ((flags & kv::set_if_absent) && (flags & kv::set_if_present))
    return syntax_error;
  return operation_plan{kv::opcode::set, flags};
}

planned plan_add(std::string_view amount, bool negated) {
  const auto delta = strict_integer(amount);
  if (!delta)
    return std::string_view{"ERR value is not an integer or out of range"};
  if (negated && *delta == std::numeric_limits<std::int64_t>::min())
    return std::string_view{"ERR decrement would overflow"};
  return operation_plan{kv::opcode::add, 0, negated ? -*delta : *delta};
}

} // namespace

planned plan(verb what, std::span<const std::string_view> arguments) {
  switch (what) {
  case verb::get: return operation_plan{kv::opcode::get};
  case verb::set: return plan_set(arguments);
  case verb::setnx: return operation_plan{kv::opcode::set_nx};
  case verb::getset: return operation_plan{kv::opcode::get_set};
  case verb::del: return operation_plan{kv::opcode::del};
  case verb::exists: return operation_plan{kv::opcode::exists};
  case verb::incr: return operation_plan{kv::opcode::add, 0, 1};
  case verb::decr: return operation_plan{kv::opcode::add, 0, -1};
  case verb::incrby: return plan_add(arguments[2], false);
  case verb::decrby: return plan_add(arguments[2], true);
  case verb::append: return operation_plan{kv::opcode::append};
  case verb::strlen: return operation_plan{kv::opcode::strlen};
  case verb::mget: return operation_plan{kv::opcode::mget};
  case verb::mset:
    if (arguments.size() % 2 == 0)
      return std::string_view{"ERR wrong number of arguments for 'mset' command"};
    return operation_plan{kv::opcode::mset};
  case verb::type: return operation_plan{kv::opcode::type};
  case verb::dbsize: return operation_plan{kv::opcode::dbsize};
  default: break;
  }
  TROUPE_ASSERT(false, "only commands of the state machine are planned");
  return syntax_error;
}

void encode(const operation_plan& plan, std::span<const std::string_view> arguments, std::string& out) {
  kv::append_opcode(out, plan.code);
  switch (plan.code) {
  case kv::opcode::add:
    kv::append_argument(out, arguments[1]);
    kv::append_delta(out, plan.delta);
    return;
  case kv::opcode::set:
    kv::append_argument(out, arguments[1]);
    kv::append_argument(out, arguments[2]);
    if (plan.flags != 0) {
      const auto flags = static_cast<char>(plan.flags);
      kv::append_argument(out, {&flags, 1});
    }
    return;
  default:
    for (const auto one : arguments.subspan(1))
      kv::append_argument(out, one);
  }
}

std::size_t encoded_bytes(std::span<const std::string_view> arguments) {
  std::size_t sum = 16;
  for (const auto one : arguments)
    sum += kv::encoded_argument_bytes(one.size());
  return sum;
}

} // namespace troupe::resp
