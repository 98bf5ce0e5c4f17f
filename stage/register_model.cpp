#include "stage/register_model.hpp"

#include <charconv>
#include <limits>
#include <string_view>

namespace troupe {

namespace {

using verb = register_command::verb;

/// A number has one spelling: what reads as one and is spelled otherwise is text.
std::optional<std::int64_t> integer_in(const std::string& text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || std::to_string(number) != text)
    return std::nullopt;
  return number;
}

bool sum_fits(std::int64_t a, std::int64_t b) {
  using limits = std::numeric_limits<std::int64_t>;
  return b < 0 ? a >= limits::min() - b : a <= limits::max() - b;
}

register_effect add(std::int64_t delta, const register_state& before) {
  const auto old = integer_in(before.value_or("0"));
  if (!old || !sum_fits(*old, delta))
    return {before, register_answer::error()};
  return {std::to_string(*old + delta), register_answer::of(*old + delta)};
}

register_effect append(const std::string& suffix, const register_state& before) {
  auto whole = before.value_or("") + suffix;
  const auto size = static_cast<std::int64_t>(whole.size());
  return {std::move(whole), register_answer::of(size)};
}

std::string_view name_of(verb what) {
  switch (what) {
  case verb::get: return "get";
  case verb::exists: return "exists";
  case verb::strlen: return "strlen";
  case verb::set: return "set";
  case verb::set_if_absent: return "set if absent";
  case verb::set_if_present: return "set if present";
  case verb::set_nx: return "setnx";
  case verb::get_set: return "getset";
  case verb::del: return "del";
  case verb::add: return "add";
  case verb::append: return "append";
  }
  return "?";
}

std::string quoted(const std::string& text) {
  constexpr std::size_t shown = 40;
  if (text.size() <= shown)
    return '"' + text + '"';
  return '"' + text.substr(0, shown) + "\"... (" + std::to_string(text.size()) + " bytes)";
}

} // namespace

register_effect effect_of(const register_command& command, const register_state& before) {
  const auto one_if = [](bool is_so) { return register_answer::of(std::int64_t{is_so}); };
  const auto ok_if = [](bool is_so) { return is_so ? register_answer::ok() : register_answer::nil(); };
  const auto is_there = before.has_value();
  switch (command.what) {
  case verb::get: return {before, register_answer::of(before)};
  case verb::exists: return {before, one_if(is_there)};
  case verb::strlen: return {before, register_answer::of(static_cast<std::int64_t>(before ? before->size() : 0))};
  case verb::set: return {command.text, register_answer::ok()};
  case verb::set_if_absent: return {is_there ? before : command.text, ok_if(!is_there)};
  case verb::set_if_present: return {is_there ? command.text : before, ok_if(is_there)};
  case verb::set_nx: return {is_there ? before : command.text, one_if(!is_there)};
  case verb::get_set: return {command.text, register_answer::of(before)};
  case verb::del: return {std::nullopt, one_if(is_there)};
  case verb::add: return add(command.delta, before);
  case verb::append: return append(command.text, before);
  }
  return {before, register_answer::error()};
}

bool register_model::only_looks(const operation& what) const {
  if (what.command.is_read())
    return true;
  if (!what.answer)
    return false;
  switch (what.command.what) {
  case verb::set_if_absent:
  case verb::set_if_present: return *what.answer == register_answer::nil();
  case verb::set_nx:
  case verb::del: return *what.answer == register_answer::of(std::int64_t{0});
  case verb::add: return *what.answer == register_answer::error();
  default: return false;
  }
}

std::string words_of(const register_state& value) {
  return value ? quoted(*value) : "nothing";
}

std::string words_of(const register_command& command) {
  std::string words{name_of(command.what)};
  if (command.what == verb::add)
    words += ' ' + std::to_string(command.delta);
  else if (!command.is_read() && command.what != verb::del)
    words += ' ' + quoted(command.text);
  return words;
}

std::string words_of(const register_answer& answer) {
  switch (answer.what) {
  case register_answer::kind::nil: return "nil";
  case register_answer::kind::ok: return "ok";
  case register_answer::kind::error: return "an error";
  case register_answer::kind::number: return std::to_string(answer.number);
  case register_answer::kind::text: return quoted(answer.text);
  }
  return "?";
}

std::string words_of(const register_operation& operation) {
  return words_of(operation.command) + " -> " + (operation.answer ? words_of(*operation.answer) : "unknown");
}

} // namespace troupe
