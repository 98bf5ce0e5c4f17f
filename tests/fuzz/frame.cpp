// A link's stream of bytes: frames, and what is in them. Input: u8 how to cut | u8 limit | the stream.
#include "actors/link/frame.hpp"
#include "actors/link/hello.hpp"
#include "messages/wire.hpp"
#include "tests/fuzz/checksums.hpp"
#include "tests/fuzz/input.hpp"

using namespace troupe;

namespace {

struct found_frame {
  std::uint16_t type;
  std::uint32_t group;
  std::string head;
  std::string tail;
  friend bool operator==(const found_frame&, const found_frame&) = default;
};

struct reading {
  std::vector<found_frame> frames;
  frame_fault fault = frame_fault::none;
  friend bool operator==(const reading&, const reading&) = default;
};

/// What the end of a link does with a frame whose type it knows.
void understand(const frame& came) {
  if (came.type == static_cast<std::uint16_t>(link_frame::hello))
    static_cast<void>(decode_hello(came.head));
  else if (came.type == static_cast<std::uint16_t>(link_frame::closing))
    static_cast<void>(decode_closing(came.head));
  else if (came.type > 15)
    static_cast<void>(decode(static_cast<message_type>(came.type), came.group, came.head, came.tail));
}

void take(frame_parser& parser, std::size_t limit, reading& into, std::vector<shared_bytes>& kept) {
  while (const auto came = parser.next()) {
    TROUPE_ASSERT(came->head.size() + came->tail.size() <= limit, "no frame is longer than the limit");
    understand(*came);
    kept.push_back(came->tail);
    into.frames.push_back({came->type, came->group.value(), std::string{came->head}, std::string{came->tail.view()}});
  }
  TROUPE_ASSERT(parser.missing() <= limit, "nothing is waited for beyond the limit");
  into.fault = parser.fault();
}

reading read_whole(std::string_view stream, std::size_t limit) {
  frame_parser parser{limit};
  reading result;
  std::vector<shared_bytes> kept;
  parser.feed(stream);
  take(parser, limit, result, kept);
  return result;
}

reading read_in_pieces(fuzz::pieces stream, std::size_t limit) {
  frame_parser parser{limit};
  reading result;
  std::vector<shared_bytes> kept; // As a log keeps payloads: they outlive the parser's buffers.
  while (stream.any() && result.fault == frame_fault::none) {
    const auto piece = stream.next();
    parser.feed(fuzz::view(piece));
    take(parser, limit, result, kept);
  }
  for (std::size_t i = 0; i < kept.size(); ++i)
    TROUPE_ASSERT(kept[i].view() == result.frames[i].tail, "a payload that is kept does not change");
  return result;
}

std::vector<char> written(const found_frame& one) {
  encoded_message message;
  message.type = static_cast<message_type>(one.type);
  message.group = group_id{one.group};
  message.head = one.head;
  message.tail.emplace_back(one.tail);
  std::vector<char> out;
  append_frame(out, message);
  TROUPE_ASSERT(out.size() == frame_bytes(message), "a frame is as long as it says");
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in{bytes, size};
  const auto how = in.byte();
  const auto limit = in.byte() % 2 == 0 ? hello_frame_limit_bytes : frame_limit_bytes;
  auto stream = in.rest();
  const auto whole = read_whole(stream, limit);
  TROUPE_ASSERT(read_in_pieces({stream, how}, limit) == whole, "a stream means the same however it is cut");
  for (const auto& one : whole.frames) { // There is one way to write a frame.
    const auto again = written(one);
    TROUPE_ASSERT(stream.starts_with(fuzz::view(again)), "what was read is written the same");
    stream.remove_prefix(again.size());
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* bytes, std::size_t size, std::size_t most);

/// Chance does not find checksums: three mutants in four get theirs mended.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* bytes, std::size_t size, std::size_t most, unsigned seed) {
  size = LLVMFuzzerMutate(bytes, size, most);
  if (seed % 4 != 0 && size > 2)
    fuzz::mend_frames({reinterpret_cast<char*>(bytes) + 2, size - 2}, seed % 2 == 0);
  return size;
}
