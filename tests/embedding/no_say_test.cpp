// A peer whose store says that it lost something: what is seen of that from outside.
#include "tests/embedding/trio.hpp"

#include <memory>
#include <mutex>
#include <utility>

using namespace troupe;
using namespace troupe::embedding;

namespace {

/// A store that has lost all its entries, and lets none become durable again before it is told to.
class damaged_store final : public storage {
public:
  recovered_group recover(group_id, std::size_t) override {
    recovered_group found;
    found.vote.lost = 5;
    return found;
  }

  void submit(std::vector<log_write> writes, std::function<void()> done) override {
    bool has_entries = false;
    for (const auto& write : writes)
      has_entries = has_entries || !write.append.empty();
    {
      const std::lock_guard lock{mutex_};
      if (has_entries && !is_well_) {
        held_ = std::move(done);
        return;
      }
    }
    done();
  }

  read_plan plan_read(const log_range&) override {
    return [] { return std::vector<entry_batch>{}; };
  }

  void get_well() {
    std::function<void()> done;
    {
      const std::lock_guard lock{mutex_};
      is_well_ = true;
      done = std::exchange(held_, {});
    }
    if (done)
      done();
  }

private:
  std::mutex mutex_;
  bool is_well_ = false;
  std::function<void()> held_; ///< The completion of a write that waits.
};

} // namespace

TEST_CASE(
    "a peer without a say says so when it is asked, and so does its leader, until what it lost is durable again") {
  trio world;
  const auto damaged = peer_id{3};
  const auto store = std::make_shared<damaged_store>();
  for (const auto id : world.ids) {
    auto made_of = world.parts(id);
    if (id == damaged)
      made_of.store = store;
    world.peers[id] = make(world.system, std::move(made_of));
  }
  const std::map<peer_id, raft_actor> all{world.peers.begin(), world.peers.end()};
  for (const auto& [id, peer] : world.peers)
    if (id != damaged)
      caf::anon_send(peer, begin{all});
  const auto leader = world.await_leader();
  CHECK(world.start(world.peers[leader], "to be sent again").is_leader);
  (void)world.hear(2); // It is committed.
  const auto has_say = [&] { return world.state(world.peers[damaged]).has_say; };
  const auto leader_says_so = [&] {
    for (const auto& follower : world.state(world.peers[leader]).followers)
      if (follower.id == damaged)
        return follower.has_say;
    return false;
  };
  CHECK_FALSE(has_say());
  CHECK(leader_says_so()); // It has not answered yet.
  caf::anon_send(world.peers[damaged], begin{all});
  CHECK(eventually([&] { return !leader_says_so(); }));
  CHECK_FALSE(has_say());
  store->get_well();
  CHECK(eventually(has_say));
  CHECK(eventually(leader_says_so));
}
