// SIGSTOP of the leader: it wakes up in a world that went on without it, and must not tell what it remembers.
#include "app/resp_reply.hpp"
#include "tests/clients/clients.hpp"
#include "tests/process/chance.hpp"
#include "tests/process/real_cluster.hpp"
#include "tests/process/register_clients.hpp"

#include <csignal>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

// Followers stand for election long before a leader would think that it has lost touch with them: one that goes on as
// soon as it has been replaced believes that it leads.
const std::vector<std::string> wide = {"--heartbeat", "50ms", "--election-timeout", "200ms..2s"};
constexpr int connections = 9;

instant now() {
  return std::chrono::steady_clock::now();
}

std::string milliseconds(duration time) {
  return std::to_string(time / 1ms) + " ms";
}

struct pause {
  duration at_least;
  bool is_overwritten; // It ends no sooner than another leader has acknowledged a newer value.
};

// About as long as an election takes, and far longer.
std::vector<pause> pauses(seeded_dice& dice) {
  std::vector<pause> all{{100ms, false}, {500ms, false}, {1s, true}, {3s, true}};
  for (int i = 0; i < 8; ++i)
    all.push_back({0ms, true});
  for (int i = is_long_form() ? rounds(0) : 0; i > 0; --i) {
    if (i % 10 == 0)
      all.push_back({10s, true});
    else
      all.push_back({std::chrono::milliseconds{dice.below(3000)}, dice.below(3) != 0});
  }
  return all;
}

resp_reply hear_reply(raw_connection& from) {
  resp_reply_reader reader;
  resp_reply reply;
  for (int silent = 0; silent < 6 && !from.ended;) {
    const auto heard = from.hear(1);
    silent += heard.empty() ? 1 : 0;
    reader.feed(heard);
    if (reader.next(reply) == resp_reply_reader::outcome::reply)
      return reply;
  }
  return {};
}

// A leader that is stopped, with connections that were in use before.
class stopped_leader {
public:
  stopped_leader(real_cluster& cluster, peer_id leader, const std::string& key)
      : cluster_{cluster}, leader_{leader}, key_{key}, rest_{"$" + std::to_string(key.size()) + "\r\n" + key + "\r\n"} {
    for (int i = 0; i < connections; ++i) {
      open_.push_back(std::make_unique<raw_connection>(cluster.cluster.at(leader).client.port));
      open_.back()->say(verb + rest_);
      (void)hear_reply(*open_.back());
    }
    cluster.cluster.at(leader).process->send_signal(SIGSTOP);
    stopped_at_ = now();
    // A third of the questions begins now: what is first heard of when the node goes on, and ends when they are asked.
    for (int i = 0; i < connections / 3; ++i)
      open_[static_cast<std::size_t>(i)]->say(verb);
  }
  ~stopped_leader() { go_on(); }

  // Writes through another node, which takes until there is another leader.
  void overwrite(const std::string& value) {
    const auto other = cluster_.other_than(leader_);
    REQUIRE_MESSAGE(comes_true(
                        [&] {
                          return cluster_.call(other, {"SET", key_, value}).is_ok();
                        },
                        60s),
                    "nobody took over from a leader that is stopped");
  }

  // Two thirds of the connections ask now, while nobody hears them.
  void ask_into_the_socket() {
    for (int i = 0; i < connections * 2 / 3; ++i)
      open_[static_cast<std::size_t>(i)]->say(i < connections / 3 ? rest_ : verb + rest_);
  }

  void go_on() const { cluster_.cluster.at(leader_).process->send_signal(SIGCONT); }

  // All answers: those to earlier questions, and of the last third of the connections, asked at once.
  [[nodiscard]] std::vector<resp_reply> answers() {
    for (int i = connections * 2 / 3; i < connections; ++i)
      open_[static_cast<std::size_t>(i)]->say(verb + rest_);
    std::vector<resp_reply> all;
    for (const auto& each : open_)
      all.push_back(hear_reply(*each));
    return all;
  }

  [[nodiscard]] duration stopped_for() const { return now() - stopped_at_; }

private:
  inline static const std::string verb = "*2\r\n$3\r\nGET\r\n";

  real_cluster& cluster_;
  peer_id leader_;
  std::string key_;
  std::string rest_;
  instant stopped_at_;
  std::vector<std::unique_ptr<raw_connection>> open_;
};

bool is_error_or_lost(const resp_reply& reply) {
  return reply.is_lost() || reply.what == resp_reply::kind::error;
}

} // namespace

TEST_SUITE_BEGIN("faults");

TEST_CASE("Q1 Q3 a leader that was stopped by SIGSTOP serves nothing stale when it goes on") {
  seeded_dice dice;
  INFO(dice.words());
  real_cluster three{3, wide};
  INFO(three.log_tails());
  three.start_all();
  register_clients others{three.doors(), 6, 3, dice.seed};
  std::size_t told = 0;
  std::size_t silent = 0;
  const auto all = pauses(dice);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto [at_least, is_overwritten] = all[i];
    const auto key = "paused:" + std::to_string(i);
    const auto leader = three.await_leader();
    three.set(leader, key, "old");
    stopped_leader stopped{three, leader, key};
    const std::string value = is_overwritten ? "new" : "old";
    if (is_overwritten)
      stopped.overwrite(value);
    stopped.ask_into_the_socket();
    std::this_thread::sleep_for(at_least - stopped.stopped_for());
    const auto stopped_for = milliseconds(stopped.stopped_for());
    stopped.go_on();
    for (const auto& reply : stopped.answers()) {
      ++(is_error_or_lost(reply) ? silent : told);
      REQUIRE_MESSAGE((is_error_or_lost(reply) || reply.text == value), "stopped for ", stopped_for, ", node ",
                      leader.value(), " said '", reply.text, "'");
    }
    REQUIRE(three.get(leader, key) == value); // It serves again.
    if ((i + 1) % 10 == 0)
      say_progress("stop " + std::to_string(i + 1) + " of " + std::to_string(all.size()) + ", " + dice.words());
  }
  const auto wrong = others.judge();
  REQUIRE_MESSAGE(wrong.empty(), wrong);
  REQUIRE(told > 0);
  say_figure(std::to_string(told) + " answers of leaders that had been stopped, " + std::to_string(silent)
             + " errors; meanwhile " + others.tally());
}

TEST_SUITE_END();
