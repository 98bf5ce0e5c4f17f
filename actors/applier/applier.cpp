#include "actors/applier/applier.hpp"

#include "actors/answering.hpp"
#include "actors/applier/workload.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

namespace {

/// Answers built before others on the thread get their turn.
constexpr std::size_t turn_bytes = std::size_t{4} << 20;

/// Stands in for a state machine that is elsewhere: gathers commands for a service. Its answers are empty; the state
/// lives with the service.
class gathering_machine final : public state_machine {
public:
  explicit gathering_machine(peer_id self) : self_{self} {}

  std::size_t apply(std::span<const command> commands, answer_list& answers) override {
    for (const auto& c : commands) {
      gathered_.push_back({self_, c.index, c.term, shared_bytes{std::string{c.content}}});
      answers.add({});
    }
    return commands.size();
  }

  void query(std::string_view, answer_list& answers) override { answers.add({}); }

  std::unique_ptr<state_view> save() override { return view_of({}); }
  void load(chunk_source&) override {}

  [[nodiscard]] std::vector<applied_command> take() { return std::exchange(gathered_, {}); }

private:
  peer_id self_;
  std::vector<applied_command> gathered_;
};

/// A service and what is gathered for it.
struct bare_service {
  service_actor actor;
  std::shared_ptr<gathering_machine> gathered;
};

template <class Base>
class applier_shell : public Base {
public:
  applier_shell(caf::actor_config& config, std::shared_ptr<state_machine> machine, std::optional<bare_service> service,
                std::size_t max_held, fatal_handler on_fatal)
      : Base{config}, machine_{std::move(machine)}, service_{std::move(service)}, max_held_{max_held},
        on_fatal_{std::move(on_fatal)} {
    if (!service_)
      return;
    this->monitor(service_->actor);
    this->set_down_handler([this](const caf::down_msg& m) {
      // What this applier is for has ended: closed by its owner, or by its own fault.
      if (m.reason == caf::exit_reason::unhandled_exception)
        on_fatal_("the service has thrown an exception");
      this->quit(m.reason == caf::exit_reason::unhandled_exception ? caf::exit_reason::unhandled_exception
                                                                   : caf::exit_reason::user_shutdown);
    });
  }

  typename Base::behavior_type make_behavior() override {
    return {
        [this](apply_entries& m) { take_in(m); },
        [this](answer_queries& m) { take_in(m); },
        [this](const apply_due&) {
          is_due_ = false;
          go_on();
        },
        [this](const held_due&) { refuse_overdue(); },
    };
  }

  void on_exit() override {
    // Everyone hears the end: commands are committed, but nobody will say any more what came of them.
    for (const auto& next : work_) {
      if (const auto* entries = std::get_if<entries_work>(&next))
        for (const auto& who : entries->load.unanswered())
          refuse_to(this, who, refusal::uncertain);
      else
        refuse_to(this, std::get<query_workload<awaiting>>(next).unanswered(), refusal::stopped);
    }
    for (const auto& [at, queries] : held_)
      refuse_to(this, queries.who, refusal::stopped);
    work_.clear();
    held_.clear();
    service_.reset();
    machine_.reset();
  }

private:
  struct entries_work {
    entries_workload<awaiting> load;
    application_listener from;
    group_id group;
  };
  using work = std::variant<entries_work, query_workload<awaiting>>;

  void take_in(apply_entries& m) {
    work_.push_back(entries_work{{std::move(m.batches), std::move(m.waiting)}, std::move(m.from), m.group});
    go_on();
  }

  void take_in(answer_queries& m) {
    if (m.at > applied_) // Not applied that far: entries may be coming from disk (Q5).
      return hold(m);
    work_.push_back(query_workload<awaiting>{std::move(m.block), std::move(m.who)});
    go_on();
  }

  void hold(answer_queries& m) {
    if (held_.size() >= max_held_)
      return refuse_to(this, m.who, refusal::busy);
    const auto deadline = m.who.deadline;
    held_.emplace(m.at, std::move(m));
    arm_held(deadline);
  }

  void arm_held(instant deadline) {
    if (!std::exchange(is_held_armed_, true))
      this->delayed_send(this, std::max(deadline - this->clock().now(), duration::zero()), held_due{});
  }

  // Each read ends by its deadline, whatever the applier is waiting for (Q6).
  void refuse_overdue() {
    is_held_armed_ = false;
    const auto now = this->clock().now();
    auto next = instant::max();
    for (auto it = held_.begin(); it != held_.end();) {
      if (it->second.who.deadline <= now) {
        refuse_to(this, it->second.who, refusal::not_ready);
        it = held_.erase(it);
      } else {
        next = std::min(next, it->second.who.deadline);
        ++it;
      }
    }
    if (!held_.empty())
      arm_held(next);
  }

  void deliver(answered_portion<awaiting> portion) {
    if (portion.who)
      answer_to(this, *portion.who, portion.offset, std::move(portion.answers));
  }

  /// Works in the order of arrival; after a turn's worth of answers the thread is given back for a while.
  void go_on() {
    if (is_due_ || is_delivering_)
      return;
    try {
      std::size_t answered = 0;
      while (!work_.empty() && !is_delivering_) {
        if (answered >= turn_bytes) {
          is_due_ = true;
          // By way of the clock: a message to itself would be handled in the same turn of the thread.
          this->delayed_send(this, duration::zero(), apply_due{});
          return;
        }
        answered += std::visit([this](auto& next) { return advance(next); }, work_.front());
      }
    } catch (const std::exception& failure) {
      fail(failure.what());
    } catch (...) {
      fail("threw something that is no std::exception");
    }
  }

  void fail(const std::string& words) {
    on_fatal_("state machine: " + words);
    this->quit(caf::exit_reason::unhandled_exception);
  }

  std::size_t advance(entries_work& entries) {
    std::size_t bytes = 0;
    if (!entries.load.is_done()) {
      auto portion = entries.load.advance(*machine_);
      bytes = portion.answers.bytes.size();
      deliver(std::move(portion));
    }
    if (entries.load.is_done()) {
      if (auto commands = service_ ? service_->gathered->take() : std::vector<applied_command>{}; !commands.empty())
        deliver(std::move(commands));
      else
        finish_entries();
    }
    return bytes;
  }

  void finish_entries() {
    const auto& entries = std::get<entries_work>(work_.front());
    applied_ = entries.load.last();
    this->send(entries.from, applied{entries.group, applied_, entries.load.bytes()});
    work_.pop_front();
    release_held();
  }

  /// Tells the service, and goes on when it has got through: its mailbox never holds more than the peer hands over at a
  /// time (law 6). A handler that returns nothing answers all the same, when it is done.
  void deliver(std::vector<applied_command> commands) {
    is_delivering_ = true;
    for (std::size_t i = 0; i + 1 < commands.size(); ++i)
      this->send(service_->actor, std::move(commands[i]));
    this->request(service_->actor, caf::infinite, std::move(commands.back()))
        .then(
            [this] {
              is_delivering_ = false;
              finish_entries();
              go_on();
            },
            [](const caf::error&) {
              // It has ended, and the handler above hears of it.
            });
  }

  std::size_t advance(query_workload<awaiting>& queries) {
    auto portion = queries.advance(*machine_);
    const auto bytes = portion.answers.bytes.size();
    deliver(std::move(portion));
    if (queries.is_done())
      work_.pop_front();
    return bytes;
  }

  void release_held() {
    while (!held_.empty() && held_.begin()->first <= applied_) {
      auto& next = held_.begin()->second;
      work_.push_back(query_workload<awaiting>{std::move(next.block), std::move(next.who)});
      held_.erase(held_.begin());
    }
  }

  std::shared_ptr<state_machine> machine_;
  std::optional<bare_service> service_;
  bool is_delivering_ = false;
  std::size_t max_held_;
  fatal_handler on_fatal_;
  log_index applied_;
  std::deque<work> work_;
  bool is_due_ = false;
  std::multimap<log_index, answer_queries> held_;
  bool is_held_armed_ = false;
};

} // namespace

applier_actor spawn_applier(caf::actor_system& system, placement where, std::shared_ptr<state_machine> machine,
                            std::size_t max_held, fatal_handler on_fatal) {
  return spawn_at<applier_shell, applier_actor>(system, where, std::move(machine), std::optional<bare_service>{},
                                                max_held, std::move(on_fatal));
}

applier_actor spawn_deliverer(caf::actor_system& system, placement where, service_actor service, peer_id self,
                              std::size_t max_held, fatal_handler on_fatal) {
  auto gathered = std::make_shared<gathering_machine>(self);
  std::shared_ptr<state_machine> machine = gathered;
  return spawn_at<applier_shell, applier_actor>(system, where, std::move(machine),
                                                std::optional{bare_service{std::move(service), std::move(gathered)}},
                                                max_held, std::move(on_fatal));
}

} // namespace troupe
