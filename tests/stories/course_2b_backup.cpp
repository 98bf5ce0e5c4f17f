// 2B-9, and what it means but does not test: that a leader goes back by terms.
#include "tests/support/course.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// Counts how often each follower refuses AppendEntries because the logs differ.
class refusals {
public:
  explicit refusals(course& group) {
    group.network().watch([count = count_](const peer_message& message) {
      if (const auto* reply = std::get_if<append_reply>(&message); reply && !reply->success)
        ++(*count)[{reply->about.from, reply->about.to}];
    });
  }
  /// The most that one leader had from one follower.
  [[nodiscard]] int most() const {
    int most = 0;
    for (const auto& [pair, times] : *count_)
      most = std::max(most, times);
    return most;
  }
  void forget() { count_->clear(); }

private:
  std::shared_ptr<std::map<std::pair<peer_id, peer_id>, int>> count_ =
      std::make_shared<std::map<std::pair<peer_id, peer_id>, int>>();
};

void start_fifty(course& group, int server) {
  for (int i = 0; i < 50; ++i)
    group.start(server, group.random_command());
}

void agree_on_fifty(course& group, int expected) {
  for (int i = 0; i < 50; ++i)
    group.one(group.random_command(), expected, true);
}

} // namespace

TEST_CASE("2B-9: a leader repairs long wrong logs, with a handful of refusals instead of fifty (N20, N25)") {
  over_seeds([](std::uint64_t seed) {
    course group{seed, 5};
    refusals refused{group};
    group.one(group.random_command(), 5, true);
    // Fifty entries at a leader in a minority of two.
    const auto first = group.check_one_leader();
    for (int i = 2; i <= 4; ++i)
      group.disconnect((first + i) % 5);
    start_fifty(group, first);
    group.sleep(500ms);
    group.disconnect(first);
    group.disconnect((first + 1) % 5);
    // Fifty agreed on by the other three.
    for (int i = 2; i <= 4; ++i)
      group.connect((first + i) % 5);
    agree_on_fifty(group, 3);
    // Fifty more that cannot be committed.
    const auto second = group.check_one_leader();
    auto other = (first + 2) % 5;
    if (other == second)
      other = (second + 1) % 5;
    group.disconnect(other);
    start_fifty(group, second);
    group.sleep(500ms);
    // The first leader with its follower, and the one that was left out.
    for (int server = 0; server < 5; ++server)
      group.disconnect(server);
    refused.forget();
    for (const auto server : {first, (first + 1) % 5, other})
      group.connect(server);
    agree_on_fifty(group, 3);
    group.connect_all();
    group.one(group.random_command(), 5, true);
    group.expect(refused.most() <= 6,
                 "a follower refused " + std::to_string(refused.most())
                     + " times; one refusal per conflicting term is enough");
    group.end();
  });
}
