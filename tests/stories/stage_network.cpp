// The network of packets: what it does to messages, each way for itself.
#include "stage/packet_network.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr peer_id one{1}, two{2}, three{3};

/// Three who listen, and speak when they are told to.
class wire {
public:
  explicit wire(std::uint64_t seed = 1) : runtime{seed}, network{runtime, dice{seed}} {
    for (const auto id : {one, two, three}) {
      network.open(id);
      network.put(id, [this, id](const peer_message& message) { hear(id, message); });
    }
    network.on_lost = [this](std::uint64_t, const peer_message&) { ++lost; };
  }
  ~wire() { runtime.strike(); }

  void say(peer_id from, peer_id to, std::uint64_t number, std::size_t bytes = 0) {
    append_entries message;
    message.about = {group_id{}, from, to, term_number{1}};
    message.number = number;
    if (bytes > 0) {
      entry_block_builder block;
      block.add(entry_kind::command, std::string(bytes, 'x'));
      message.batches.push_back(entry_batch::stamp(block.take(), term_number{1}, log_index{1}, 0));
    }
    runtime.tell(network.link(from, to), message);
  }
  /// Messages 1 to `count`, a millisecond apart, and then all that is on its way arrives.
  void say_many(peer_id from, peer_id to, std::uint64_t count, std::size_t bytes = 0) {
    for (std::uint64_t number = 1; number <= count; ++number) {
      say(from, to, number, bytes);
      runtime.run_for(1ms);
    }
    runtime.run_for(1min);
  }

  void hear(peer_id id, const peer_message& message) {
    if (const auto* append = std::get_if<append_entries>(&message))
      heard[{append->about.from, id}].push_back(append->number);
    else
      heard[{about(message).from, id}].push_back(0);
    heard_at.push_back(runtime.now() - runtime.started_at());
  }

  std::vector<std::uint64_t>& from_to(peer_id from, peer_id to) { return heard[{from, to}]; }

  stage_runtime runtime;
  packet_network network;
  std::map<std::pair<peer_id, peer_id>, std::vector<std::uint64_t>> heard;
  std::vector<duration> heard_at;
  std::uint64_t lost = 0;
};

way_quality late(duration least, duration most) {
  way_quality quality;
  quality.least_delay = least;
  quality.most_delay = most;
  return quality;
}

std::vector<std::uint64_t> up_to(std::uint64_t count) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 1; i <= count; ++i)
    numbers.push_back(i);
  return numbers;
}

} // namespace

TEST_CASE("A way that keeps order delivers each message once and none before an earlier one, however late they are") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    wire w{seed};
    w.network.set_quality(late(0ms, 200ms));
    w.say_many(one, two, 300);
    CHECK(w.from_to(one, two) == up_to(300));
    CHECK(w.lost == 0);
  }
}

TEST_CASE("A way that keeps no order delivers each message once, and some before earlier ones") {
  wire w;
  auto quality = late(0ms, 200ms);
  quality.in_order = false;
  w.network.set_quality(quality);
  w.say_many(one, two, 300);
  auto numbers = w.from_to(one, two);
  CHECK_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
  std::sort(numbers.begin(), numbers.end());
  CHECK(numbers == up_to(300));
}

TEST_CASE("No message is earlier or later than its way allows") {
  wire w;
  auto quality = late(20ms, 50ms);
  quality.in_order = false;
  w.network.set_quality(quality);
  for (std::uint64_t number = 1; number <= 200; ++number)
    w.say(one, two, number);
  w.runtime.run_for(1s);
  REQUIRE(w.heard_at.size() == 200);
  CHECK(w.heard_at.front() >= 20ms);
  CHECK(w.heard_at.front() < 22ms); // Chance comes near both ends.
  CHECK(w.heard_at.back() <= 50ms);
  CHECK(w.heard_at.back() > 48ms);
}

TEST_CASE("A cut loses what is on its way, in one direction only, and what comes after it is opened gets through") {
  wire w;
  w.network.set_quality(late(10ms, 10ms));
  w.say(one, two, 1);
  w.say(two, one, 1);
  w.runtime.run_for(5ms);
  w.network.cut(one, two, true);
  w.runtime.run_for(1ms);
  w.say(one, two, 2);
  w.say(two, one, 2);
  w.say(one, three, 2);
  w.runtime.run_for(1ms);
  w.network.cut(one, two, false); // Before the first would have arrived: it is lost all the same.
  w.say(one, two, 3);
  w.runtime.run_for(1s);
  CHECK(w.from_to(one, two) == std::vector<std::uint64_t>{3});
  CHECK(w.from_to(two, one) == std::vector<std::uint64_t>{1, 2});
  CHECK(w.from_to(one, three) == std::vector<std::uint64_t>{2});
  CHECK(w.lost == 2);
}

TEST_CASE("A way that is stuck is made anew: what was on it is lost, and what comes later waits for none of that") {
  wire all;
  auto slow = late(4s, 5s);
  slow.bytes_per_second = 1000;
  all.network.set_quality(slow);
  all.say(one, two, 1, 20'000); // Twenty seconds on the wire.
  all.say(two, one, 2);
  all.network.set_quality(way_quality{});
  all.network.renew_if_stuck(one, two, 20s);
  all.network.renew_if_stuck(two, one, 20s); // That one is only late.
  all.say(one, two, 3);
  all.say(two, one, 4);
  all.runtime.run_for(1ms);
  CHECK(all.from_to(one, two) == std::vector<std::uint64_t>{3});
  CHECK(all.from_to(two, one).empty()); // The other direction is another way: what keeps order waits.
  all.runtime.run_for(1min);
  CHECK(all.from_to(one, two) == std::vector<std::uint64_t>{3});
  CHECK(all.from_to(two, one) == std::vector<std::uint64_t>{2, 4});
  CHECK(all.lost == 1);
}

TEST_CASE("A way of its own quality leaves the others as they are, and quality for all takes it back") {
  wire w;
  way_quality deaf;
  deaf.loss_percent = 100;
  w.network.set_quality(one, two, deaf);
  w.say_many(one, two, 20);
  w.say_many(two, one, 20);
  w.say_many(one, three, 20);
  CHECK(w.from_to(one, two).empty());
  CHECK(w.from_to(two, one).size() == 20);
  CHECK(w.from_to(one, three).size() == 20);
  w.network.set_quality(way_quality{});
  w.say_many(one, two, 20);
  CHECK(w.from_to(one, two).size() == 20);
}

TEST_CASE("The share of lost messages is what was asked for, and every message arrives or is counted as lost") {
  wire w;
  way_quality quality;
  quality.loss_percent = 30;
  w.network.set_quality(quality);
  w.say_many(one, two, 4000);
  CHECK(w.lost > 1100); // 1200, and four times the deviation of 29.
  CHECK(w.lost < 1300);
  CHECK(w.from_to(one, two).size() + w.lost == 4000);
  CHECK(w.network.counts().sent == 4000);
}

TEST_CASE(
    "The share of doubled messages is what was asked for, and clients' requests and their answers are never doubled") {
  wire w;
  way_quality quality;
  quality.duplicate_percent = 25;
  w.network.set_quality(quality);
  w.say_many(one, two, 4000);
  auto& numbers = w.from_to(one, two);
  CHECK(numbers.size() > 4890); // 5000, and four times the deviation of 27.
  CHECK(numbers.size() < 5110);
  for (std::uint64_t number = 1; number <= 4000; ++number)
    REQUIRE(std::count(numbers.begin(), numbers.end(), number) <= 2);
  quality.duplicate_percent = 100;
  w.network.set_quality(quality);
  for (int i = 0; i < 50; ++i) {
    forward request;
    request.about = {group_id{}, one, three, term_number{1}};
    request.number = static_cast<std::uint64_t>(i);
    entry_block_builder block;
    block.add(entry_kind::command, "x");
    request.block = block.take();
    w.runtime.tell(w.network.link(one, three), request);
    forward_reply reply;
    reply.about = {group_id{}, three, one, term_number{1}};
    reply.refused = static_cast<std::uint8_t>(refusal::busy);
    w.runtime.tell(w.network.link(three, one), reply);
  }
  w.runtime.run_for(1s);
  CHECK(w.from_to(one, three).size() == 50);
  CHECK(w.from_to(three, one).size() == 50);
}

TEST_CASE("A slow way takes its time for each byte, and lets messages wait for those before them") {
  wire w;
  way_quality quality = late(0ms, 0ms);
  quality.bytes_per_second = 10'000;
  w.network.set_quality(quality);
  for (std::uint64_t number = 1; number <= 10; ++number)
    w.say(one, two, number, 1000);
  w.say(one, three, 1); // Another way is not slower for that.
  w.runtime.run_for(20ms);
  CHECK(w.from_to(one, three).size() == 1);
  w.runtime.run_for(980ms);
  CHECK(w.from_to(one, two).size() >= 8); // 1000 bytes and what is around them, each.
  CHECK(w.from_to(one, two).size() <= 9);
  w.runtime.run_for(500ms);
  CHECK(w.from_to(one, two) == up_to(10));
}

TEST_CASE("Nothing reaches the dead, and the dead are mute, the next life is neither") {
  wire w;
  const auto old_voice = w.network.link(one, two);
  w.say(two, one, 1);
  w.network.remove(one);
  w.say(two, one, 2);
  append_entries message;
  message.about = {group_id{}, one, two, term_number{1}};
  w.runtime.tell(old_voice, message);
  w.runtime.run_for(1s);
  CHECK(w.from_to(two, one).empty());
  CHECK(w.from_to(one, two).empty());
  w.network.open(one);
  w.network.put(one, [&](const peer_message& heard) { w.hear(one, heard); });
  w.runtime.tell(old_voice, message);
  w.say(one, two, 3);
  w.say(two, one, 4);
  w.runtime.run_for(1s);
  CHECK(w.from_to(two, one) == std::vector<std::uint64_t>{4});
  CHECK(w.from_to(one, two) == std::vector<std::uint64_t>{3});
}
