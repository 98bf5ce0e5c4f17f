#include "tests/links/host.hpp"
#include "tests/links/raw_end.hpp"

using namespace troupe;
using namespace troupe::testing;

namespace {

const link_identity node_two{"test", peer_id{2}, disk(2), 1, {20}};

/// A lot of one operation, `bytes` long, from node 1 to node 2.
forward lot_of(std::size_t bytes, std::uint64_t number) {
  entry_block_builder block;
  block.add(entry_kind::command, std::string(bytes, 'x'));
  forward m;
  m.about = {group_id{5}, peer_id{1}, peer_id{2}, term_number{}};
  m.number = number;
  m.block = block.take();
  return m;
}

/// As a peer does it, that hears what comes of it.
void pass_on(host& from, forward m) {
  from.local->send(from.dialers.at(peer_id{2}), std::move(m));
}

void expect_refused(host& from, std::uint64_t number, refusal why) {
  const auto came = await<forward_reply>(from.local);
  CHECK(came.number == number);
  CHECK(came.offset == 0);
  CHECK(came.refused == static_cast<std::uint8_t>(why));
  CHECK(came.about.group == group_id{5});
  CHECK(came.about.from == peer_id{2});
  CHECK(came.about.to == peer_id{1});
}

} // namespace

TEST_CASE("operations for a node that no link reaches are refused at once: they have certainly not been passed on") {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
  pass_on(one, lot_of(100, 7));
  expect_refused(one, 7, refusal::no_leader);
}

TEST_CASE("law 6: operations that a link's queue has no room for are refused at once, as busy") {
  raw_door door;
  auto options = options_of(1);
  options.queue_bytes = std::size_t{1} << 20;
  options.dead_after = 30s;
  host one{options};
  one.open({{peer_id{2}, {"127.0.0.1", door.port()}}});
  auto end = door.welcome(node_two); // It reads nothing from here on.
  one.await_up(2);
  constexpr std::uint64_t all = 200;
  for (std::uint64_t number = 1; number <= all; ++number)
    pass_on(one, lot_of(std::size_t{1} << 18, number));
  CHECK(await<forward_reply>(one.local).refused == static_cast<std::uint8_t>(refusal::busy));
  std::uint64_t refused = 1;
  while (comes<forward_reply>(one.local, 200ms))
    ++refused;
  CHECK(refused < all);
  // What was not refused was sent, and nothing else.
  for (auto left = all - refused; left > 0;) {
    const auto came = end.hear();
    REQUIRE(came);
    left -= came->first == static_cast<link_frame>(message_type::forward) ? 1 : 0;
  }
  pass_on(one, lot_of(100, all + 1));
  for (;;) {
    const auto came = end.hear();
    REQUIRE(came);
    if (came->first != link_frame::ping)
      break;
  }
  CHECK_FALSE(comes<forward_reply>(one.local, 50ms)); // There is room again.
}
