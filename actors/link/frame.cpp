#include "actors/link/frame.hpp"

#include "messages/wire.hpp"
#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t behind_checksum = 8;

/// Sums a header, its checksum field left out, and a head.
std::uint32_t checksum(std::string_view header, std::string_view head) {
  const auto sum = crc32c(header.substr(0, length_bytes));
  return crc32c(head, crc32c(header.substr(behind_checksum), sum));
}

/// A reserve of exactly what is needed would copy the whole backlog for every message.
void make_room(std::vector<char>& out, std::size_t bytes) {
  const auto needed = out.size() + bytes;
  if (needed > out.capacity())
    out.reserve(std::max(needed, 2 * out.capacity()));
}

void append(std::vector<char>& out, std::string_view bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_front(std::vector<char>& out, std::uint16_t type, group_id group, std::string_view head,
                  std::size_t tail_bytes) {
  const auto length = head.size() + tail_bytes;
  TROUPE_ASSERT(length <= frame_limit_bytes, "a frame is within its limit");
  std::string header;
  wire_writer fields{header};
  fields.put(static_cast<std::uint32_t>(length)).put(std::uint32_t{0}).put(type).put(std::uint16_t{0});
  fields.put(group.value()).put(static_cast<std::uint32_t>(head.size()));
  std::string sum;
  wire_writer{sum}.put(checksum(header, head));
  header.replace(length_bytes, sum.size(), sum);
  make_room(out, header.size() + length);
  append(out, header);
  append(out, head);
}

} // namespace

std::size_t frame_bytes(const encoded_message& message) {
  return frame_header_bytes + message.head.size() + message.tail_bytes();
}

void append_frame(std::vector<char>& out, const encoded_message& message) {
  append_front(out, static_cast<std::uint16_t>(message.type), message.group, message.head, message.tail_bytes());
  for (const auto& part : message.tail)
    append(out, part.view());
}

void append_frame(std::vector<char>& out, link_frame type, std::string_view head) {
  append_front(out, static_cast<std::uint16_t>(type), group_id{}, head, 0);
}

std::string_view to_string(frame_fault fault) {
  switch (fault) {
  case frame_fault::none: return "none";
  case frame_fault::malformed: return "not a frame of this protocol";
  case frame_fault::too_long: return "frame longer than allowed";
  case frame_fault::bad_checksum: return "frame with a wrong checksum";
  }
  return "unknown";
}

void frame_parser::feed(std::string_view chunk) {
  TROUPE_ASSERT(chunk_.empty() || fault_ != frame_fault::none, "frames are taken before more bytes are fed");
  chunk_ = chunk;
}

std::optional<frame> frame_parser::next() {
  given_.reset();
  if (fault_ != frame_fault::none || !take_header())
    return std::nullopt;
  return take_body();
}

std::size_t frame_parser::missing() const {
  return fault_ != frame_fault::none || header_have_ < frame_header_bytes ? 0 : length_ - (body_ ? body_->size() : 0);
}

bool frame_parser::take_header() {
  if (header_have_ == frame_header_bytes)
    return true;
  const auto some = std::min(chunk_.size(), frame_header_bytes - header_have_);
  std::copy_n(chunk_.begin(), some, header_.begin() + static_cast<std::ptrdiff_t>(header_have_));
  chunk_.remove_prefix(some);
  header_have_ += some;
  if (header_have_ < frame_header_bytes)
    return false;
  wire_reader fields{{header_.data(), header_.size()}};
  length_ = fields.take<std::uint32_t>();
  static_cast<void>(fields.take<std::uint32_t>());
  const auto type = fields.take<std::uint16_t>();
  const auto flags = fields.take<std::uint16_t>();
  static_cast<void>(fields.take<std::uint32_t>());
  head_length_ = fields.take<std::uint32_t>();
  if (type == 0 || flags != 0 || head_length_ > length_)
    fail(frame_fault::malformed);
  else if (length_ > limit_bytes_)
    fail(frame_fault::too_long);
  return fault_ == frame_fault::none;
}

std::optional<frame> frame_parser::take_body() {
  if (!body_ && chunk_.size() >= length_) { // Whole: only the tail, which others may keep, is copied.
    const auto body = chunk_.substr(0, length_);
    chunk_.remove_prefix(length_);
    const auto tail = body.substr(head_length_);
    return finish(body.substr(0, head_length_), tail.empty() ? shared_bytes{} : shared_bytes{std::string{tail}});
  }
  if (!body_)
    body_ = std::make_shared<std::string>();
  const auto some = std::min<std::size_t>(chunk_.size(), length_ - body_->size());
  const auto needed = body_->size() + some;
  if (needed > body_->capacity() || body_->empty())
    body_->reserve(std::min<std::size_t>(length_, std::max(2 * needed, reserve_ahead_bytes)));
  body_->append(chunk_.substr(0, some));
  chunk_.remove_prefix(some);
  if (body_->size() < length_)
    return std::nullopt;
  given_ = std::move(body_);
  const auto body = std::string_view{*given_};
  const auto tail = body.substr(head_length_);
  return finish(body.substr(0, head_length_), tail.empty() ? shared_bytes{} : shared_bytes{given_, tail});
}

std::optional<frame> frame_parser::finish(std::string_view head, shared_bytes tail) {
  header_have_ = 0;
  wire_reader fields{{header_.data(), header_.size()}};
  static_cast<void>(fields.take<std::uint32_t>());
  if (fields.take<std::uint32_t>() != checksum({header_.data(), header_.size()}, head))
    return fail(frame_fault::bad_checksum);
  const auto type = fields.take<std::uint16_t>();
  static_cast<void>(fields.take<std::uint16_t>());
  return frame{type, group_id{fields.take<std::uint32_t>()}, head, std::move(tail)};
}

std::nullopt_t frame_parser::fail(frame_fault why) {
  fault_ = why;
  chunk_ = {};
  body_.reset();
  return std::nullopt;
}

} // namespace troupe
