// A Redis client's bytes as commands. Input: u8 how to cut | u8 limits | the stream.
#include "app/kv/reply.hpp"
#include "app/resp/inline_words.hpp"
#include "app/resp/parser.hpp"
#include "tests/fuzz/input.hpp"

using namespace troupe;

namespace {

using command = std::vector<std::string>;

struct reading {
  std::vector<command> commands;
  std::string error;
  friend bool operator==(const reading&, const reading&) = default;
};

/// Small enough to be met by small inputs.
resp::client_limits tight_limits() {
  resp::client_limits limits;
  limits.arguments = 5;
  limits.argument_bytes = 64;
  limits.command_bytes = 100;
  limits.inline_bytes = 64;
  return limits;
}

/// Takes the commands there are, as a conversation does; with `pause` it lets go of the bytes between two of them, as
/// one does whose client is far ahead of its answers.
void take(resp::parser& parser, const resp::client_limits& limits, reading& into, bool pause) {
  for (auto got = parser.next(); got != resp::parser::outcome::incomplete; got = parser.next()) {
    if (got == resp::parser::outcome::broken) {
      into.error = parser.error();
      TROUPE_ASSERT(into.error.starts_with("Protocol error: "), "what is wrong is said in Redis's words");
      break;
    }
    const auto found = parser.arguments();
    TROUPE_ASSERT(!found.empty() && found.size() <= limits.arguments, "a command has arguments, within the limit");
    command one;
    std::size_t bytes = 0;
    for (const auto argument : found) {
      TROUPE_ASSERT(argument.size() <= std::max(limits.argument_bytes, limits.inline_bytes),
                    "none longer than allowed");
      bytes += argument.size();
      one.emplace_back(argument);
    }
    TROUPE_ASSERT(bytes <= std::max(limits.command_bytes, limits.inline_bytes), "nor all together");
    if (pause) {
      parser.settle();
      parser.feed({});
      TROUPE_ASSERT(parser.next() == resp::parser::outcome::command, "a command stays until it is dropped");
      TROUPE_ASSERT(std::equal(one.begin(), one.end(), parser.arguments().begin(), parser.arguments().end()),
                    "and stays what it is");
    }
    into.commands.push_back(std::move(one));
    parser.drop_command();
  }
  parser.settle();
}

reading read_whole(std::string_view stream, const resp::client_limits& limits) {
  resp::parser parser{limits};
  reading result;
  parser.feed(stream);
  take(parser, limits, result, false);
  TROUPE_ASSERT(parser.held_bytes() <= stream.size(), "no more is held than has come");
  return result;
}

reading read_in_pieces(fuzz::pieces stream, const resp::client_limits& limits, bool pause) {
  resp::parser parser{limits};
  reading result;
  while (stream.any()) {
    const auto piece = stream.next();
    parser.feed(fuzz::view(piece));
    take(parser, limits, result, pause);
  }
  return result;
}

/// The command as a library sends it.
std::string written(const command& words) {
  std::string out;
  reply::append_array(out, words.size());
  for (const auto& word : words)
    reply::append_bulk(out, word);
  return out;
}

/// A word as redis-cli quotes it.
std::string quoted(std::string_view word) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (byte < 0x20 || byte >= 0x7f)
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    else
      out += c;
  }
  return out + '"';
}

void check_words(std::string_view line) {
  std::string text;
  std::vector<std::size_t> ends;
  if (!resp::split_words(line, text, ends))
    return;
  TROUPE_ASSERT(text.size() <= line.size() && ends.size() <= (line.size() + 1) / 2, "words come from the line");
  TROUPE_ASSERT((ends.empty() ? 0 : ends.back()) == text.size(), "all text belongs to a word");
  std::string again;
  std::size_t begin = 0;
  for (const auto end : ends) {
    TROUPE_ASSERT(end >= begin, "words follow each other");
    again += quoted(std::string_view{text}.substr(begin, end - begin)) + ' ';
    begin = end;
  }
  std::string text_again;
  std::vector<std::size_t> ends_again;
  TROUPE_ASSERT(resp::split_words(again, text_again, ends_again), "quoted words are words");
  TROUPE_ASSERT(text == text_again && ends == ends_again, "words survive being quoted");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in{bytes, size};
  const auto how = in.byte();
  const bool tight = in.byte() % 2 != 0;
  const auto stream = in.rest();
  const auto limits = tight ? tight_limits() : resp::client_limits{};
  const auto whole = read_whole(stream, limits);
  auto cut = read_in_pieces({stream, how}, limits, how % 2 != 0);
  if (tight && !whole.error.empty() && !cut.error.empty())
    cut.error = whole.error; // As in Redis, a line without an end is too long before it is wrong.
  TROUPE_ASSERT(cut == whole, "a stream means the same however it is cut");
  std::string again;
  for (const auto& one : whole.commands)
    again += written(one);
  if (!tight)
    TROUPE_ASSERT(read_whole(again, limits) == (reading{whole.commands, ""}), "commands survive being written");
  check_words(stream.substr(0, stream.find('\n')));
  return 0;
}
