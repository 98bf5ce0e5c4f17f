#include "actors/running_node.hpp"
#include "actors/link/log_throttle.hpp"
#include "actors/log_quotes.hpp"
#include "actors/logging.hpp"
#include "persistence/loss.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

namespace troupe {

namespace {

/// As often as the store does.
constexpr auto look_for_room_every = std::chrono::milliseconds{500};

/// Keeps who the node has met, durably, and hears when the node itself is not believed. Detached: it writes to disk,
/// once in each life of a peer.
class identity_keeper : public link_listener::base {
public:
  identity_keeper(caf::actor_config& config, std::shared_ptr<data_directory> directory, node_end_handler on_end)
      : link_listener::base{config}, directory_{std::move(directory)}, on_end_{std::move(on_end)} {}

  behavior_type make_behavior() override {
    return {
        [](const link_up&) {},
        [](const link_down&) {},
        [this](const link_refused& m) {
          if (condemns(m.reason))
            end_refused(m.words);
        },
        [this](const peer_identified& m) { remember(m); },
    };
  }

  void on_exit() override {
    directory_.reset();
    unnoted_.clear();
  }

private:
  void end_refused(const std::string& words) {
    try {
      directory_->remember_refusal();
    } catch (const std::exception& failure) {
      logs().error("event=refusal_not_noted why={}", in_log_quotes(failure.what())); // It ends anyway.
    }
    on_end_({node_end::reason::bad_data, words});
  }

  /// Of each peer only the last counts. What names nobody to answer to is our own: there may be room by now.
  void remember(const peer_identified& m) {
    if (m.to)
      unnoted_[m.peer] = m;
    else
      is_waiting_ = false;
    try {
      for (; !unnoted_.empty(); unnoted_.erase(unnoted_.begin()))
        note(unnoted_.begin()->second);
    } catch (const io_error& failure) {
      failure.is_lack_of_room() ? wait_for_room(failure) : fail(failure);
    } catch (const std::exception& failure) {
      fail(failure);
    }
  }

  void note(const peer_identified& m) {
    directory_->remember_peer(m.peer, {m.met.disk, m.met.boot, m.met.life, m.met.refused});
    send(m.to, peer_noted{m.peer, m.met}); // Not if it failed.
  }

  /// A full disk is a state and no failure. Until there is room the peer is not listened to; the others are.
  void wait_for_room(const std::exception& failure) {
    if (const auto times = said_.times("full", clock().now()); times > 0)
      logs().warn("event=peer_not_noted times={} why={}", times, in_log_quotes(failure.what()));
    if (!std::exchange(is_waiting_, true))
      delayed_send(this, look_for_room_every, peer_identified{});
  }

  void fail(const std::exception& failure) {
    on_end_({node_end::reason::failed, failure.what()});
    quit(caf::exit_reason::unhandled_exception);
  }

  std::shared_ptr<data_directory> directory_;
  node_end_handler on_end_;
  std::map<peer_id, peer_identified> unnoted_;
  bool is_waiting_ = false; ///< For room.
  log_throttle said_;
};

/// A node without its peer would go on listening and refuse everything: it ends.
caf::behavior watch_over(caf::event_based_actor* self, const peer_actor& peer, const node_end_handler& on_end) {
  self->monitor(peer);
  self->set_down_handler([on_end](const caf::down_msg&) {
    on_end({node_end::reason::failed, "the peer has ended unasked"});
  });
  return {[](const stop_peer&) {}};
}

/// One failure is noticed by several actors, on several threads: hence the atomics.
node_end_handler once_per_reason(node_end_handler handler) {
  struct flags {
    std::atomic_flag failed;
    std::atomic_flag bad_data;
  };
  return [handler = std::move(handler), said = std::make_shared<flags>()](const node_end& end) {
    auto& flag = end.why == node_end::reason::failed ? said->failed : said->bad_data;
    if (!flag.test_and_set())
      handler(end);
  };
}

void log_recovery(peer_id self, const data_directory& directory, const recovery_report& report) {
  logs().info("peer={} event=recovered dir={} disk={} boot={} segments={} records={} bytes={}", self.value(),
              directory.path(), to_string(directory.uuid()), directory.boot(), report.segments, report.records,
              report.bytes);
  if (report.cut)
    logs().warn("peer={} event=torn_write_undone file={} offset={} bytes={} why={}", self.value(), report.cut->file,
                report.cut->offset, report.cut->bytes, in_log_quotes(report.cut->why));
  if (report.lost)
    logs().error("peer={} event=log_lost {} why={}", self.value(), lost_in_words(report),
                 in_log_quotes(report.lost->cause.reason()));
  if (report.healed_votes + report.healed_hints > 0)
    logs().warn("peer={} event=copies_healed votes={} hints={}", self.value(), report.healed_votes,
                report.healed_hints);
  for (const auto& damaged : report.damaged_snapshots)
    logs().warn("peer={} event=snapshot_passed_over file={} offset={} why={}", self.value(), damaged.file,
                damaged.offset, in_log_quotes(damaged.why));
}

} // namespace

node_system_config::node_system_config() {
  load<caf::io::middleman>();
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", 2u);
  set("scheduler.max-throughput", 200u);
}

running_node::running_node(caf::actor_system& system, file_system& files, node_options options,
                           std::shared_ptr<state_machine> machine, node_end_handler on_end)
    : system_{system} {
  try {
    open(files, std::move(options), std::move(machine), on_end);
  } catch (...) {
    stop();
    await_end();
    throw;
  }
}

void running_node::open(file_system& files, node_options options, std::shared_ptr<state_machine> machine,
                        const node_end_handler& handler) {
  const auto on_end = once_per_reason(handler);
  std::vector<peer_id> members;
  for (const auto& [id, address] : options.peers)
    members.push_back(id);
  directory_ = std::make_shared<data_directory>(files, options.data_directory, options.cluster, options.self, members,
                                                options.fresh_uuid);
  log_options log;
  log.segment_bytes = options.segment_bytes;
  log.identity = directory_->identity();
  log.must_exist = directory_->has_log();
  log.may_lose = directory_->can_be_repaired();
  auto store = std::make_shared<log_storage>(files, directory_->log_path(), log);
  directory_->remember_log();
  log_recovery(options.self, *directory_, store->report());

  keeper_ = system_.spawn<identity_keeper, caf::detached>(directory_, on_end);

  link_options link;
  link.me = {options.cluster, options.self, directory_->uuid(), directory_->boot(), directory_->lives()};
  link.listen = options.listen;
  link.insecure = options.insecure;
  link.seed = options.peer.seed;
  // A whole window of requests fits, the one that closes it included, and as much again as one for what passes it: a
  // link that dropped of a window would have its follower wait until the loss is noticed.
  const auto& limits = options.peer.limits;
  link.queue_bytes = std::max(link.queue_bytes, limits.in_flight_bytes + 2 * limits.request_bytes);
  auto remotes = options.peers;
  remotes.erase(options.self);
  dialers_ = spawn_dialers(system_, link, remotes, keeper_);

  peer_parts parts;
  parts.self = options.self;
  parts.members = configuration::of(std::move(members));
  parts.options = options.peer;
  parts.others.insert(dialers_.begin(), dialers_.end());
  parts.store = std::move(store);
  parts.machine = std::move(machine);
  parts.where = options.where;
  parts.on_fatal = [on_end](const std::string& words) { on_end({node_end::reason::failed, words}); };
  troupe_ = make_peer(system_, std::move(parts));

  guard_ = system_.spawn(watch_over, troupe_.peer, on_end);

  std::map<peer_id, acquaintance> known;
  for (const auto& [id, disk] : directory_->known_peers())
    known[id] = {disk.uuid, disk.boot, disk.life, disk.refused};
  auto opened = spawn_acceptor(system_, link, known, dialers_, troupe_.peer, keeper_);
  if (const auto* words = std::get_if<std::string>(&opened))
    throw listen_error{*words};
  auto& door = std::get<link_door>(opened);
  acceptor_ = std::move(door.acceptor);
  bound_ = door.bound;
  caf::anon_send(troupe_.peer, begin{});
}

running_node::~running_node() {
  stop();
  await_end();
}

void running_node::stop() {
  if (std::exchange(is_stopped_, true))
    return;
  for (const auto& [id, dialer] : dialers_)
    ending_.push_back(caf::actor_cast<caf::actor>(dialer));
  for (const auto& each : {caf::actor_cast<caf::actor>(acceptor_), caf::actor_cast<caf::actor>(keeper_),
                           caf::actor_cast<caf::actor>(troupe_.peer), guard_})
    if (each)
      ending_.push_back(each);
  if (guard_) // First: it hears of this before of the peer's end.
    caf::anon_send_exit(guard_, caf::exit_reason::user_shutdown);
  if (troupe_.peer)
    caf::anon_send(troupe_.peer, stop_peer{});
  stop_links(dialers_, acceptor_);
  if (keeper_)
    caf::anon_send_exit(keeper_, caf::exit_reason::user_shutdown);
  troupe_ = {};
  dialers_.clear();
  acceptor_ = nullptr;
  keeper_ = nullptr;
  guard_ = nullptr;
}

void running_node::await_end() {
  caf::scoped_actor self{system_};
  for (const auto& each : ending_)
    self->monitor(each);
  for (std::size_t i = 0; i < ending_.size(); ++i)
    self->receive([](const caf::down_msg&) {});
  ending_.clear();
  directory_.reset();
}

} // namespace troupe
