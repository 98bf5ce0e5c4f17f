#include "app/resp/parser.hpp"

#include "app/kv/integer.hpp"
#include "app/resp/inline_words.hpp"
#include "troupe/assert.hpp"

#include <limits>

namespace troupe::resp {

namespace {

/// A buffer that grew for one large command is not kept for the small ones behind it.
constexpr std::size_t kept_capacity = std::size_t{4} << 10;
constexpr std::size_t kept_places = 64;

/// Assigning an empty string would keep the capacity.
void release(std::string& text) {
  std::string{}.swap(text);
}

} // namespace

void parser::feed(std::string_view bytes) {
  TROUPE_ASSERT(!fed_, "bytes are fed only after the last ones were settled");
  fed_ = true;
  arguments_.clear();
  ready_ = false;
  if (kept_.empty()) {
    window_ = bytes;
  } else {
    kept_ += bytes;
    window_ = kept_;
  }
}

void parser::settle() {
  fed_ = false;
  ready_ = false;
  arguments_.clear();
  const auto rest = window_.substr(command_at_);
  if (kept_.empty()) {
    kept_.assign(rest);
  } else {
    kept_.erase(0, command_at_);
    if (kept_.empty() && kept_.capacity() > kept_capacity)
      release(kept_);
  }
  window_ = kept_;
  at_ -= command_at_;
  line_scanned_ -= command_at_;
  command_at_ = 0;
}

void parser::give_up() {
  drop_command();
  release(kept_);
  window_ = {};
  command_at_ = at_ = line_scanned_ = 0;
  error_ = "Protocol error: given up";
}

parser::outcome parser::next() {
  if (!error_.empty())
    return outcome::broken;
  if (ready_)
    return outcome::command;
  for (;;) {
    if (missing_ == 0 && counted_)
      return found(); // Settled or fed while a command was waiting: its places still hold.
    if (at_ == command_at_) {
      if (at_ == window_.size())
        return outcome::incomplete;
      is_inline_ = window_[at_] != '*';
    }
    const auto got = is_inline_ ? read_inline() : read_multibulk();
    if (got != outcome::command)
      return got;
    if (!places_.empty())
      return found();
    drop_command(); // An empty line, or `*0`: nothing is asked, nothing is answered.
  }
}

void parser::drop_command() {
  command_at_ = at_;
  line_scanned_ = at_;
  counted_ = false;
  missing_ = 0;
  sized_ = false;
  command_bytes_ = 0;
  places_.clear();
  arguments_.clear();
  ready_ = false;
  if (inline_text_.capacity() > kept_capacity)
    release(inline_text_);
  if (places_.capacity() > kept_places) {
    std::vector<place>{}.swap(places_);
    std::vector<std::string_view>{}.swap(arguments_);
  }
}

parser::outcome parser::found() {
  arguments_.clear();
  const auto base = is_inline_ ? std::string_view{inline_text_} : window_.substr(command_at_);
  for (const auto& [at, size] : places_)
    arguments_.push_back(base.substr(at, size));
  counted_ = true;
  ready_ = true;
  return outcome::command;
}

parser::outcome parser::read_inline() {
  const auto end = window_.find('\n', line_scanned_);
  const auto length = (end == std::string_view::npos ? window_.size() : end) - at_;
  if (length > limits_->inline_bytes)
    return fail("too big inline request");
  if (end == std::string_view::npos) {
    line_scanned_ = window_.size();
    return outcome::incomplete;
  }
  auto line = window_.substr(at_, length);
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  inline_text_.clear();
  auto ends = std::vector<std::size_t>{};
  if (!split_words(line, inline_text_, ends))
    return fail("unbalanced quotes in request");
  if (ends.size() > limits_->arguments)
    return fail("too big inline request");
  std::size_t begin = 0;
  for (const auto word_end : ends) {
    places_.push_back({begin, word_end - begin});
    begin = word_end;
  }
  at_ = end + 1;
  return outcome::command;
}

parser::outcome parser::read_multibulk() {
  if (!counted_)
    if (const auto got = read_count(); got != outcome::command)
      return got;
  while (missing_ > 0)
    if (const auto got = read_argument(); got != outcome::command)
      return got;
  return outcome::command;
}

parser::outcome parser::read_count() {
  auto line = std::string_view{};
  if (!take_line(line))
    return at_ + limits_->inline_bytes < window_.size() ? fail("too big mbulk count string") : outcome::incomplete;
  const auto count = strict_integer(line.substr(1));
  if (!count || *count > static_cast<std::int64_t>(limits_->arguments))
    return fail("invalid multibulk length");
  missing_ = *count > 0 ? static_cast<std::size_t>(*count) : 0;
  counted_ = true;
  return outcome::command;
}

parser::outcome parser::read_argument() {
  if (!sized_) {
    auto line = std::string_view{};
    if (!take_line(line))
      return at_ + limits_->inline_bytes < window_.size() ? fail("too big bulk count string") : outcome::incomplete;
    if (!line.starts_with('$'))
      return fail(std::string{"expected '$', got '"} + (line.empty() ? '\r' : line.front()) + "'");
    const auto size = strict_integer(line.substr(1));
    if (!size || *size < 0 || static_cast<std::uint64_t>(*size) > limits_->argument_bytes)
      return fail("invalid bulk length");
    size_ = static_cast<std::size_t>(*size);
    command_bytes_ += size_;
    if (command_bytes_ > limits_->command_bytes)
      return fail("invalid bulk length");
    sized_ = true;
  }
  // As in Redis, what stands in the place of the line end behind an argument is not looked at.
  if (window_.size() - at_ < size_ + 2)
    return outcome::incomplete;
  places_.push_back({at_ - command_at_, size_});
  at_ += size_ + 2;
  line_scanned_ = at_;
  sized_ = false;
  --missing_;
  return outcome::command;
}

bool parser::take_line(std::string_view& line) {
  const auto end = window_.find('\r', line_scanned_);
  if (end == std::string_view::npos || end + 1 == window_.size()) {
    line_scanned_ = end == std::string_view::npos ? window_.size() : end;
    return false;
  }
  line = window_.substr(at_, end - at_);
  at_ = end + 2;
  line_scanned_ = at_;
  return true;
}

parser::outcome parser::fail(std::string_view what) {
  error_ = "Protocol error: ";
  error_ += what;
  // Nothing that follows is read; do not hold it.
  command_at_ = at_ = line_scanned_ = window_.size();
  return outcome::broken;
}

} // namespace troupe::resp
