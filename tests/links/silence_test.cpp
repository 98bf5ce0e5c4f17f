#include "tests/links/host.hpp"
#include "tests/links/process_facts.hpp"
#include "tests/links/raw_end.hpp"

#include <memory>

using namespace troupe;
using namespace troupe::testing;

namespace {

const link_identity node_two{"test", peer_id{2}, disk(2), 1, {20}};

/// A door whose queue is full: connections to it stay under way, as to a host that is gone.
class black_hole {
public:
  black_hole() {
    const auto door = std::get<listening_socket>(listen_on({"127.0.0.1", 0}));
    socket_ = door.socket;
    port = door.port;
    REQUIRE(::listen(socket_, 0) == 0); // Shortens the queue.
    for (int i = 0; i < 4; ++i)
      fill_.push_back(std::get<int>(begin_connect(numeric_addresses({"127.0.0.1", port}).at(0), link_options{})));
  }
  ~black_hole() {
    for (const int socket : fill_)
      ::close(socket);
    ::close(socket_);
  }
  black_hole(const black_hole&) = delete;
  black_hole& operator=(const black_hole&) = delete;

  std::uint16_t port = 0;

private:
  int socket_ = -1;
  std::vector<int> fill_;
};

} // namespace

TEST_CASE("a host that swallows connections delays no other link") {
  black_hole gone;
  auto options = options_of(1);
  options.connect_deadline = 2s; // Longer than what is asserted below.
  host one{options};
  host three{options_of(3)};
  three.open({{peer_id{1}, {"127.0.0.1", free_port()}}});
  const auto begun = std::chrono::steady_clock::now();
  one.open({{peer_id{2}, {"127.0.0.1", gone.port}}, {peer_id{3}, three.door.bound}});
  one.await_up(3);
  for (std::uint64_t n = 1; n <= 100; ++n) {
    one.tell(2, heartbeat(1, 2, n));
    one.tell(3, heartbeat(1, 3, n));
    CHECK(await<append_entries>(three.local).number == n);
  }
  CHECK(std::chrono::steady_clock::now() - begun < options.connect_deadline);
}

TEST_CASE("a connection that is not answered is given up, and tried again") {
  raw_door mute;
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", mute.port()}}});
  auto first = mute.accept();
  CHECK(first.is_closed_by_other());
  auto second = mute.accept();
  CHECK(second.hear()->first == link_frame::hello);
}

TEST_CASE("N7: a node that vanishes without a word is found by its silence") {
  raw_door door;
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", door.port()}}});
  auto end = door.welcome(node_two);
  one.await_up(2);
  CHECK(await<link_down>(one.listener).why == "no sign of life");
}

TEST_CASE("N7: the inward half finds it, too") {
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
  auto end = enter(one.door.bound.port, node_two, peer_id{1});
  CHECK(end.is_closed_by_other());
}

TEST_CASE("an idle link stays up: its ends hear each other's signs of life") {
  host one{options_of(1)};
  host two{options_of(2)};
  two.open({{peer_id{1}, {"127.0.0.1", free_port()}}});
  one.open({{peer_id{2}, two.door.bound}});
  one.await_up(2);
  CHECK_FALSE(comes<link_down>(one.listener, 3 * std::chrono::milliseconds{400}));
}

TEST_CASE("N8: a node that stops reading costs its queue and no more, and is found") {
  raw_door door;
  auto options = options_of(1);
  options.queue_bytes = std::size_t{4} << 20;
  host one{options};
  one.open({{peer_id{2}, {"127.0.0.1", door.port()}}});
  auto end = door.welcome(node_two);
  one.await_up(2);
  const auto before = resident_bytes();
  const auto big = request_of(1, 2, std::size_t{1} << 20);
  for (int i = 0; i < 400; ++i)
    one.tell(2, big);
  CHECK(await<link_down>(one.listener).why == "no sign of life");
  CHECK(resident_bytes() < before + (std::size_t{32} << 20));
}

TEST_CASE("N8: what waited for a node that stopped reading is let go, socket and all") {
  auto door = std::make_unique<raw_door>();
  host one{options_of(1)};
  one.open({{peer_id{2}, {"127.0.0.1", door->port()}}});
  auto end = door->welcome(node_two);
  one.await_up(2);
  const auto before = open_files();
  for (int i = 0; i < 8; ++i)
    one.tell(2, request_of(1, 2, std::size_t{1} << 20));
  door.reset(); // Nobody answers any more: later attempts fail at once.
  CHECK(await<link_down>(one.listener).why == "no sign of life");
  CHECK(becomes_true([&] { return open_files() == before - 2; })); // The door's, and the dialer's.
}

TEST_CASE("N8: a node that asks and asks, and never reads an answer, costs little and is let go") {
  host one{options_of(1)};
  one.open({}, {{peer_id{2}, {disk(2), 1}}}); // It dials nobody: no socket comes and goes but this one.
  auto end = enter(one.door.bound.port, node_two, peer_id{1});
  const auto files = open_files();
  std::vector<char> pings;
  for (int i = 0; i < 500'000; ++i)
    append_frame(pings, link_frame::ping, "12345678");
  const auto memory = resident_bytes();
  end.say({pings.data(), pings.size()});
  CHECK(becomes_true([&] { return open_files() == files - 1; }));
  CHECK(resident_bytes() < memory + (std::size_t{8} << 20));
}

TEST_CASE("N9: a heartbeat passes a queue that bulk has filled") {
  raw_door door;
  auto options = options_of(1);
  options.queue_bytes = std::size_t{1} << 20;
  options.dead_after = 5s;
  host one{options};
  one.open({{peer_id{2}, {"127.0.0.1", door.port()}}});
  auto end = door.welcome(node_two);
  one.await_up(2);
  for (int i = 0; i < 64; ++i)
    one.tell(2, request_of(1, 2, std::size_t{1} << 18));
  for (int i = 0; i < 4000; ++i) // To the brim, where no large one fits.
    one.tell(2, request_of(1, 2, 100));
  one.tell(2, heartbeat(1, 2, 4711));
  const auto is_heartbeat = [](const std::pair<link_frame, std::string>& came) {
    const auto message = decode(static_cast<message_type>(came.first), group_id{}, came.second, {});
    return message && std::get<append_entries>(*message).number == 4711;
  };
  bool arrived = false;
  while (!arrived) {
    const auto came = end.hear();
    REQUIRE(came);
    arrived = came->first == static_cast<link_frame>(message_type::append_entries) && is_heartbeat(*came);
  }
}

TEST_CASE("N10: a name that nobody knows is asked for again, and meanwhile other links work") {
  host two{options_of(2)};
  two.open({{peer_id{1}, {"127.0.0.1", free_port()}}});
  host one{options_of(1)};
  one.open({{peer_id{2}, two.door.bound}, {peer_id{3}, {"no-such-host.invalid", 7}}});
  one.await_up(2);
  one.tell(2, heartbeat(1, 2, 3));
  CHECK(await<append_entries>(two.local).number == 3);
}

TEST_CASE("attempts that fail leave no socket behind") {
  auto options = options_of(1);
  options.retry_least = options.retry_most = 1ms;
  host one{options};
  one.open({{peer_id{2}, {"127.0.0.1", free_port()}}});
  const auto before = open_files();
  CHECK_FALSE(comes<link_up>(one.listener, 300ms));
  CHECK(open_files() <= before + 1);
}

TEST_CASE("links that are stopped leave no socket behind, and their port is free") {
  host one{options_of(1)};
  host two{options_of(2)};
  const auto before = open_files();
  two.open({{peer_id{1}, {"127.0.0.1", free_port()}}});
  one.open({{peer_id{2}, two.door.bound}});
  one.await_up(2);
  const auto port = two.door.bound.port;
  one.close();
  two.close();
  // The multiplexers close what was shut in their next turn.
  CHECK(becomes_true([&] { return open_files() == before; }));
  auto same_port = options_of(3);
  same_port.listen.port = port;
  host three{same_port};
  three.open({});
}
