// SIGSTOP of the leader: it wakes up in a world that went on without it, and must not tell what it remembers.
#include "tests/process/chance.hpp"
#include "tests/process/real_cluster.hpp"
#include "tests/process/register_clients.hpp"

#include <csignal>
#include <future>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> quick = {"--heartbeat", "50ms", "--election-timeout", "250ms..500ms"};
constexpr duration election_timeout_max = 500ms;
constexpr int connections = 8;
constexpr duration answer_patience = 60s;

instant now() {
  return std::chrono::steady_clock::now();
}

std::string milliseconds(duration time) {
  return std::to_string(time / 1ms) + " ms";
}

// How long to stop the leader, one after the other: about as long as an election takes, and far longer.
std::vector<duration> pauses(seeded_dice& dice) {
  std::vector<duration> all{100ms, 300ms, 1s, 3s};
  for (int i = 0; i < 4; ++i)
    all.push_back(std::chrono::milliseconds{200 + dice.below(600)});
  if (is_long_form())
    for (int i = rounds(0); i > 0; --i)
      all.push_back(i % 10 == 0 ? duration{10s} : duration{std::chrono::milliseconds{100 + dice.below(3000)}});
  return all;
}

// What a stopped leader is asked, and what it says when it goes on.
class stopped_leader {
public:
  stopped_leader(real_cluster& cluster, peer_id leader, std::string key)
      : cluster_{cluster}, leader_{leader}, key_{std::move(key)} {
    for (int i = 0; i < connections; ++i) {
      open_.push_back(resp_client::connect(cluster.cluster.at(leader).client, 10s));
      REQUIRE(open_.back().is_open());
      // Not one of the connections is new to the leader when it is stopped.
      (void)open_.back().call({"GET", key_}, answer_patience);
    }
    cluster.cluster.at(leader).process->send_signal(SIGSTOP);
    stopped_at_ = now();
  }
  ~stopped_leader() { go_on(); }

  // Writes through another node, which may take until there is another leader. False if there is none within `time`.
  [[nodiscard]] bool overwrite(const std::string& value, duration time) {
    const auto other = cluster_.other_than(leader_);
    return comes_true([&] { return cluster_.call(other, {"SET", key_, value}).is_ok(); }, time);
  }

  // Half of the connections ask now, while nobody hears them.
  void ask_into_the_socket() {
    for (int i = 0; i < connections / 2; ++i)
      early_.push_back(std::async(std::launch::async, [this, i] {
        return open_[static_cast<std::size_t>(i)].call({"GET", key_}, answer_patience);
      }));
  }

  void go_on() const { cluster_.cluster.at(leader_).process->send_signal(SIGCONT); }

  // All answers: those to earlier questions, and of the other half of the connections, asked at once.
  [[nodiscard]] std::vector<resp_reply> answers() {
    std::vector<std::future<resp_reply>> late;
    for (int i = connections / 2; i < connections; ++i)
      late.push_back(std::async(std::launch::async, [this, i] {
        return open_[static_cast<std::size_t>(i)].call({"GET", key_}, answer_patience);
      }));
    std::vector<resp_reply> all;
    for (auto* asked : {&early_, &late})
      for (auto& each : *asked)
        all.push_back(each.get());
    return all;
  }

  [[nodiscard]] duration stopped_for() const { return now() - stopped_at_; }

private:
  real_cluster& cluster_;
  peer_id leader_;
  std::string key_;
  instant stopped_at_;
  std::vector<resp_client> open_;
  std::vector<std::future<resp_reply>> early_;
};

bool tells(const resp_reply& reply, const std::string& value) {
  return reply.what == resp_reply::kind::bulk && reply.text == value;
}

bool is_error_or_lost(const resp_reply& reply) {
  return reply.is_lost() || reply.what == resp_reply::kind::error;
}

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE("Q1 Q3 a leader that was stopped by SIGSTOP serves nothing stale when it goes on") {
  seeded_dice dice;
  INFO(dice.words());
  real_cluster three{3, quick};
  INFO(three.log_tails());
  three.start_all();
  register_clients others{three.doors(), 6, 3, dice.seed};
  int overwritten = 0;
  std::size_t told = 0;
  std::size_t silent = 0;
  const auto all = pauses(dice);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto key = "paused:" + std::to_string(i);
    const auto leader = three.await_leader();
    three.set(leader, key, "old");
    stopped_leader stopped{three, leader, key};
    // A short stop ends before there is another leader: then only the registers' history can tell.
    const bool is_long = all[i] > 2 * election_timeout_max;
    const bool is_new = is_long && stopped.overwrite("new", 60s);
    REQUIRE_MESSAGE(is_new == is_long, "nobody took over from a leader that is stopped");
    stopped.ask_into_the_socket();
    std::this_thread::sleep_for(all[i] - stopped.stopped_for());
    stopped.go_on();
    for (const auto& reply : stopped.answers()) {
      REQUIRE_MESSAGE((is_error_or_lost(reply) || tells(reply, is_new ? "new" : "old")), "after ", milliseconds(all[i]),
                      ": '", reply.text, "'");
      ++(is_error_or_lost(reply) ? silent : told);
    }
    overwritten += is_new ? 1 : 0;
    REQUIRE(three.get(leader, key) == (is_new ? "new" : "old")); // It serves again.
    if ((i + 1) % 10 == 0)
      say_progress("stop " + std::to_string(i + 1) + " of " + std::to_string(all.size()) + ", " + dice.words());
  }
  const auto wrong = others.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong);
  REQUIRE(overwritten >= 1);
  REQUIRE(told > 0);
  say_progress(std::to_string(all.size()) + " stops, " + std::to_string(overwritten) + " with another leader; "
               + std::to_string(told) + " answers with the value, " + std::to_string(silent) + " errors; "
               + others.tally());
}

TEST_SUITE_END();
