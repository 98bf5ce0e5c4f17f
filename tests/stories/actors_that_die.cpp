// What becomes of a peer when one of its own actors dies: a replicator is replaced, without the others there is no
// peer.
#include "actors/logging.hpp"
#include "actors/node.hpp"
#include "persistence/log_storage.hpp"
#include "stage/runtime.hpp"
#include "stage/simulated_disk.hpp"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// What a puppet has heard.
struct heard {
  caf::strong_actor_ptr replicator;
  std::vector<append_entries> requests;
  log_index match;
};

/// Plays a follower that agrees with everything, and knows by whom it was told.
class agreeable_follower : public raft_actor::base {
public:
  agreeable_follower(caf::actor_config& config, heard& what, peer_actor* leader)
      : raft_actor::base{config}, heard_{what}, leader_{leader} {}

  behavior_type make_behavior() override {
    return {
        [this](const request_vote& m) {
          vote_reply yes;
          yes.about = back(m.about);
          if (m.pre_vote)
            yes.about.term = m.about.term.before();
          yes.round = m.round;
          yes.pre_vote = m.pre_vote;
          yes.granted = true;
          send(*leader_, yes);
        },
        [](const vote_reply&) {},
        [this](const append_entries& m) {
          heard_.replicator = current_sender();
          heard_.requests.push_back(m);
          append_reply yes;
          yes.about = back(m.about);
          yes.incarnation = m.incarnation;
          yes.number = m.number;
          yes.read_round = m.read_round;
          yes.success = true;
          yes.match = m.batches.empty() ? m.previous.index : m.batches.back().last();
          heard_.match = std::max(heard_.match, yes.match);
          send(*leader_, yes);
        },
        [](const append_reply&) {},
        [](const install_snapshot&) {},
        [](const snapshot_reply&) {},
        [](const timeout_now&) {},
        [](const forward&) {},
        [](const forward_reply&) {},
    };
  }

private:
  static envelope back(envelope about) {
    std::swap(about.from, about.to);
    return about;
  }

  heard& heard_;
  peer_actor* leader_;
};

class idle_service : public service_actor::base {
public:
  using service_actor::base::base;
  behavior_type make_behavior() override {
    return {[](const applied_command&) {}, [](const installed_snapshot&) {}};
  }
};

/// A peer that leads two agreeable followers.
struct little_world {
  little_world() {
    logs().set_level(spdlog::level::warn);
    std::map<peer_id, raft_actor> others;
    for (std::uint64_t id : {2, 3}) {
      others[peer_id{id}] = runtime.system().spawn<agreeable_follower>(what[id - 2], &troupe.peer);
      runtime.adopt(caf::actor_cast<caf::strong_actor_ptr>(others[peer_id{id}]));
    }
    auto service = runtime.system().spawn<idle_service>();
    runtime.adopt(caf::actor_cast<caf::strong_actor_ptr>(service));
    peer_parts parts;
    parts.self = peer_id{1};
    parts.members = configuration::of({peer_id{1}, peer_id{2}, peer_id{3}});
    parts.options.term_start_no_op = false;
    parts.others = others;
    log_options log;
    log.segment_bytes = 64 << 10;
    parts.store = std::make_shared<log_storage>(disk, "log", log);
    parts.service = service;
    parts.where = placements::all_scheduled();
    parts.on_fatal = [this](const std::string& words) { last_words.push_back(words); };
    troupe = make_peer(runtime.system(), std::move(parts));
    for (const auto& actor :
         {caf::actor_cast<caf::strong_actor_ptr>(troupe.peer), caf::actor_cast<caf::strong_actor_ptr>(troupe.persister),
          caf::actor_cast<caf::strong_actor_ptr>(troupe.archivist),
          caf::actor_cast<caf::strong_actor_ptr>(troupe.applier)})
      runtime.adopt(actor);
    runtime.tell(troupe.peer, begin{});
    REQUIRE(runtime.run_until(runtime.now() + 5s, [this] { return what[0].replicator && what[1].replicator; }));
    runtime.settle();
  }

  ~little_world() {
    what[0].replicator = what[1].replicator = nullptr;
    runtime.strike();
    troupe = {};
  }

  start_reply starts(const std::string& command) {
    const auto reply = runtime.ask<start_reply>(troupe.peer, start{shared_bytes{command}});
    REQUIRE(reply);
    return *reply;
  }

  bool is_peer_gone() {
    runtime.run_for(1s);
    return stage_runtime::is_gone(caf::actor_cast<caf::strong_actor_ptr>(troupe.peer));
  }

  simulated_disk disk{1};
  stage_runtime runtime{1};
  heard what[2];
  peer_troupe troupe;
  std::vector<std::string> last_words;
};

/// Catches what is logged while it lives.
struct log_catcher {
  log_catcher() {
    log_to(std::make_shared<spdlog::logger>("caught", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)));
  }
  ~log_catcher() { log_to(nullptr); }

  std::ostringstream text;
};

} // namespace

SCENARIO("a replicator that dies is started anew under another incarnation, and the log says so") {
  GIVEN("a leader and its replicator to peer 2") {
    little_world world;
    REQUIRE(world.starts("before").is_leader);
    world.runtime.run_for(10ms);
    CHECK(world.what[0].match == log_index{1});
    CHECK(world.what[0].requests.back().incarnation == 1);
    WHEN("the replicator is killed") {
      log_catcher caught;
      const auto victim = std::exchange(world.what[0].replicator, nullptr);
      caf::anon_send_exit(victim, caf::exit_reason::kill);
      world.runtime.settle();
      THEN("another takes over, and the leader goes on") {
        CHECK(caught.text.str().find("event=replicator_restarted follower=2") != std::string::npos);
        CHECK(world.starts("after").is_leader);
        world.runtime.run_for(10ms);
        CHECK(world.what[0].match == log_index{2});
        CHECK(world.what[0].requests.back().incarnation == 2);
        CHECK(world.what[0].replicator != victim);
        CHECK(world.what[1].requests.back().incarnation == 1);
        CHECK(world.last_words.empty());
      }
    }
  }
}

SCENARIO("a peer whose applier, persister or archivist dies ends its node") {
  little_world world;
  SUBCASE("applier") {
    caf::anon_send_exit(world.troupe.applier, caf::exit_reason::kill);
  }
  SUBCASE("persister") {
    caf::anon_send_exit(world.troupe.persister, caf::exit_reason::kill);
  }
  SUBCASE("archivist") {
    caf::anon_send_exit(world.troupe.archivist, caf::exit_reason::kill);
  }
  CHECK(world.is_peer_gone());
  CHECK(world.last_words.size() == 1);
}

SCENARIO("P6 a sync that fails is not retried: the node ends, in words that name the file") {
  little_world world;
  world.disk.fail(simulated_disk::operation::sync, 1, 5 /* EIO */);
  CHECK(world.starts("never durable").is_leader);
  CHECK(world.is_peer_gone());
  REQUIRE_FALSE(world.last_words.empty());
  CHECK_MESSAGE(world.last_words.front().find("log/0000000000000001.log: Input/output error") != std::string::npos,
                world.last_words.front());
}
