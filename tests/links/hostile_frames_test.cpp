// Every bit of a conversation between nodes flipped, and every cut of it: nothing comes of it that was not said.
#include "tests/links/host.hpp"
#include "tests/links/process_facts.hpp"
#include "tests/links/raw_end.hpp"

using namespace troupe;
using namespace troupe::testing;

namespace {

const link_identity node_two{"test", peer_id{2}, disk(2), 1, {20}};

constexpr std::uint64_t first_number = 41;
constexpr std::uint64_t second_number = 42;

/// What a node says on a good day: it introduces itself, beats, sends an entry, asks for a sign of life.
std::string session() {
  std::vector<char> out;
  append_frame(out, link_frame::hello, encode(introduce(node_two, peer_id{1})));
  append_frame(out, encode(heartbeat(2, 1, first_number)));
  append_frame(out, encode(request_of(2, 1, 10, second_number)));
  append_frame(out, link_frame::ping, "12345678");
  return {out.data(), out.size()};
}

/// Everything the peer has heard so far is what was said: one of two messages, as it was.
bool heard_only_what_was_said(host& one) {
  bool right = true;
  const auto beat = encode(heartbeat(2, 1, first_number));
  const auto entry = encode(request_of(2, 1, 10, second_number));
  for (bool more = true; more;)
    one.local->receive(
        [&](const append_entries& m) {
          const auto came = encode(m);
          const auto& said = m.number == first_number ? beat : entry;
          right = right && came.head == said.head && came.tail_bytes() == said.tail_bytes();
        },
        [&](const request_vote&) { right = false; }, [&](const vote_reply&) { right = false; },
        [&](const append_reply&) { right = false; }, [&](const install_snapshot&) { right = false; },
        [&](const snapshot_reply&) { right = false; }, [&](const timeout_now&) { right = false; },
        [&](const forward&) { right = false; }, [&](const forward_reply&) { right = false; },
        caf::after(0ms) >> [&] { more = false; });
  return right;
}

/// Short times: a flipped length makes the node wait for what never comes.
link_options impatient() {
  auto options = options_of(1);
  options.hello_deadline = 60ms;
  options.ping_every = 20ms;
  options.dead_after = 60ms;
  return options;
}

} // namespace

TEST_CASE("a link on which any one bit is flipped carries nothing that was not said, and is closed") {
  host one{impatient()};
  one.open({}, {{peer_id{2}, {disk(2), 1, 20}}}); // Nothing is to be remembered first.
  const auto whole = session();
  {
    auto end = raw_end::dial(one.door.bound.port);
    end.say(whole);
    CHECK(await<append_entries>(one.local).number == first_number);
    CHECK(await<append_entries>(one.local).number == second_number);
  }
  const auto before = resident_bytes();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    auto end = raw_end::dial(one.door.bound.port);
    end.say(flipped);
    // Only flips in what a ping carries harm nobody: it is echoed. That link falls silent, and is closed as well.
    REQUIRE_MESSAGE(end.is_closed_by_other(), "bit " << bit);
    REQUIRE_MESSAGE(heard_only_what_was_said(one), "bit " << bit);
  }
  CHECK(resident_bytes() < before + (std::size_t{8} << 20));
}

TEST_CASE("a link that ends after any byte has carried what was whole, and nothing else") {
  host one{impatient()};
  one.open({}, {{peer_id{2}, {disk(2), 1, 20}}}); // Nothing is to be remembered first.
  const auto whole = session();
  const auto files = open_files();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    auto end = raw_end::dial(one.door.bound.port);
    end.say(whole.substr(0, length));
    if (length % 2 == 0) // Half of them are closed by the node, for their silence.
      CHECK(end.is_closed_by_other());
    REQUIRE_MESSAGE(heard_only_what_was_said(one), length << " bytes");
  }
  CHECK(becomes_true([&] { return open_files() <= files; }));
}
