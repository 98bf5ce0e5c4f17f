#include "actors/link/frame.hpp"
#include "tests/minds/codec_samples.hpp"

#include <doctest/doctest.h>

#include <malloc.h>

#include <random>

using namespace troupe;
namespace samples = troupe::testing;

namespace {

std::string framed(const encoded_message& message) {
  std::vector<char> out;
  append_frame(out, message);
  return {out.begin(), out.end()};
}

std::string framed(link_frame type, std::string_view head) {
  std::vector<char> out;
  append_frame(out, type, head);
  return {out.begin(), out.end()};
}

std::string every_sample() {
  std::string stream;
  for (const auto& message : samples::sample_messages())
    stream += framed(message) + framed(link_frame::ping, "12345678");
  return stream;
}

/// Type, group, head and tail of each frame in `stream`, fed in pieces of the sizes `piece` gives.
template <class Piece>
std::vector<std::string> cut(std::string_view stream, Piece piece) {
  frame_parser parser{frame_limit_bytes};
  std::vector<std::string> frames;
  while (!stream.empty()) {
    const auto some = std::string{stream.substr(0, piece())}; // A buffer of its own, gone after the feed.
    stream.remove_prefix(some.size());
    parser.feed(some);
    while (const auto came = parser.next())
      frames.push_back(std::to_string(came->type) + '/' + std::to_string(came->group.value()) + '/'
                       + std::string{came->head} + '/' + std::string{came->tail.view()});
  }
  CHECK(parser.fault() == frame_fault::none);
  return frames;
}

frame_fault fault_of(std::string bytes, std::size_t limit = frame_limit_bytes) {
  frame_parser parser{limit};
  parser.feed(bytes);
  while (parser.next()) {
  }
  return parser.fault();
}

} // namespace

TEST_CASE("a stream of frames is cut the same however it arrives") {
  const auto stream = every_sample();
  const auto whole = cut(stream, [&] { return stream.size(); });
  REQUIRE(whole.size() == 2 * samples::sample_messages().size());
  CHECK(cut(stream, [] { return std::size_t{1}; }) == whole);
  CHECK(cut(stream, [] { return frame_header_bytes; }) == whole);
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random{seed};
    CHECK(cut(stream, [&] { return random() % 700 + 1; }) == whole);
  }
}

TEST_CASE("a frame that arrives in pieces hands out its own buffer - nothing is copied again") {
  const auto message = encode(samples::sample_append_entries());
  const auto bytes = framed(message);
  frame_parser parser{frame_limit_bytes};
  parser.feed(std::string_view{bytes}.substr(0, 100));
  CHECK_FALSE(parser.next());
  CHECK(parser.missing() == bytes.size() - 100);
  parser.feed(std::string_view{bytes}.substr(100));
  const auto came = parser.next();
  REQUIRE(came);
  const auto kept = came->tail; // Outlives the parser's next frame.
  CHECK(came->head.data() + came->head.size() == kept.data());
  CHECK_FALSE(parser.next());
  CHECK(parser.missing() == 0);
  CHECK(kept.view() == samples::joined(message.tail).view());
}

TEST_CASE("a frame is as long as it says") {
  const auto message = encode(samples::sample_append_entries());
  CHECK(framed(message).size() == frame_bytes(message));
  CHECK(framed(link_frame::pong, "").size() == frame_header_bytes);
}

TEST_CASE("I-1: before a hello a frame is at most 4 KiB long, and a longer one is refused by its header alone") {
  CHECK(fault_of(framed(link_frame::hello, std::string(hello_frame_limit_bytes, 'h')), hello_frame_limit_bytes)
        == frame_fault::none);
  const auto long_one = framed(link_frame::hello, std::string(hello_frame_limit_bytes + 1, 'h'));
  CHECK(fault_of(long_one.substr(0, frame_header_bytes), hello_frame_limit_bytes) == frame_fault::too_long);
}

TEST_CASE("a raised limit holds from the next frame on, and is 64 MiB") {
  frame_parser parser;
  parser.limit(frame_limit_bytes);
  auto header = framed(link_frame::hello, "").substr(0, frame_header_bytes);
  header.replace(0, 4, std::string{"\x00\x00\x00\x04", 4}); // 64 MiB
  parser.feed(header);
  CHECK_FALSE(parser.next());
  CHECK(parser.fault() == frame_fault::none);
  CHECK(parser.missing() == frame_limit_bytes);
  header[0] = 1;
  CHECK(fault_of(header) == frame_fault::too_long);
  frame_parser refusing{frame_limit_bytes};
  refusing.feed(header);
  CHECK_FALSE(refusing.next());
  CHECK(refusing.missing() == 0);
}

TEST_CASE("I-1: a claimed length costs no more than what has come and 2 MiB") {
  auto header = framed(encode(samples::sample_append_entries())).substr(0, frame_header_bytes);
  header.replace(0, 4, std::string{"\x00\x00\x00\x04", 4});
  const auto in_use = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  const auto before = in_use();
  std::vector<frame_parser> parsers(8, frame_parser{frame_limit_bytes});
  for (auto& parser : parsers) {
    parser.feed(header);
    CHECK_FALSE(parser.next());
    parser.feed("x");
    CHECK_FALSE(parser.next());
  }
  CHECK(in_use() - before < parsers.size() * (frame_parser::reserve_ahead_bytes + 65536));
}

TEST_CASE("I-1: a flipped bit anywhere but in a payload is found") {
  const auto message = encode(samples::sample_append_entries());
  const auto bytes = framed(message);
  const auto summed = bytes.size() - message.tail_bytes();
  for (std::size_t bit = 0; bit < 8 * summed; ++bit) {
    auto spoilt = bytes;
    spoilt[bit / 8] = static_cast<char>(spoilt[bit / 8] ^ (1 << bit % 8));
    frame_parser parser{frame_limit_bytes};
    parser.feed(spoilt);
    CHECK_FALSE(parser.next()); // A length that grew waits for more.
  }
}

TEST_CASE("a header with a flag, without a type, or with a head longer than its body is malformed") {
  const auto sound = framed(link_frame::ping, "12345678");
  for (const auto& [at, value] : {std::pair{10, '\1'}, std::pair{8, '\0'}, std::pair{16, '\x9'}}) {
    auto spoilt = sound;
    spoilt[static_cast<std::size_t>(at)] = value;
    CHECK(fault_of(spoilt) == frame_fault::malformed);
  }
}

TEST_CASE("after a fault a stream says nothing more") {
  frame_parser parser;
  const std::string noise(100, '\0');
  parser.feed(noise);
  CHECK_FALSE(parser.next());
  CHECK(parser.fault() == frame_fault::malformed);
  const auto good = framed(link_frame::ping, "12345678");
  parser.feed(good);
  CHECK_FALSE(parser.next());
}

TEST_CASE("I-1: random bytes never make a frame that was not sent") {
  std::mt19937_64 random{1};
  for (int round = 0; round < 20'000; ++round) {
    std::string noise(random() % 100, '\0');
    for (auto& byte : noise)
      byte = random() % 2 == 0 ? static_cast<char>(random()) : '\0';
    frame_parser parser{random() % 2 == 0 ? frame_limit_bytes : hello_frame_limit_bytes};
    parser.feed(noise);
    CHECK_FALSE(parser.next());
  }
}
