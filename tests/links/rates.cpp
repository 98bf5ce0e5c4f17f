// How fast links are. Not run by ctest: figures want a quiet machine and a pair of eyes.
//
//   bin/links_tests --no-skip -tc="rates*"
#include "actors/placement.hpp"
#include "tests/links/host.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::testing {

/// What one run does.
struct run_plan {
  std::size_t payload_bytes;
  std::uint64_t window; ///< Requests in flight; as many as `total`: tells that nothing holds back.
  std::uint64_t total;
};

struct run_over {
  double seconds = 0;
  double median_us = 0;
  double p99_us = 0;
};

using run_listener = caf::typed_actor<caf::reacts_to<run_over>>;

/// Both ends' peer: answers each request, and when told `timeout_now` keeps `window` requests in flight itself.
template <class Base>
class measuring_peer : public Base {
public:
  measuring_peer(caf::actor_config& config, raft_actor out, run_plan plan, run_listener listener)
      : Base{config}, out_{std::move(out)}, plan_{plan}, listener_{std::move(listener)} {}

private:
  typename Base::behavior_type make_behavior() override {
    return {
        [](const request_vote&) {},
        [](const vote_reply&) {},
        [this](const append_entries& m) { answer(m); },
        [this](const append_reply& m) { hear(m.number); },
        [](const install_snapshot&) {},
        [](const snapshot_reply&) {},
        [this](const timeout_now&) { run(); },
        [](const forward&) {},
        [](const forward_reply&) {},
    };
  }

  void on_exit() override {
    out_ = nullptr;
    listener_ = nullptr;
  }

  void run() {
    request_ = plan_.payload_bytes == 0 ? heartbeat(1, 2, 0) : request_of(1, 2, plan_.payload_bytes);
    begun_ = std::chrono::steady_clock::now();
    sent_at_.resize(plan_.total + 1);
    for (std::uint64_t n = 1; n <= plan_.window; ++n)
      ask();
  }

  void ask() {
    request_.number = ++asked_;
    sent_at_[asked_] = std::chrono::steady_clock::now();
    this->send(out_, request_);
  }

  void answer(const append_entries& m) {
    const bool only_tells = plan_.window == plan_.total;
    if (only_tells && m.number != plan_.total)
      return;
    append_reply reply;
    reply.about = {m.about.group, peer_id{2}, peer_id{1}, m.about.term};
    reply.number = m.number;
    this->send(out_, std::move(reply));
  }

  void hear(std::uint64_t number) {
    const auto now = std::chrono::steady_clock::now();
    times_us_.push_back(std::chrono::duration<double, std::micro>(now - sent_at_[number]).count());
    if (number == plan_.total)
      report(now);
    else if (asked_ < plan_.total)
      ask();
  }

  void report(instant now) {
    std::sort(times_us_.begin(), times_us_.end());
    this->send(listener_,
               run_over{std::chrono::duration<double>(now - begun_).count(), times_us_[times_us_.size() / 2],
                        times_us_[times_us_.size() * 99 / 100]});
  }

  raft_actor out_;
  run_plan plan_;
  run_listener listener_;
  append_entries request_;
  instant begun_;
  std::uint64_t asked_ = 0;
  std::vector<instant> sent_at_;
  std::vector<double> times_us_;
};

} // namespace troupe::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::testing::run_over)

using namespace troupe;
using namespace troupe::testing;

namespace {

/// Dials `remote` and lets a measuring peer hear what comes in.
raft_actor open_measuring(host& here, std::uint64_t remote, std::uint16_t port, placement where, run_plan plan) {
  const auto listener = caf::actor_cast<link_listener>(here.listener);
  here.dialers = spawn_dialers(here.system, here.options, {{peer_id{remote}, {"127.0.0.1", port}}}, listener);
  auto peer = spawn_at<measuring_peer, raft_actor>(here.system, where, raft_actor{here.dialers.at(peer_id{remote})},
                                                   plan, caf::actor_cast<run_listener>(here.local));
  here.door = std::get<link_door>(spawn_acceptor(here.system, here.options, {}, here.dialers, peer, listener));
  return peer;
}

run_over measure(placement where, run_plan plan) {
  host one{options_of(1)};
  host two{options_of(2)};
  for (auto* here : {&one, &two}) {
    here->options.listen.port = free_port();
    here->options.dead_after = 5s;
    here->options.queue_bytes = std::size_t{1} << 30; // Tells come without a window.
  }
  const auto asking = open_measuring(one, 2, two.options.listen.port, where, plan);
  const auto answering = open_measuring(two, 1, one.options.listen.port, where, plan);
  one.await_up(2);
  two.await_up(1);
  caf::anon_send(asking, timeout_now{});
  const auto over = await<run_over>(one.local);
  caf::anon_send_exit(asking, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(answering, caf::exit_reason::user_shutdown);
  return over;
}

} // namespace

TEST_CASE("rates of a link between two actor systems, over loopback" * doctest::skip()) {
  for (const auto& [name, where] : {std::pair{"io", placement::io}, std::pair{"scheduled", placement::scheduled}})
    for (const auto& plan : {run_plan{0, 1, 20'000}, run_plan{0, 32, 200'000}, run_plan{0, 512, 400'000},
                             run_plan{0, 400'000, 400'000}, run_plan{65536, 1, 4'000}, run_plan{65536, 8, 8'000},
                             run_plan{1048576, 1, 500}, run_plan{1048576, 4, 1'000}}) {
      const auto over = measure(where, plan);
      std::printf(
          "peer=%-9s payload_bytes=%-7zu window=%-6llu per_s=%-9.0f mb_per_s=%-6.0f p50_us=%-7.0f p99_us=%.0f\n", name,
          plan.payload_bytes, static_cast<unsigned long long>(plan.window), plan.total / over.seconds,
          plan.total * plan.payload_bytes / over.seconds / 1e6, over.median_us, over.p99_us);
    }
}
