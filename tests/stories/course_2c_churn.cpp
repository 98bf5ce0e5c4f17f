// The course's tests of a group in constant unrest, and of many proposals over a bad network.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <list>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST_CASE("2C-5: many proposals in flight over a network that loses a fifth of its calls (N27)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, with_servers(5, false)};
    std::list<script> background;
    std::uint64_t index = 0;
    for (int round = 1; round < 50; ++round) {
      for (int i = 0; i < 4; ++i)
        background.push_back(group.agree(std::to_string(100 * round + i), 1, true, &index));
      group.one(std::to_string(round), 1, true);
    }
    group.network().set_reliable(true);
    for (auto& agreement : background)
      group.runtime().finish(agreement);
    group.one(100, 5, true);
    group.end();
  });
}

namespace {

/// A client of the churn tests: remembers what it saw succeed.
struct client {
  int number = 0;
  std::vector<std::string> succeeded;
};

script keep_starting(course& group, client& self, const bool& stop) {
  while (!stop) {
    const auto command = group.random_command();
    start_reply accepted;
    for (int server = 0; server < group.servers(); ++server)
      if (group.node(server).alive())
        if (const auto reply = group.start(server, command); reply.is_leader)
          accepted = reply;
    if (!accepted.is_leader) {
      co_await group.runtime().sleep(milliseconds{79 + self.number * 17});
      continue;
    }
    for (const auto pause : {10, 20, 50, 100, 200}) {
      const auto found = group.committed(accepted.index.value());
      if (found.servers > 0) {
        if (found.command == command)
          self.succeeded.push_back(command);
        break;
      }
      co_await group.runtime().sleep(milliseconds{pause});
    }
  }
}

void unsettle(course& group) {
  if (group.random(1000) < 200)
    group.disconnect(group.random(group.servers()));
  if (group.random(1000) < 500) {
    const auto server = group.random(group.servers());
    if (!group.node(server).alive())
      group.restart(server);
    group.connect(server);
  }
  if (group.random(1000) < 200) {
    const auto server = group.random(group.servers());
    if (group.node(server).alive())
      group.crash(server);
  }
}

void churn(std::uint64_t seed, bool reliable) {
  course group{seed, with_servers(5, reliable)};
  bool stop = false;
  std::vector<client> clients{{0, {}}, {1, {}}, {2, {}}};
  std::list<script> playing;
  for (auto& self : clients)
    playing.push_back(keep_starting(group, self, stop));
  for (int round = 0; round < 20; ++round) {
    unsettle(group);
    group.sleep(700ms);
  }
  group.sleep(1s);
  group.network().set_reliable(true);
  for (int server = 0; server < 5; ++server) {
    if (!group.node(server).alive())
      group.restart(server);
    group.connect(server);
  }
  stop = true;
  for (auto& part : playing)
    group.runtime().finish(part);
  group.sleep(1s);
  const auto last = group.one(group.random_command(), 5, true);
  std::vector<std::string> agreed;
  for (std::uint64_t index = 1; index <= last; ++index)
    agreed.push_back(group.wait(index, 5).value_or(""));
  std::sort(agreed.begin(), agreed.end());
  for (const auto& self : clients)
    for (const auto& command : self.succeeded)
      group.expect(std::binary_search(agreed.begin(), agreed.end(), command), "a client lost what it saw succeed");
  group.end();
}

} // namespace

TEST_CASE("2C-7: three clients, peers that come and go: nothing acknowledged is lost (N23, N26c)") {
  over_seeds([](std::uint64_t seed) { churn(seed, true); });
}

TEST_CASE("2C-8: the same over a bad network (N23, N26c)") {
  over_seeds([](std::uint64_t seed) { churn(seed, false); });
}
