// Snapshots in whole groups, beyond the course: slow followers, states that differ, leaders whose disks are full.
#include "messages/snapshot_content.hpp"
#include "tests/support/clients.hpp"
#include "tests/support/lone_peer.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// A snapshot every 20 entries, two kept, nothing more.
course_options with_frequent_snapshots(int servers) {
  auto options = serving(servers);
  options.peers.snapshots = {1000, 20, 0, 100'000, 0, 2};
  return options;
}

/// The one piece that is all of a snapshot, from leader 2 in term 5.
install_snapshot all_of(std::uint64_t number, std::string content) {
  install_snapshot piece;
  piece.about = {{}, peer_id{2}, peer_id{1}, term_number{5}};
  piece.incarnation = 1;
  piece.number = number;
  piece.at = {term_number{4}, log_index{50}};
  piece.size_bytes = content.size();
  piece.bytes = shared_bytes{std::move(content)};
  return piece;
}

/// A machine like the one inside whose state is not what it should be from some command on.
class forgetful_machine final : public state_machine {
public:
  explicit forgetful_machine(std::shared_ptr<state_machine> inside) : inside_{std::move(inside)} {}
  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    applied_ += commands.size();
    return inside_->apply(commands, answers);
  }
  void query(std::string_view content, answer_list& answers) override { inside_->query(content, answers); }
  std::unique_ptr<state_view> save() override { return inside_->save(); }
  void load(chunk_source& chunks) override { inside_->load(chunks); }
  std::optional<std::uint64_t> state_hash() const override { return applied_ / 30; }

private:
  std::shared_ptr<state_machine> inside_;
  std::uint64_t applied_ = 0;
};

/// A machine whose state's checksum is right.
class careful_machine final : public state_machine {
public:
  explicit careful_machine(std::shared_ptr<state_machine> inside) : inside_{std::move(inside)} {}
  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    return inside_->apply(commands, answers);
  }
  void query(std::string_view content, answer_list& answers) override { inside_->query(content, answers); }
  std::unique_ptr<state_view> save() override { return inside_->save(); }
  void load(chunk_source& chunks) override { inside_->load(chunks); }
  std::optional<std::uint64_t> state_hash() const override { return 0; }

private:
  std::shared_ptr<state_machine> inside_;
};

} // namespace

TEST_CASE(
    "S10 a snapshot that does not match its checksum when all of it has come is not installed, and may come again") {
  lone_peer peer;
  peer.follows(peer_id{2}, term_number{5});
  peer.forgets();
  snapshot_content state{encode(snapshot_head{configuration::of({peer_id{1}, peer_id{2}, peer_id{3}}), {}, 1}),
                         view_of("the state")};
  const auto content = read_all(state);
  auto damaged = content;
  damaged[damaged.size() - 6] = '!'; // Of the state; each piece on its way was as it was sent.
  peer.hears(all_of(1, damaged));
  peer.waits(100ms);
  REQUIRE(peer.last_said<snapshot_reply>());
  CHECK_FALSE(peer.last_said<snapshot_reply>()->is_installed);
  CHECK(peer.last_said<snapshot_reply>()->received_bytes == 0);
  CHECK(peer.state().commit == log_index{});
  peer.hears(all_of(2, content));
  peer.waits(100ms);
  CHECK(peer.last_said<snapshot_reply>()->is_installed);
  CHECK(peer.state().commit == log_index{50});
  CHECK(peer.state().applied == log_index{50});
}

TEST_CASE("S13 a replica whose state is not the leader's ends, and says after which index") {
  over_seeds(10, [](std::uint64_t seed) {
    auto options = serving(3);
    options.peers.state_hash_entries = 10;
    options.machine_of = [](int server, std::shared_ptr<state_machine> delivering) -> std::shared_ptr<state_machine> {
      if (server == 0)
        return std::make_shared<forgetful_machine>(std::move(delivering));
      return std::make_shared<careful_machine>(std::move(delivering));
    };
    std::string why;
    try {
      course group{seed, options};
      for (int i = 0; i < 200; ++i) {
        const auto leader = group.check_one_leader();
        (void)group.start(leader, group.random_command());
        group.runtime().judge().demand();
      }
    } catch (const story_failed& ended) {
      why = ended.what();
    }
    if (why.find("is not the leader's") == why.npos)
      throw story_failed{"nobody noticed: " + why};
  });
}

TEST_CASE("S11 a follower on a slow link is sent a snapshot while leaders take one after the other, and catches up") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = with_frequent_snapshots(3);
    options.peers.limits.snapshot_piece_bytes = 4;
    client_group clients{seed, options};
    auto& group = clients.group();
    const auto leader = group.check_one_leader();
    const auto slow = (leader + 1) % 3;
    group.disconnect(slow);
    for (int i = 0; i < 40; ++i) {
      clients.command(leader, 10);
      group.sleep(20ms);
    }
    group.expect(group.state(leader).log_start > group.state(slow).last, "the log has all that the follower lacks");
    group.connect(slow);
    bool caught_up = false;
    for (int i = 0; i < 500 && !caught_up; ++i) {
      clients.command(leader, 2);
      group.sleep(10ms);
      caught_up = group.state(slow).snapshot > log_index{} && group.state(slow).applied + 30 > group.state(leader).last;
    }
    group.expect(caught_up, "a follower is sent snapshot after snapshot and never arrives");
    clients.end();
  });
}

TEST_CASE("S4 snapshots reach a slow service in their turn, behind the commands it was handed before") {
  over_seeds(20, [](std::uint64_t seed) {
    auto options = with_servers(3);
    options.snapshots = true;
    course group{seed, options};
    group.one("0", 3, true);
    const auto leader = group.check_one_leader();
    const auto slow = (leader + 1) % 3;
    const auto service = group.node(slow).service();
    group.runtime().hold(service);
    for (int i = 0; i < 15; ++i) {
      (void)group.start(leader, group.random_command());
      group.sleep(milliseconds{20}); // Handed over bit by bit: the first waits for the service, the others behind it.
    }
    group.disconnect(slow);
    for (int i = 0; i < 40; ++i)
      group.one(group.random_command(), 2, true);
    group.connect(slow);
    group.sleep(2s);
    group.expect(group.state(slow).log_start > log_index{20}, "no snapshot has come");
    group.runtime().release(service);
    group.one("last", 3, true);
    group.expect(group.installed() > 0, "the service was told of no snapshot");
    group.end();
  });
}

TEST_CASE("The log is bounded by snapshots, and a restart begins at the newest of them") {
  over_seeds(20, [](std::uint64_t seed) {
    client_group clients{seed, with_frequent_snapshots(3)};
    auto& group = clients.group();
    for (int i = 0; i < 100; ++i) {
      clients.command(group.check_one_leader(), 10);
      group.sleep(5ms);
    }
    clients.wait_for_all();
    group.sleep(1s);
    for (int server = 0; server < 3; ++server) {
      const auto before = group.state(server);
      group.expect(before.last - before.log_start < 100, "the log is not trimmed");
      clients.restart(server);
      group.sleep(50ms);
      const auto after = group.state(server);
      group.expect(after.snapshot == before.snapshot && after.applied >= before.snapshot,
                   "a restart does not begin with the snapshot");
    }
    clients.end();
  });
}
