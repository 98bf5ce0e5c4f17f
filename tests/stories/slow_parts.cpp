// Slow disks, slow services, load, and the end of a peer.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

caf::strong_actor_ptr pointer(const auto& actor) {
  return caf::actor_cast<caf::strong_actor_ptr>(actor);
}

} // namespace

TEST_CASE("N19: commits reach a slow service in order and without gaps, and nobody else waits for it") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one("0", 3, true);
    const auto leader = group.check_one_leader();
    const auto slow = group.random(3); // May be the leader itself.
    const auto applier = pointer(group.node(slow).applier());
    std::uint64_t last = 1;
    for (int round = 0; round < 10; ++round) {
      group.runtime().hold(applier);
      for (int i = 0; i < 20; ++i, ++last)
        group.expect(group.start(leader, group.random_command()).is_leader, "the leader is gone");
      group.sleep(milliseconds{group.random(300)});
      group.runtime().release(applier);
      group.sleep(milliseconds{group.random(3)});
    }
    group.wait(last, 3);
    group.expect(group.check_one_leader() == leader, "a slow service cost a leader");
    group.end();
  });
}

TEST_CASE("N24: followers are sent the very bytes the leader wrote to its log - nothing is copied") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one("0", 3, true);
    const auto leader = group.check_one_leader();
    std::map<log_index, const char*> written;
    std::map<log_index, const char*> sent;
    int shared = 0;
    const auto disk = group.checker().disk_of(group.node(leader).id());
    disk->on_written = [&, before = disk->on_written](const log_write& write) {
      for (const auto& batch : write.append)
        written.emplace(batch.first(), batch.payload().data());
      before(write);
    };
    group.network().watch([&](const peer_message& message) {
      const auto* request = std::get_if<append_entries>(&message);
      if (request == nullptr)
        return;
      for (const auto& batch : request->batches) {
        const auto [first, is_new] = sent.emplace(batch.first(), batch.payload().data());
        if (!is_new && first->second != batch.payload().data())
          group.runtime().judge().fail("two followers are sent two copies of one batch");
        shared += !is_new;
      }
    });
    for (int i = 0; i < 50; ++i) {
      group.start(leader, std::string(1000, 'x'));
      if (i % 3 == 0)
        group.sleep(5ms);
    }
    group.sleep(1s);
    group.expect(shared >= 15, "the followers were not sent the same batches");
    for (const auto& [index, bytes] : sent)
      if (const auto own = written.find(index); own != written.end())
        group.expect(own->second == bytes, "the leader's log was given a copy of what was sent");
    group.end();
  });
}

TEST_CASE("N27: thousands of concurrent starts over a network that loses, delays and reorders") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, with_servers(5, false)};
    group.network().set_long_reordering(true);
    group.check_one_leader();
    std::uint64_t accepted = 0;
    for (int burst = 0; burst < 40; ++burst) {
      for (int server = 0; server < 5; ++server) {
        std::vector<std::string> commands;
        for (int i = 0; i < 100; ++i)
          commands.push_back(group.random_command());
        const auto replies = group.start_at_once(server, commands);
        for (std::size_t i = 1; i < replies.size(); ++i) {
          accepted += replies[i].is_leader;
          if (replies[i].is_leader && replies[i - 1].is_leader && replies[i].term == replies[i - 1].term)
            group.expect(replies[i].index == replies[i - 1].index.next(), "concurrent starts left a gap");
        }
      }
      group.sleep(milliseconds{group.random(100)});
      if (burst % 10 == 9)
        group.disconnect(group.check_one_leader());
      if (burst % 10 == 0)
        group.connect_all();
    }
    group.connect_all();
    group.network().set_reliable(true);
    group.network().set_long_reordering(false);
    const auto last = group.one("last", 5, true);
    group.expect(accepted >= 2000, "hardly anything was accepted: " + std::to_string(accepted));
    group.expect(last >= 1000, "hardly anything was agreed on: " + std::to_string(last));
    for (std::uint64_t index = 1; index <= last; ++index)
      group.expect(group.committed(index).servers == 5, "a server lacks index " + std::to_string(index));
    group.end();
  });
}

TEST_CASE("N8: a stopped peer says nothing, keeps no file and no actor, and disturbs nobody") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one("x", 3, true);
    const auto leader = group.check_one_leader();
    const auto stopped = group.chance().chance(50) ? leader : (leader + 1) % 3;
    group.start(leader, "in flight");
    group.runtime().tell(group.node(stopped).peer(), stop_peer{});
    group.runtime().settle();
    bool spoke = false;
    group.network().watch([&, id = group.node(stopped).id()](const peer_message& message) {
      spoke = spoke || about(message).from == id;
    });
    group.disconnect(stopped); // For the harness: it asks it no more.
    group.sleep(5s);
    group.expect(!spoke, "a stopped peer speaks");
    group.expect(group.node(stopped).is_over(), "a stopped peer leaves an actor, or its store open");
    group.expect(!group.node(stopped).begin_agreement(shared_bytes{"y"}).value_or(start_reply{}).is_leader,
                 "a stopped peer accepts a command");
    group.one("z", 2, true);
    group.end();
  });
}

TEST_CASE("Law 5: a leader whose disk hangs goes quiet and is replaced - one whose disk is idle is not") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one("x", 3, true);
    const auto leader = group.check_one_leader();
    group.node(leader).valve().stalled = true;
    group.sleep(5s);
    group.expect(group.state(leader).is_leader, "a leader with nothing to write was deposed");
    group.start(leader, "stuck");
    group.sleep(700ms); // The lease of 500 ms is over, and nobody else can have been elected yet.
    group.expect(!group.state(leader).is_leader, "a leader whose disk hangs does not step down by itself");
    auto beats = 0;
    group.network().watch([&](const peer_message& message) {
      beats += std::holds_alternative<append_entries>(message) && about(message).from == group.node(leader).id();
    });
    group.sleep(200ms);
    group.expect(beats == 0, "a leader whose disk hangs goes on beating");
    group.sleep(3s);
    group.expect(!group.state(leader).is_leader, "a leader whose disk hangs goes on leading");
    group.one("y", 2, true);
    group.node(leader).valve().open();
    group.one("z", 3, true);
    group.end();
  });
}

TEST_CASE("N26c, P1: power goes between a write and its sync, for one and for all: nothing acknowledged is lost") {
  over_seeds([](std::uint64_t seed) {
    auto options = with_servers(3, false);
    options.latency = {5ms, 80ms};
    course group{seed, options};
    std::uint64_t acknowledged = 0;
    for (int round = 0; round < 60; ++round) {
      for (int server = 0; server < 3; ++server)
        group.start(server, group.random_command());
      group.sleep(milliseconds{group.random(150)});
      while (group.committed(acknowledged + 1).servers > 0)
        ++acknowledged;
      const bool all = group.random(10) == 0;
      const auto one = group.random(3);
      if (!all && group.random(3) != 0)
        continue;
      for (int server = 0; server < 3; ++server)
        if (all || server == one)
          group.crash(server);
      group.sleep(milliseconds{group.random(50)});
      for (int server = 0; server < 3; ++server)
        if (!group.node(server).alive()) {
          group.restart(server);
          group.connect(server);
        }
      if (all)
        group.sleep(2s);
    }
    group.network().set_reliable(true);
    const auto last = group.one("last", 3, true);
    group.expect(last > acknowledged, "an acknowledged command is gone");
    group.expect(acknowledged > 0, "nothing was ever acknowledged");
    group.end();
  });
}
