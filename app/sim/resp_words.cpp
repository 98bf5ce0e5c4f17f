#include "app/sim/resp_words.hpp"

#include "app/kv/command.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace troupe {

namespace {

std::vector<std::string> addition(const std::string& key, std::int64_t delta, dice& chance) {
  if (delta == 1 && chance.chance(50))
    return {"INCR", key};
  if (delta == -1 && chance.chance(50))
    return {"DECR", key};
  if (chance.chance(50))
    return {"DECRBY", key, std::to_string(-delta)};
  return {"INCRBY", key, std::to_string(delta)};
}

std::vector<std::string> setting(const std::string& key, const std::string& value, std::uint8_t flags) {
  std::vector<std::string> words{"SET", key, value};
  if (flags & kv::set_if_absent)
    words.emplace_back("NX");
  if (flags & kv::set_if_present)
    words.emplace_back("XX");
  return words;
}

bool is_plain(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || c == ':' || c == '.' || c == '+' || c == '-';
  });
}

} // namespace

std::vector<std::string> redis_words(operation_id id, std::string_view content, dice& chance) {
  kv::command_reader reader{content};
  const auto code = reader.code();
  const auto text = [&] { return std::string{reader.next().value_or("")}; };
  TROUPE_ASSERT(code.has_value(), "a workload asks for what the store knows");
  const auto key = std::to_string(id.value()) + ':' + text();
  switch (*code) {
  case kv::opcode::set: {
    const auto value = text();
    const auto flags = text();
    return setting(key, value, flags.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(flags.front()));
  }
  case kv::opcode::set_nx: return {"SETNX", key, text()};
  case kv::opcode::get_set: return {"GETSET", key, text()};
  case kv::opcode::append: return {"APPEND", key, text()};
  case kv::opcode::add: return addition(key, kv::read_delta(text()).value_or(0), chance);
  case kv::opcode::del: return {"DEL", key};
  case kv::opcode::get: return {"GET", key};
  case kv::opcode::exists: return {"EXISTS", key};
  case kv::opcode::strlen: return {"STRLEN", key};
  default: break;
  }
  TROUPE_ASSERT(false, "a workload asks for one key");
  return {};
}

std::string redis_bytes(const std::vector<std::string>& words, dice& chance) {
  std::string bytes;
  if (chance.chance(20) && std::all_of(words.begin(), words.end(), is_plain)) {
    for (const auto& word : words)
      bytes += (bytes.empty() ? "" : " ") + word;
    return bytes + (chance.chance(50) ? "\r\n" : "\n");
  }
  bytes = '*' + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words)
    bytes += '$' + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return bytes;
}

std::optional<std::pair<operation_id, std::string>> without_number(std::string_view content) {
  kv::command_reader reader{content};
  const auto code = reader.code();
  const auto tagged = code ? reader.next() : std::nullopt;
  if (!tagged)
    return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(tagged->data(), tagged->data() + tagged->size(), number);
  if (fault != std::errc{} || end == tagged->data() + tagged->size() || *end != ':')
    return std::nullopt;
  std::string plain;
  kv::append_opcode(plain, *code);
  kv::append_argument(plain, {end + 1, tagged->data() + tagged->size()});
  plain.append(tagged->data() + tagged->size(), content.data() + content.size());
  return std::pair{operation_id{number}, std::move(plain)};
}

} // namespace troupe
