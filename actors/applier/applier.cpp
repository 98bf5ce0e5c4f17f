#include "actors/applier/applier.hpp"

#include <exception>
#include <map>
#include <vector>

namespace troupe {

namespace {

/// What a query's or a command's awaiter hears.
template <class Self>
void deliver(Self* self, const awaiting& who, answer_list answers) {
  if (who.client) {
    self->send(who.client,
               submission_answered{who.number, who.offset, std::make_shared<const answer_list>(std::move(answers))});
  } else if (who.via) {
    forward_reply reply;
    reply.about = who.about;
    reply.number = who.number;
    reply.offset = who.offset;
    reply.count = static_cast<std::uint32_t>(answers.count());
    reply.answers = std::move(answers.bytes);
    reply.ends = std::move(answers.ends);
    self->send(who.via, std::move(reply));
  }
}

template <class Base>
class applier_shell : public Base {
public:
  applier_shell(caf::actor_config& config, std::shared_ptr<state_machine> machine, fatal_handler on_fatal)
      : Base{config}, machine_{std::move(machine)}, on_fatal_{std::move(on_fatal)} {}

  typename Base::behavior_type make_behavior() override {
    return {
        [this](const apply_entries& m) { guarded([&] { apply(m); }); },
        [this](answer_queries& m) { guarded([&] { take_in(m); }); },
    };
  }

  void on_exit() override {
    held_.clear();
    machine_.reset();
  }

private:
  void apply(const apply_entries& m) {
    std::size_t bytes = 0;
    auto waiting = m.waiting.begin();
    for (const auto& batch : m.batches) {
      bytes += batch.size_bytes();
      for (const auto entry : batch) {
        // A run of operations is applied, and answered, as one.
        while (waiting != m.waiting.end() && entry.index >= waiting->first + waiting->count)
          finish_run(&*waiting++);
        const bool opens_run = waiting != m.waiting.end() && entry.index == waiting->first;
        if (opens_run)
          finish_run(nullptr);
        if (entry.kind == entry_kind::command)
          run_.push_back({entry.index, batch.term(), batch.leader_time(), 0, entry.content});
        applied_ = entry.index;
      }
    }
    finish_run(waiting != m.waiting.end() ? &*waiting : nullptr);
    answer_held();
    this->send(m.from, applied{m.group, applied_, bytes});
  }

  void finish_run(const awaiting* who) {
    if (run_.empty())
      return;
    answer_list answers;
    machine_->apply(run_, answers);
    run_.clear();
    if (who)
      deliver(this, *who, std::move(answers));
  }

  void take_in(answer_queries& m) {
    if (m.at <= applied_)
      answer(m);
    else // Not applied that far: entries may be coming from disk (Q5).
      held_.emplace(m.at, std::move(m));
  }

  void answer_held() {
    while (!held_.empty() && held_.begin()->first <= applied_) {
      answer(held_.begin()->second);
      held_.erase(held_.begin());
    }
  }

  void answer(const answer_queries& m) {
    answer_list answers;
    for (entry_iterator query{m.block.payload.view(), {}}, end; query != end; ++query)
      machine_->query((*query).content, answers);
    deliver(this, m.who, std::move(answers));
  }

  template <class F>
  void guarded(F&& work) {
    try {
      work();
    } catch (const std::exception& failure) {
      on_fatal_(std::string{"state machine: "} + failure.what());
      this->quit(caf::exit_reason::unhandled_exception);
    }
  }

  std::shared_ptr<state_machine> machine_;
  fatal_handler on_fatal_;
  log_index applied_;
  std::vector<command> run_; ///< Gathered, not applied yet.
  std::multimap<log_index, answer_queries> held_;
};

class delivering_machine final : public state_machine {
public:
  delivering_machine(service_actor service, peer_id self) : service_{std::move(service)}, self_{self} {}

  void apply(std::span<const command> commands, answer_list& answers) override {
    for (const auto& c : commands) {
      caf::anon_send(service_, applied_command{self_, c.index, c.term, shared_bytes{std::string{c.content}}});
      answers.add({});
    }
  }

  void query(std::string_view, answer_list& answers) override { answers.add({}); }

  std::unique_ptr<state_view> save() override { return std::make_unique<nothing>(); }
  void load(state_view&) override {}

private:
  /// The state lives with the service.
  struct nothing final : state_view {
    std::string next_chunk() override { return {}; }
  };

  service_actor service_;
  peer_id self_;
};

} // namespace

applier_actor spawn_applier(caf::actor_system& system, placement where, std::shared_ptr<state_machine> machine,
                            fatal_handler on_fatal) {
  return spawn_at<applier_shell, applier_actor>(system, where, std::move(machine), std::move(on_fatal));
}

std::shared_ptr<state_machine> deliver_to(service_actor service, peer_id self) {
  return std::make_shared<delivering_machine>(std::move(service), self);
}

} // namespace troupe
