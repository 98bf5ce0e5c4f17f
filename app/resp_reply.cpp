#include "app/resp_reply.hpp"

#include <charconv>
#include <utility>

namespace troupe {

namespace {

// Larger than any answer of a node; what claims more is no node.
constexpr std::int64_t longest_bulk = std::int64_t{512} << 20;
constexpr std::size_t longest_line = std::size_t{64} << 10;
constexpr int deepest_array = 8;
// Replies that were taken stay in the buffer until they are worth moving the rest.
constexpr std::size_t worth_moving = std::size_t{1} << 20;

bool parse_number(std::string_view text, std::int64_t& number) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && fault == std::errc{} && end == text.data() + text.size();
}

} // namespace

resp_reply_reader::outcome resp_reply_reader::next(resp_reply& found) {
  if (garbage_)
    return outcome::garbage;
  if (held_bytes() < missing_)
    return outcome::incomplete;
  missing_ = 0;
  auto at = read_;
  found = {};
  const auto got = take(at, found, 0);
  garbage_ = got == outcome::garbage;
  if (got != outcome::reply)
    return got;
  read_ = at;
  if (read_ == received_.size() || read_ > worth_moving) {
    received_.erase(0, read_);
    read_ = 0;
  }
  return got;
}

resp_reply_reader::outcome resp_reply_reader::take(std::size_t& at, resp_reply& found, int depth) {
  const auto end = received_.find("\r\n", at);
  if (end == std::string::npos)
    return received_.size() - at > longest_line ? outcome::garbage : outcome::incomplete;
  const auto line = std::string_view{received_}.substr(at, end - at);
  if (line.empty())
    return outcome::garbage;
  at = end + 2;
  const auto rest = line.substr(1);
  if (line.front() == '+' || line.front() == '-') {
    found.what = line.front() == '+' ? resp_reply::kind::status : resp_reply::kind::error;
    found.text = rest;
    return outcome::reply;
  }
  std::int64_t number = 0;
  if (!parse_number(rest, number))
    return outcome::garbage;
  switch (line.front()) {
  case ':':
    found.what = resp_reply::kind::integer;
    found.number = number;
    return outcome::reply;
  case '$': return take_bulk(at, number, found);
  case '*': return take_array(at, number, found, depth);
  default: return outcome::garbage;
  }
}

resp_reply_reader::outcome resp_reply_reader::take_bulk(std::size_t& at, std::int64_t size, resp_reply& found) {
  if (size < -1 || size > longest_bulk)
    return outcome::garbage;
  found.what = size == -1 ? resp_reply::kind::null : resp_reply::kind::bulk;
  if (size == -1)
    return outcome::reply;
  const auto length = static_cast<std::size_t>(size);
  if (received_.size() - at < length + 2) {
    missing_ = at + length + 2 - read_;
    return outcome::incomplete;
  }
  if (std::string_view{received_}.substr(at + length, 2) != "\r\n")
    return outcome::garbage;
  found.text = received_.substr(at, length);
  at += length + 2;
  return outcome::reply;
}

resp_reply_reader::outcome resp_reply_reader::take_array(std::size_t& at, std::int64_t count, resp_reply& found,
                                                         int depth) {
  if (count < -1 || depth == deepest_array)
    return outcome::garbage;
  found.what = count == -1 ? resp_reply::kind::null : resp_reply::kind::array;
  for (; count > 0; --count) {
    resp_reply element;
    if (const auto got = take(at, element, depth + 1); got != outcome::reply)
      return got;
    found.elements.push_back(std::move(element));
  }
  return outcome::reply;
}

} // namespace troupe
