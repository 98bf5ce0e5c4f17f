// What strangers, and members gone mad, say at the peer port of a living node.
#include "tests/clients/hostile.hpp"
#include "tests/links/raw_end.hpp"

#include <algorithm>
#include <deque>
#include <random>

using namespace troupe;
using troupe::testing::raw_end;

namespace {

/// What attacks on the peer port may cost a node, all of them together: buffers of a few connections at a time.
constexpr std::size_t most_growth = std::size_t{24} << 20;

std::string framed(link_frame type, std::string_view head) {
  std::vector<char> out;
  append_frame(out, type, head);
  return {out.data(), out.size()};
}

std::string framed(const encoded_message& message) {
  std::vector<char> out;
  append_frame(out, message);
  return {out.data(), out.size()};
}

/// A frame's header whose length field claims `length`; its checksum is not right.
std::string claim(std::uint32_t length) {
  auto bytes = framed(link_frame::hello, "x");
  for (int i = 0; i < 4; ++i)
    bytes[i] = static_cast<char>(length >> (8 * i));
  return bytes;
}

std::string noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 dice{seed};
  std::string bytes(size, '\0');
  for (auto& byte : bytes)
    byte = static_cast<char>(dice());
  return bytes;
}

append_entries heartbeat(peer_id from, peer_id to) {
  append_entries m;
  m.about = {group_id{}, from, to, term_number{1}};
  m.number = 1;
  return m;
}

/// A besieged cluster whose third node is dead: the attackers know what it said of itself, and say it.
struct impersonated_cluster : besieged_cluster {
  impersonated_cluster() {
    cluster.kill_hard(follower);
    const auto log = text_of(cluster.at(follower).log);
    const auto at = log.find("disk=");
    REQUIRE(at != std::string::npos);
    const auto text = log.substr(at + 5, log.find(' ', at) - at - 5);
    std::size_t byte = 0;
    for (std::size_t i = 0; i + 1 < text.size() && byte < stolen.disk.bytes.size(); ++i)
      if (text[i] != '-')
        stolen.disk.bytes[byte++] = static_cast<std::uint8_t>(std::stoul(text.substr(i++, 2), nullptr, 16));
    REQUIRE(to_string(stolen.disk) == text);
    stolen.cluster = "troupe";
    stolen.self = follower;
    const auto identity = text_of(cluster.at(follower).data_directory + "/identity");
    const auto life = identity.find("lives=");
    REQUIRE(life != std::string::npos);
    stolen.boot = 2;
    stolen.lives = {0x5701e9, std::stoull(identity.substr(life + 6, 16), nullptr, 16)};
  }

  [[nodiscard]] std::uint16_t peer_port() { return cluster.at(leader).peer.port; }
  [[nodiscard]] hello introduction() const { return introduce(stolen, leader); }

  /// A connection on which the leader believes us.
  [[nodiscard]] raw_end enter() { return troupe::testing::enter(peer_port(), stolen, leader); }

  link_identity stolen;
};

} // namespace

TEST_CASE("I-5 I-6 whoever introduces himself wrongly at a peer port is closed upon, and the log says why") {
  impersonated_cluster three;
  auto node = three.observe(three.leader);
  const auto before = node.most_resident_bytes();
  const auto with = [&](auto change) {
    auto words = three.introduction();
    change(words);
    return framed(link_frame::hello, encode(words));
  };
  const auto id = std::to_string(three.leader.value());
  const std::pair<std::string, std::string> attacks[] = {
      {noise(100'000, 1), "not a frame"},
      {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "not a frame"},
      {claim(0xffffffff), "frame longer than allowed"},
      {claim(0x7fffffff), "frame longer than allowed"},
      {framed(static_cast<link_frame>(999), "x"), "a link begins with an introduction"},
      {framed(link_frame::hello, "x"), "a link begins with an introduction"},
      {framed(encode(heartbeat(three.follower, three.leader))), "a link begins with an introduction"},
      {framed(link_frame::ping, "12345678"), "a link begins with an introduction"},
      {with([](hello& words) { words.magic = 0; }), "this is not a node of troupe"},
      {with([](hello& words) { words.version = 2; }), "the other end version 2"},
      {with([](hello& words) { words.cluster = "another"; }),
       "the other end to cluster \\\"another\\\": one of them was"},
      {with([](hello& words) { words.role = link_role::client; }), "serves peers only"},
      {with([](hello& words) { words.to = peer_id{99}; }), "wanted node 99"},
      {with([&](hello& words) { words.from = three.leader; }), "two nodes claim to be node " + id},
      {with([](hello& words) { words.from = peer_id{77}; }), "node 77 is not a member"},
      {with([](hello& words) { words.disk.bytes[0] ^= 1; }), "its data directory was wiped or replaced"},
  };
  for (const auto& [bytes, reason] : attacks) {
    CAPTURE(reason);
    auto end = raw_end::dial(three.peer_port());
    end.say(bytes);
    CHECK(end.is_closed_by_other());
    CHECK(node.logs(reason));
  }
  node.check_grew_at_most(most_growth, before);
  three.check_unshaken();
}

TEST_CASE("I-5 a member that has gone mad is closed upon, and the log says why") {
  impersonated_cluster three;
  auto node = three.observe(three.leader);
  const auto before = node.most_resident_bytes();
  auto stranger = heartbeat(peer_id{77}, three.leader);
  auto astray = heartbeat(three.follower, peer_id{77});
  auto torn = framed(encode(heartbeat(three.follower, three.leader)));
  torn.back() ^= 1;
  const std::pair<std::string, std::string> attacks[] = {
      {framed(link_frame::hello, encode(three.introduction())), "malformed message of type 1"},
      {framed(static_cast<link_frame>(999), "x"), "malformed message of type 999"},
      {framed(static_cast<link_frame>(18), "x"), "malformed message of type 18"},
      {framed(link_frame::ping, "x"), "malformed ping"},
      {framed(encode(stranger)), "a message whose ends are not those of its link"},
      {framed(encode(astray)), "a message whose ends are not those of its link"},
      {claim(0xffffffff), "frame longer than allowed"},
      {torn, "frame with a wrong checksum"},
      {claim(60u << 20), "no sign of life"},
      {framed(encode(heartbeat(three.follower, three.leader))).substr(0, 30), "no sign of life"},
      {"", "no sign of life"},
  };
  for (const auto& [bytes, reason] : attacks) {
    CAPTURE(reason);
    auto end = three.enter();
    end.say(bytes);
    CHECK(end.is_closed_by_other());
    CHECK(node.logs(reason));
  }
  // A group that this node does not know may be one it is to learn of: dropped, and the link stays.
  auto unknown_group = heartbeat(three.follower, three.leader);
  unknown_group.about.group = group_id{7};
  auto end = three.enter();
  end.say(framed(encode(unknown_group)));
  end.say(link_frame::ping, "12345678");
  const auto answer = end.hear();
  REQUIRE(answer);
  CHECK(answer->first == link_frame::pong);
  node.check_grew_at_most(most_growth, before);
  three.check_unshaken();
}

TEST_CASE("an introduction cut off anywhere, or dribbled a byte at a time, is waited for no longer than its time") {
  impersonated_cluster three;
  auto node = three.observe(three.leader);
  const auto before = node.most_resident_bytes();
  const auto whole = framed(link_frame::hello, encode(three.introduction()));
  // Not more at a time than may wait, so that each has its time.
  for (std::size_t first = 0; first < whole.size(); first += 40) {
    std::deque<raw_end> cut;
    for (auto length = first; length < std::min(first + 40, whole.size()); ++length)
      cut.push_back(raw_end::dial(three.peer_port())), cut.back().say(whole.substr(0, length));
    for (auto& end : cut)
      CHECK(end.is_closed_by_other());
  }
  CHECK(node.logs("no introduction in time"));
  auto slow = raw_end::dial(three.peer_port());
  std::size_t said = 0;
  while (said < whole.size() && slow.say(whole.substr(said, 1)))
    ++said, ::usleep(100'000);
  CHECK(said < whole.size());
  node.check_grew_at_most(most_growth, before);
  three.check_unshaken();
}

TEST_CASE("3,000 silent connections at a peer port keep no member out") {
  TROUPE_NEEDS_FILES(3500);
  impersonated_cluster three;
  auto node = three.observe(three.leader);
  const auto before = node.most_resident_bytes();
  const auto files = node.open_files();
  std::deque<raw_end> silent;
  for (int i = 0; i < 3000; ++i)
    silent.push_back(raw_end::dial(three.peer_port()));
  CHECK(node.open_files() < files + 200);
  const auto wrong = three.cluster.start(three.follower, std::chrono::seconds{30});
  CHECK_MESSAGE(!wrong, wrong.value_or(""));
  CHECK(becomes_true([&] {
    const auto leader = three.cluster.status_of(three.leader);
    return leader && std::all_of(leader->followers.begin(), leader->followers.end(), [](const follower_status& each) {
             return each.connected;
           });
  }));
  CHECK(node.logs("too many connections that have not introduced themselves"));
  node.check_grew_at_most(most_growth, before);
  silent.clear();
  CHECK(becomes_true([&] { return node.open_files() < files + 10; }));
  three.check_unshaken();
}

TEST_CASE("a node with another cluster's name serves nobody, disturbs nobody, and says why in its log") {
  impersonated_cluster three;
  auto& misnamed = three.cluster.at(three.follower);
  auto flags = three.cluster.flags(misnamed);
  *std::next(std::find(flags.begin(), flags.end(), "--data")) = three.directory() + "/another";
  flags.insert(flags.end(), {"--cluster", "another"});
  const auto log = three.directory() + "/another.log";
  std::string why;
  auto process = child_process::start(program_under_test(), flags, log, {}, why);
  REQUIRE_MESSAGE(process, why);
  const auto ready = process->read_line(std::chrono::seconds{20});
  REQUIRE(ready);
  CHECK(becomes_true([&] {
    return text_of(log).find("event=link_refused peer=" + std::to_string(three.leader.value()) + " reason=3")
        != std::string::npos;
  }));
  CHECK(text_of(log).find("one of them was started with another cluster's name") != std::string::npos);
  CHECK(three.call(three.follower, {"SET", "k", "1"}).is_error("CLUSTERDOWN"));
  CHECK(three.observe(three.leader).logs("one of them was started with another cluster's name"));
  three.check_unshaken();
}
