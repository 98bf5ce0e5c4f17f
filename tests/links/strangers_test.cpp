#include "tests/links/host.hpp"
#include "tests/links/process_facts.hpp"
#include "tests/links/raw_end.hpp"

#include <random>

using namespace troupe;
using namespace troupe::testing;

namespace {

const link_identity node_two{"test", peer_id{2}, disk(2), 1, {20}};

/// Node 1 with an open door, that knows of a node 2 and dials nobody.
struct open_door {
  open_door() : one{options_of(1)} { one.open({}, {{peer_id{2}, {disk(2), 1}}}); }

  raw_end dial() { return raw_end::dial(one.door.bound.port); }
  raw_end enter() { return testing::enter(one.door.bound.port, node_two, peer_id{1}); }

  /// A good node is still served.
  void check_serves() {
    auto end = enter();
    end.say(encode(heartbeat(2, 1, 42)));
    CHECK(await<append_entries>(one.local).number == 42);
  }

  host one;
};

/// A frame header that claims a body of `length` bytes.
std::string claim(std::uint16_t type, std::size_t length) {
  encoded_message message;
  message.type = static_cast<message_type>(type);
  message.head.assign(length, 'h');
  std::vector<char> out;
  append_frame(out, message);
  return {out.data(), frame_header_bytes};
}

std::string patched(std::string bytes, std::size_t at, char value) {
  bytes.at(at) = value;
  return bytes;
}

} // namespace

TEST_CASE("I-1: garbage at the door is closed upon, costs no memory, and disturbs nobody") {
  open_door door;
  const auto before = resident_bytes();
  std::mt19937_64 random{1};
  std::string noise(100'000, '\0');
  for (auto& byte : noise)
    byte = static_cast<char>(random());
  for (const auto& words : {noise, std::string{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"}, std::string(1000, '\0'),
                            std::string(1000, '\xff'), claim(1, hello_frame_limit_bytes + 1), claim(0, 10),
                            patched(claim(1, 100), 3, '\x7f')}) {
    auto end = door.dial();
    end.say(words);
    CHECK(end.is_closed_by_other());
  }
  CHECK(resident_bytes() < before + (std::size_t{4} << 20));
  door.check_serves();
}

TEST_CASE("nothing but an introduction is heard before an introduction") {
  open_door door;
  auto end = door.dial();
  end.say(encode(heartbeat(2, 1, 1)));
  CHECK(end.hear_closing().reason == link_refusal::malformed);
  auto other = door.dial();
  const auto refusal = refusal_notice{link_refusal::changed_disk, "die"};
  other.say(link_frame::closing, encode_closing(refusal));
  other.is_closed_by_other();
  CHECK_FALSE(comes<link_refused>(door.one.listener, 0ms));
  CHECK_FALSE(comes<append_entries>(door.one.local, 0ms));
}

TEST_CASE("whoever says nothing, or half a word, is closed upon") {
  open_door door;
  auto silent = door.dial();
  auto half = door.dial();
  half.say(claim(1, 100).substr(0, 7));
  auto claims = door.dial();
  claims.say(claim(1, 4000));
  CHECK(silent.is_closed_by_other());
  CHECK(half.is_closed_by_other());
  CHECK(claims.is_closed_by_other());
}

TEST_CASE("I-5: a member that says what cannot be is closed upon, and the peer does not hear it") {
  open_door door;
  auto absurd_term = heartbeat(2, 1, 1);
  absurd_term.about.term = term_number{~std::uint64_t{0}};
  auto absurd_index = heartbeat(2, 1, 1);
  absurd_index.commit = log_index{std::uint64_t{1} << 61};
  auto gap = request_of(2, 1, 10);
  gap.previous.index = log_index{3};
  for (const auto& words : {absurd_term, absurd_index, gap, heartbeat(3, 1, 1), heartbeat(2, 3, 1)}) {
    auto end = door.enter();
    end.say(encode(words));
    CHECK(end.hear_closing().reason == link_refusal::malformed);
  }
  for (const auto& words : {claim(17, 10) + std::string(10, 'x'), claim(9, 0), claim(999, 0), claim(3, 0)}) {
    auto end = door.enter();
    end.say(words);
    CHECK(end.hear_closing().reason == link_refusal::malformed);
  }
  auto torn = door.enter();
  std::vector<char> bytes;
  append_frame(bytes, encode(request_of(2, 1, 10)));
  bytes.back() ^= 1;
  torn.say({bytes.data(), bytes.size()});
  CHECK(torn.hear_closing().reason == link_refusal::malformed);
  CHECK_FALSE(comes<append_entries>(door.one.local, 0ms));
  door.check_serves();
}

TEST_CASE("a member that claims 64 MiB and sends none costs no memory") {
  open_door door;
  const auto before = resident_bytes();
  auto end = door.enter();
  end.say(claim(18, frame_limit_bytes));
  CHECK(end.is_closed_by_other());
  CHECK(resident_bytes() < before + (std::size_t{4} << 20));
}

TEST_CASE("a member that claims more than 64 MiB is closed upon at once") {
  open_door door;
  auto end = door.enter();
  end.say(patched(claim(18, 10), 3, '\x10'));
  CHECK(end.hear_closing().reason == link_refusal::malformed);
}

TEST_CASE("silent connections lock nobody out: the oldest of them goes") {
  auto options = options_of(1);
  options.hello_deadline = 1h;
  host one{options};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
  std::vector<raw_end> silent;
  for (std::size_t i = 0; i < 2 * options.pending_hellos; ++i)
    silent.push_back(raw_end::dial(one.door.bound.port));
  auto good = enter(one.door.bound.port, node_two, peer_id{1});
  good.say(encode(heartbeat(2, 1, 42)));
  CHECK(await<append_entries>(one.local).number == 42);
  for (std::size_t i = 0; i < options.pending_hellos; ++i)
    CHECK(silent[i].is_closed_by_other());
}

TEST_CASE("whoever was refused and does not hang up keeps no socket of ours") {
  open_door door;
  { auto warm = door.enter(); }
  const auto before = open_files();
  std::vector<raw_end> stubborn;
  for (int i = 0; i < 100; ++i) {
    stubborn.push_back(door.dial());
    stubborn.back().say(claim(0, 10));
  }
  for (auto& end : stubborn)
    CHECK(end.is_closed_by_other());
  CHECK(becomes_true([&] { return open_files() <= before + stubborn.size(); }));
}
