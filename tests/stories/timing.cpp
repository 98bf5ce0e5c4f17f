// When things happen: heartbeats, election timeouts, commits; and what idleness costs.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("N6: a heartbeat is an AppendEntries without entries, ten a second to each follower at most") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one("x", 3, true);
    const auto leader = group.check_one_leader();
    std::map<peer_id, int> beats;
    std::uint64_t others = 0;
    group.network().watch([&](const peer_message& message) {
      if (const auto* request = std::get_if<append_entries>(&message)) {
        ++beats[request->about.to];
        others += request->batches.empty() ? 0 : 1;
      } else {
        others += std::holds_alternative<append_reply>(message) ? 0 : 1;
      }
    });
    group.sleep(10s);
    group.expect(others == 0, "an idle group says more than heartbeats and their answers");
    for (int follower = 0; follower < 3; ++follower) {
      const auto heard = beats[group.node(follower).id()];
      group.expect(follower == leader ? heard == 0 : heard >= 95 && heard <= 100,
                   std::to_string(heard) + " heartbeats in ten seconds");
    }
    group.end();
  });
}

TEST_CASE("N7: election timeouts are drawn anew each time, from 500 to 1000 ms, and differ between peers") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 5};
    for (int server = 0; server < 5; ++server)
      group.disconnect(server);
    // Alone, each runs again and again; a new attempt has a new round.
    std::map<peer_id, std::vector<std::pair<std::uint64_t, instant>>> attempts;
    group.network().watch([&](const peer_message& message) {
      const auto* request = std::get_if<request_vote>(&message);
      if (request == nullptr)
        return;
      auto& mine = attempts[request->about.from];
      if (mine.empty() || mine.back().first != request->round)
        mine.emplace_back(request->round, group.runtime().now());
    });
    group.sleep(20s);
    std::set<duration> waits;
    std::size_t count = 0;
    for (const auto& [peer, runs] : attempts) {
      group.expect(runs.size() >= 19, "a peer without a leader has not run often enough");
      for (std::size_t i = 1; i < runs.size(); ++i) {
        const auto wait = runs[i].second - runs[i - 1].second;
        group.expect(wait >= 500ms && wait <= 1000ms, "an election timeout out of bounds");
        waits.insert(wait);
        ++count;
      }
    }
    group.expect(waits.size() > count * 9 / 10, "election timeouts repeat themselves");
    group.end();
  });
}

TEST_CASE("N17: a command is committed at the speed of network and disk, not at the next heartbeat") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one("first", 3, true);
    const auto leader = group.check_one_leader();
    for (std::uint64_t index = 2; index < 30; ++index) {
      group.sleep(std::chrono::milliseconds{group.random(200)});
      const auto began = group.runtime().now();
      group.expect(group.start(leader, "x").index == log_index{index}, "a command got the wrong index");
      group.runtime().run_until(began + 5ms, [&] { return group.committed(index).servers >= 1; });
      group.expect(group.committed(index).servers >= 1, "not committed after two syncs of 2 ms at most");
      group.runtime().run_until(began + 20ms, [&] { return group.committed(index).servers == 3; });
      group.expect(group.committed(index).servers == 3, "a follower waits for the next heartbeat to commit");
    }
    group.end();
  });
}

TEST_CASE("N17: an idle group does next to nothing: no actor spins") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    group.one("x", 3, true);
    group.sleep(1s);
    const auto before = group.runtime().steps();
    group.sleep(10s);
    // Ten heartbeats a second to two followers, each a few messages inside leader and follower.
    const auto per_second = (group.runtime().steps() - before) / 10;
    group.expect(per_second <= 250, std::to_string(per_second) + " messages a second while idle");
    group.end();
  });
}

TEST_CASE("E6, N12: a peer that was cut off for a minute comes back and deposes nobody") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 5};
    const auto leader = group.check_one_leader();
    const auto away = (leader + 1) % 5;
    group.disconnect(away);
    group.sleep(60s);
    const auto term = group.check_terms();
    group.connect(away);
    group.sleep(3s);
    group.expect(group.check_one_leader() == leader && group.check_terms() == term, "its return changed the leader");
    group.end();
  });
}

TEST_CASE("E8: a leader that can send but not hear steps down, and another one leads") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 3};
    const auto leader = group.check_one_leader();
    group.one("x", 3, true);
    // Its requests arrive; nothing comes back, replies included.
    group.network().deafen(group.node(leader).id());
    group.sleep(5s);
    group.expect(!group.state(leader).is_leader, "a leader that hears nobody goes on leading");
    group.one("y", 2, true);
    group.end();
  });
}
