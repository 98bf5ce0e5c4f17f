/// \file
/// The frames of a link: what lies between two TCP ends. A mind: no CAF, no sockets.
///
/// A frame, little-endian, and then its body of `length` bytes:
///
///     u32 length | u32 crc32c | u16 type | u16 flags | u32 group | u32 head length | head | tail
///
/// `length` counts head and tail. The checksum covers everything but itself and the tail: a tail consists of payloads
/// that carry the checksum their leader gave them, in the head, so no byte is summed twice. No flag is defined in
/// version 1. Types 1-15 are the link's own (`link_frame`); those from 16 on are messages of peers (message_codec.hpp).
#pragma once

#include "troupe/message_codec.hpp"
#include "troupe/shared_bytes.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

inline constexpr std::size_t frame_header_bytes = 20;

/// Longest body (head and tail) before the other end has introduced itself, and after.
inline constexpr std::size_t hello_frame_limit_bytes = 4096;
inline constexpr std::size_t frame_limit_bytes = std::size_t{64} << 20;

/// The link's own frames; never renumbered. They have no tail.
enum class link_frame : std::uint16_t {
  hello = 1,     ///< First from the dialing end; see hello.hpp.
  hello_ack = 2, ///< Answers it: the same fields of the other end.
  ping = 3,      ///< u64 that `pong` brings back.
  pong = 4,
  closing = 5, ///< Last before an end closes: u16 `link_refusal`, then words (u16 length and text).
};

/// Bytes on the wire, header included.
[[nodiscard]] std::size_t frame_bytes(const encoded_message& message);

/// Appends a message as one frame: the one copy of its payloads on their way out. Its body must be within
/// `frame_limit_bytes`.
void append_frame(std::vector<char>& out, const encoded_message& message);

/// Appends one of the link's own frames.
void append_frame(std::vector<char>& out, link_frame type, std::string_view head);

/// A frame as it came.
struct frame {
  std::uint16_t type = 0;
  group_id group;
  std::string_view head; ///< Valid until the parser is asked for the next frame.
  shared_bytes tail;     ///< Shares the buffer it arrived in with whoever keeps it.
};

/// Why a stream of bytes is not a stream of frames.
enum class frame_fault : std::uint8_t { none, malformed, too_long, bad_checksum };

[[nodiscard]] std::string_view to_string(frame_fault fault);

/// Cuts a stream of bytes into frames. Believes no length: it allocates at most `reserve_ahead_bytes` (and never more
/// than the limit) beyond what has arrived. After a fault it says nothing more.
class frame_parser {
public:
  static constexpr std::size_t reserve_ahead_bytes = std::size_t{2} << 20;

  explicit frame_parser(std::size_t limit_bytes = hello_frame_limit_bytes) : limit_bytes_{limit_bytes} {}

  /// The other end is known now: frames may be this long from the next one on.
  void limit(std::size_t limit_bytes) { limit_bytes_ = limit_bytes; }

  /// Takes the next bytes of the stream. They must stay until `next` has given all it can; it must have, of the bytes
  /// before.
  void feed(std::string_view chunk);

  /// The next whole frame. Nothing: feed more, unless there is a fault.
  [[nodiscard]] std::optional<frame> next();

  [[nodiscard]] frame_fault fault() const { return fault_; }

  /// How many bytes the frame begun still lacks: a good size for the next read. 0 between frames and after a
  /// fault.
  [[nodiscard]] std::size_t missing() const;

private:
  [[nodiscard]] bool take_header();
  [[nodiscard]] std::optional<frame> take_body();
  [[nodiscard]] std::optional<frame> finish(std::string_view head, shared_bytes tail);
  std::nullopt_t fail(frame_fault why);

  std::size_t limit_bytes_;
  frame_fault fault_ = frame_fault::none;
  std::string_view chunk_;
  std::array<char, frame_header_bytes> header_{};
  std::size_t header_have_ = 0;
  std::uint32_t length_ = 0;
  std::uint32_t head_length_ = 0;
  /// Gathers a body that comes in pieces; also keeps the head of the frame given last.
  std::shared_ptr<std::string> body_;
  std::shared_ptr<std::string> given_;
};

} // namespace troupe
