#include "stage/node.hpp"

#include "troupe/assert.hpp"

namespace troupe {

namespace {

service_actor::behavior_type play_service(std::function<void(const applied_command&)> on_command,
                                          std::function<void(const installed_snapshot&)> on_snapshot) {
  return {[on_command](const applied_command& command) { on_command(command); },
          [on_snapshot](const installed_snapshot& snapshot) { on_snapshot(snapshot); }};
}

/// Hands each command on to a service, for state machines that a story puts around it.
class delivering_machine final : public state_machine {
public:
  delivering_machine(service_actor service, peer_id self) : service_{std::move(service)}, self_{self} {}

  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    for (const auto& c : commands) {
      caf::anon_send(service_, applied_command{self_, c.index, c.term, shared_bytes{std::string{c.content}}});
      answers.add({});
    }
    return commands.size();
  }

  void query(std::string_view, answer_list& answers) override { answers.add({}); }

  std::unique_ptr<state_view> save() override { return view_of({}); }
  void load(chunk_source&) override {}

private:
  service_actor service_;
  peer_id self_;
};

} // namespace

stage_node::stage_node(stage_node_parts parts)
    : parts_{std::move(parts)}, model_{parts_.checker.disk_of(parts_.self)}, valve_{std::make_shared<disk_valve>()} {}

void stage_node::preload(hard_state vote, std::vector<entry_batch> log) {
  std::vector<log_write> history(1);
  history.front().group = parts_.group;
  history.front().vote = vote;
  history.front().append = std::move(log);
  const auto store = parts_.disk->open();
  model_->submitted(history);
  store->write(std::move(history));
  store->sync();
  model_->synced();
}

void stage_node::start() {
  make();
  begin_playing();
}

void stage_node::make() {
  TROUPE_ASSERT(!alive(), "a node lives one life at a time");
  auto& [runtime, network, checker, self, group, members, options, disk, latency, chance, on_command, on_snapshot,
         machine, on_end] = parts_;
  network.open(self);
  checker.service_begins(self);
  auto service = runtime.system().spawn(
      play_service,
      [id = self, &checker, hears = on_command](const applied_command& command) {
        checker.delivers(id, command.index, command.term, command.command.view());
        hears(command);
      },
      [id = self, &checker, hears = on_snapshot](const installed_snapshot& snapshot) {
        checker.installs(id, snapshot.index);
        if (hears)
          hears(snapshot);
      });
  auto store = std::make_shared<delayed_storage>(runtime, chance.fork(), latency, disk->open(), model_, valve_);
  peer_parts made_of;
  made_of.self = self;
  made_of.group = group;
  made_of.members = members;
  made_of.options = options;
  made_of.options.seed = chance.roll();
  for (const auto other : members.members())
    if (other != self)
      made_of.others.emplace(other, network.link(self, other));
  made_of.store = store;
  if (machine)
    made_of.machine = machine(std::make_shared<delivering_machine>(service, self));
  else
    made_of.service = service;
  made_of.where = placements::all_scheduled();
  made_of.on_fatal = [&runtime, id = self, hears = on_end](const std::string& why) {
    if (hears)
      return hears(why);
    runtime.judge().fail("node " + std::to_string(id.value()) + " ended itself: " + why);
  };
  life_.emplace(life{make_peer(runtime.system(), std::move(made_of)), caf::actor_cast<caf::strong_actor_ptr>(service),
                     std::move(store)});
  network.put(self, caf::actor_cast<raft_actor>(life_->actors.peer));
  const auto adopt = [&](const auto& actor) { runtime.adopt(caf::actor_cast<caf::strong_actor_ptr>(actor), self); };
  adopt(life_->actors.peer);
  adopt(life_->actors.persister);
  adopt(life_->actors.archivist);
  adopt(life_->actors.applier);
  adopt(service);
}

void stage_node::begin_playing() {
  parts_.runtime.tell(life_->actors.peer, begin{});
}

void stage_node::crash() {
  TROUPE_ASSERT(alive(), "only the living crash");
  parts_.network.remove(parts_.self);
  life_->storage->cut_power();
  valve_->waiting.clear();
  const auto kill = [&](const auto& actor) { parts_.runtime.kill(caf::actor_cast<caf::strong_actor_ptr>(actor)); };
  kill(life_->service); // First: a service deaf to its death throes.
  kill(life_->actors.peer);
  kill(life_->actors.persister);
  kill(life_->actors.archivist);
  kill(life_->actors.applier);
  life_.reset();
  parts_.disk->lose_power(parts_.chance);
}

bool stage_node::is_over() const {
  const auto gone = [](const auto& actor) {
    return stage_runtime::is_gone(caf::actor_cast<caf::strong_actor_ptr>(actor));
  };
  const auto& [peer, persister, archivist, applier] = life_->actors;
  return gone(peer) && gone(persister) && gone(archivist) && gone(applier) && life_->storage.use_count() == 1;
}

std::optional<start_reply> stage_node::begin_agreement(shared_bytes command) {
  if (!alive())
    return std::nullopt;
  return parts_.runtime.ask<start_reply>(life_->actors.peer, troupe::start{std::move(command)});
}

void stage_node::take_snapshot(log_index index, std::string state) {
  caf::anon_send(life_->actors.peer, troupe::take_snapshot{index, shared_bytes{std::move(state)}});
}

std::optional<peer_state> stage_node::state() {
  if (!alive())
    return std::nullopt;
  return parts_.runtime.ask<peer_state>(life_->actors.peer, ask_state{});
}

} // namespace troupe
