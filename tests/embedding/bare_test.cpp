// The bare interface: peers in an actor system of the test's, that speak with each other directly.
#include "tests/embedding/trio.hpp"

#include <memory>

#include <poll.h>

using namespace troupe;
using namespace troupe::embedding;
using namespace std::chrono_literals;

namespace {

/// A store in memory whose every write takes a while.
class slow_store final : public storage {
public:
  recovered_group recover(group_id, std::size_t) override {
    recovered_group found;
    found.vote = vote_;
    for (const auto& batch : log_) {
      if (found.terms.empty() || found.terms.back().term != batch.term())
        found.terms.push_back({batch.first(), batch.term()});
      found.last = batch.last();
    }
    found.tail = log_;
    return found;
  }

  void submit(std::vector<log_write> writes, std::function<void()> done) override {
    ::poll(nullptr, 0, 100); // What is written here is slow, not awaited: nothing below depends on how slow.
    for (auto& write : writes) {
      vote_ = write.vote.value_or(vote_);
      for (auto& batch : write.append)
        log_.push_back(std::move(batch));
    }
    done();
  }

  read_plan plan_read(const log_range&) override {
    return [] { return std::vector<entry_batch>{}; };
  }

private:
  hard_state vote_;
  std::vector<entry_batch> log_;
};

} // namespace

SCENARIO("N1 N2 N3: peers made from each other's handles agree, answer at once, and deliver in order") {
  trio world;
  world.make_all();
  world.begin_all();
  const auto leader = world.await_leader();
  std::vector<std::pair<log_index, std::string>> expected;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    const auto reply = world.start(world.peers[leader], "command " + std::to_string(i));
    REQUIRE(reply.is_leader);
    CHECK(reply.index == log_index{i}); // The first command has index 1, and they are consecutive.
    expected.emplace_back(log_index{i}, "command " + std::to_string(i));
  }
  const auto heard = world.hear(300);
  for (const auto id : world.ids)
    CHECK(heard.at(id) == expected);
  for (const auto& [id, peer] : world.peers)
    if (id != leader)
      CHECK_FALSE(world.start(peer, "for the leader").is_leader);
}

TEST_CASE("N8: when a peer's end is reported, its files are closed, and another may be made of them") {
  trio world;
  world.make_all();
  world.begin_all();
  const auto leader = world.await_leader();
  REQUIRE(world.start(world.peers[leader], "kept").is_leader);
  (void)world.hear(3);
  const auto stopped = leader;
  caf::anon_send(world.peers[stopped], stop_peer{});
  world.await_end(world.peers[stopped]);
  // The directory would still be locked otherwise.
  world.peers[stopped] = make(world.system, world.parts(stopped));
  world.begin_all();
  // What an earlier term left is committed with a command of a later one (§5.4.2).
  CHECK(eventually([&] { return world.start(world.peers[world.await_leader()], "and more").is_leader; }));
  const auto heard = world.hear(4);
  CHECK(heard.at(stopped).front().second == "kept");
  CHECK(heard.at(stopped).back().second == "and more");
}

TEST_CASE("N8: a peer that is stopped before it began ends quietly, and begins no more") {
  trio world;
  world.make_all();
  auto& peer = world.peers[peer_id{1}];
  caf::anon_send(peer, stop_peer{});
  caf::anon_send(peer, begin{});
  world.await_end(peer);
}

TEST_CASE("N7: peers with equal options, and so with equal seeds, do not run for leader in lockstep") {
  trio world;
  world.equal_seeds = true;
  world.make_all();
  world.begin_all();
  const auto leader = world.await_leader();
  CHECK(world.state(world.peers[leader]).term <= term_number{3});
}

TEST_CASE("a member that is introduced later is replicated to by the leader there is") {
  trio world;
  world.make_all();
  const auto late = peer_id{3};
  std::map<peer_id, raft_actor> early{world.peers.begin(), world.peers.end()};
  early.erase(late);
  for (const auto& [id, peer] : world.peers)
    if (id != late)
      caf::anon_send(peer, begin{early});
  const auto leader = world.await_leader();
  REQUIRE(world.start(world.peers[leader], "before").is_leader);
  (void)world.hear(2);
  world.begin_all();
  CHECK(world.hear(1).at(late).front().second == "before");
}

TEST_CASE("a group of a shared disk has one peer at a time, and the next finds all that the last one wrote") {
  trio world;
  world.ids.resize(1);
  auto store = std::make_shared<slow_store>();
  const auto disk = open_disk(world.system, store);
  const auto parts = [&] {
    auto made_of = world.parts(peer_id{1});
    made_of.store = nullptr;
    made_of.disk = disk;
    return made_of;
  };
  auto peer = world.peers[peer_id{1}] = make(world.system, parts());
  CHECK_THROWS_WITH_AS((void)make(world.system, parts()), doctest::Contains("belongs to a peer that lives"),
                       std::runtime_error);
  world.begin_all();
  REQUIRE(world.await_leader() == peer_id{1});
  std::uint64_t accepted = 0;
  for (int i = 0; i < 3; ++i)
    accepted += world.start(peer, "written").is_leader;
  REQUIRE(accepted == 3);
  caf::anon_send(peer, stop_peer{}); // With its writes still waiting for the disk.
  world.await_end(peer);
  auto next = make(world.system, parts());
  CHECK(world.state(next).last == log_index{3});
  caf::anon_send(next, stop_peer{});
  world.await_end(next);
  close_disk(disk);
}

TEST_CASE("a peer whose service has ended stops") {
  trio world;
  world.make_all();
  world.begin_all();
  const auto leader = world.await_leader();
  caf::anon_send_exit(world.services[leader], caf::exit_reason::user_shutdown);
  world.await_end(world.peers[leader]);
}

TEST_CASE("N19: a slow service is handed no more than the bound of the apply backlog") {
  trio world;
  world.ids.resize(1);
  auto made_of = world.parts(peer_id{1});
  made_of.options.limits.apply_backlog_bytes = 10'000;
  made_of.options.limits.uncommitted_bytes = 1 << 20;
  made_of.options.limits.proposal_bytes = 1 << 20;
  // A blocking actor looks at its mailbox only when it wants to.
  made_of.service = caf::actor_cast<service_actor>(world.test);
  auto peer = world.peers[peer_id{1}] = make(world.system, std::move(made_of));
  world.begin_all();
  // Asked from elsewhere: the test's own mailbox is the slow service's.
  caf::scoped_actor asker{world.system};
  std::uint64_t accepted = 0;
  bool took = true;
  const auto until = std::chrono::steady_clock::now() + patience;
  while ((took || accepted < 100) && std::chrono::steady_clock::now() < until) {
    asker->request(peer, patience, start{shared_bytes{std::string(1000, 'x')}})
        .receive([&](const start_reply& reply) { took = reply.is_leader; }, [](const caf::error&) {});
    accepted += took;
  }
  CHECK_FALSE(took);      // In the end there is no room, though everything is committed.
  CHECK(accepted < 1200); // Of 1 MiB and what is handed over.
  peer_state state;
  asker->request(peer, patience, ask_state{})
      .receive([&](const peer_state& answer) { state = answer; }, [](const caf::error&) {});
  CHECK(state.applied == log_index{});
  // It gets through: all of it, in order, and there is room again.
  for (std::uint64_t i = 1; i <= accepted; ++i)
    world.test->receive([&](const applied_command& m) { REQUIRE(m.index == log_index{i}); },
                        caf::after(patience) >> [] { FAIL("a command was not delivered"); });
}

TEST_CASE("a port of a bare peer with a state machine answers requests") {
  trio world;
  world.ids.resize(1);
  auto made_of = world.parts(peer_id{1});
  made_of.service = nullptr;
  made_of.machine = std::make_shared<counter>();
  auto peer = world.peers[peer_id{1}] = make(world.system, std::move(made_of));
  auto port = open_port(world.system, peer, placement::scheduled);
  world.begin_all();
  std::string answer;
  CHECK(eventually([&] {
    world.test->request(port, patience, carry_out{shared_bytes{"42"}})
        .receive([&](const outcome& how) { answer = how.answer; }, [](const caf::error&) {});
    return !answer.empty();
  }));
  CHECK(answer == "42");
  caf::anon_send(peer, stop_peer{});
  world.await_end(port);
}

TEST_CASE("parts that do not fit together are refused with words") {
  trio world;
  const auto refused = [&](auto&& spoil) -> std::string {
    auto parts = world.parts(peer_id{1});
    spoil(parts);
    try {
      caf::anon_send(make(world.system, std::move(parts)), stop_peer{});
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  const auto says = [&](auto&& spoil, const std::string& part) {
    const auto words = refused(spoil);
    CHECK_MESSAGE(words.find(part) != words.npos, words);
  };
  says([](peer_parts& p) { p.self = peer_id{}; }, "its id is 0");
  says([](peer_parts& p) { p.self = peer_id{9}; }, "not among its own members");
  says([](peer_parts& p) { p.store = nullptr; }, "a store of its own or a shared disk");
  says([](peer_parts& p) { p.service = nullptr; }, "a state machine or a service");
  says([](peer_parts& p) { p.machine = std::make_shared<counter>(); }, "a state machine or a service");
  says([](peer_parts& p) { p.options.times.election_timeout_max = 0ms; }, "times.election_timeout_max");
}
