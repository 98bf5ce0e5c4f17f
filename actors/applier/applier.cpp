#include "actors/applier/applier.hpp"

#include "actors/answering.hpp"
#include "actors/applier/workload.hpp"
#include "messages/mutant.hpp"

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

/// Hashes of the state that are remembered: the leader may speak of an earlier one than the newest.
constexpr std::size_t remembered_hashes = 16;

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

  // Its service says by itself what its state is: `take_snapshot`.
  std::unique_ptr<state_view> save() override { return view_of({}); }
  void load(chunk_source& chunks) override { loaded_ = shared_bytes{read_all(chunks)}; }

  [[nodiscard]] std::vector<applied_command> take() { return std::exchange(gathered_, {}); }
  [[nodiscard]] shared_bytes take_loaded() { return std::exchange(loaded_, {}); }

private:
  peer_id self_;
  std::vector<applied_command> gathered_;
  shared_bytes loaded_;
};

/// A service and what is gathered for it.
struct bare_service {
  service_actor actor;
  peer_id of;
  std::shared_ptr<gathering_machine> gathered;
};

template <class Base>
class applier_shell : public Base {
public:
  applier_shell(caf::actor_config& config, std::shared_ptr<state_machine> machine, std::optional<bare_service> service,
                std::size_t max_held, persister_actor persister, fatal_handler on_fatal)
      : Base{config}, machine_{std::move(machine)}, service_{std::move(service)}, max_held_{max_held},
        persister_{std::move(persister)}, on_fatal_{std::move(on_fatal)} {
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
        [this](load_snapshot& m) { take_in(m); },
        [this](take_picture& m) { take_in(m); },
        [this](state_built& m) { take_place(m); },
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
      else if (const auto* queries = std::get_if<query_workload<awaiting>>(&next))
        refuse_to(this, queries->unanswered(), refusal::stopped);
    }
    for (const auto& [at, queries] : held_)
      refuse_to(this, queries.who, refusal::stopped);
    work_.clear();
    held_.clear();
    service_.reset();
    persister_ = nullptr;
    machine_.reset();
  }

private:
  struct entries_work {
    entries_workload<awaiting> load;
    application_listener from;
    group_id group;
  };
  using work = std::variant<entries_work, query_workload<awaiting>, load_snapshot, take_picture>;

  void take_in(apply_entries& m) {
    work_.push_back(entries_work{{std::move(m.batches), std::move(m.waiting)}, std::move(m.from), m.group});
    go_on();
  }

  template <class M>
  void take_in(M& m) {
    work_.push_back(std::move(m));
    go_on();
  }

  void take_in(answer_queries& m) {
    if (m.at > applied_ && !TROUPE_MUTANT(Q5)) // Not applied that far: entries may be coming from disk (Q5).
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
    if (is_due_ || is_elsewhere_)
      return;
    try {
      std::size_t answered = 0;
      while (!work_.empty() && !is_elsewhere_) {
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
      if (portion.place)
        pass(*portion.place);
      else
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
    this->send(entries.from,
               applied{entries.group, applied_, entries.load.bytes(),
                       hashes_.empty() ? std::nullopt : std::optional{hashes_.back()}});
    work_.pop_front();
    release_held();
  }

  // Everyone hashes the state here, and compares what the leader had at an earlier place with what it had itself (S13).
  void pass(const hash_place& place) {
    const auto claim = decode_hashed_place(place.content);
    const auto mine = std::find_if(hashes_.begin(), hashes_.end(),
                                   [&](const hashed_place& known) { return claim && known.index == claim->index; });
    if (mine != hashes_.end() && mine->hash != claim->hash)
      throw std::runtime_error{"the state after index " + std::to_string(claim->index.value())
                               + " is not the leader's (hash " + std::to_string(mine->hash) + ", the leader's "
                               + std::to_string(claim->hash)
                               + "): it was damaged in memory, or the state machine is not deterministic. A restart "
                                 "builds it anew from snapshot and log"};
    if (const auto hash = machine_->state_hash())
      hashes_.push_back({place.index, *hash});
    if (hashes_.size() > remembered_hashes)
      hashes_.pop_front();
  }

  // -- snapshots
  // -------------------------------------------------------------------------------------------------------

  std::size_t advance(take_picture& m) {
    this->send(m.from,
               picture_taken{m.group, TROUPE_MUTANT(P9) ? applied_.before() : applied_,
                             std::shared_ptr<state_view>{machine_->save()}});
    work_.pop_front();
    return 0;
  }

  // Built elsewhere; until it is there, nothing behind it can be done.
  std::size_t advance(load_snapshot& m) {
    if (skip_to_newest())
      return 0;
    is_elsewhere_ = true;
    this->send(persister_, build_errand{state_listener{applier_actor{this}}, build_state{m.group, m.what, machine_}});
    return 0;
  }

  // A later snapshot stands for all before it; an earlier one may be gone from the disk.
  bool skip_to_newest() {
    const auto newest = std::find_if(work_.rbegin(), work_.rend(),
                                     [](const work& each) { return std::holds_alternative<load_snapshot>(each); });
    const auto before = static_cast<std::size_t>(std::distance(newest, work_.rend())) - 1;
    for (std::size_t i = 0; i < before; ++i) {
      abandon(work_.front());
      work_.pop_front();
    }
    return before > 0;
  }

  void abandon(work& skipped) {
    if (auto* entries = std::get_if<entries_work>(&skipped)) {
      for (const auto& who : entries->load.unanswered())
        refuse_to(this, who, refusal::uncertain);
      this->send(entries->from, applied{entries->group, applied_, entries->load.bytes(), std::nullopt});
    } else if (auto* queries = std::get_if<query_workload<awaiting>>(&skipped)) {
      refuse_to(this, queries->unanswered(), refusal::not_ready);
    } else if (auto* picture = std::get_if<take_picture>(&skipped)) {
      this->send(picture->from, picture_taken{picture->group, log_index{}, nullptr});
    }
  }

  void take_place(state_built& m) {
    if (!m.trouble.empty()) {
      // It may have gone from the disk while this waited for it: then a later one is here, and stands for it.
      is_elsewhere_ = false;
      return skip_to_newest() ? go_on() : fail(m.trouble);
    }
    try {
      if (!TROUPE_MUTANT(S7))
        m.state->take_place();
    } catch (const std::exception& failure) {
      return fail(failure.what());
    }
    this->send(persister_, let_go{std::move(m.state)}); // The old state is in there now: taking it apart takes time.
    hashes_.clear();
    if (service_) {
      const auto& what = std::get<load_snapshot>(work_.front()).what;
      return tell_service(
          installed_snapshot{service_->of, what.at.index, what.at.term, service_->gathered->take_loaded()},
          [this] { finish_load(); });
    }
    is_elsewhere_ = false;
    finish_load();
    go_on();
  }

  void finish_load() {
    const auto load = std::move(std::get<load_snapshot>(work_.front()));
    applied_ = load.what.at.index;
    work_.pop_front();
    this->send(load.from, applied{load.group, applied_, 0, std::nullopt});
    release_held();
  }

  /// Tells the service, and goes on when it has got through: its mailbox never holds more than the peer hands over at a
  /// time (law 6). A handler that returns nothing answers all the same, when it is done.
  void deliver(std::vector<applied_command> commands) {
    for (std::size_t i = 0; i + 1 < commands.size(); ++i)
      this->send(service_->actor, std::move(commands[i]));
    tell_service(std::move(commands.back()), [this] { finish_entries(); });
  }

  template <class M, class F>
  void tell_service(M message, F finish) {
    is_elsewhere_ = true;
    this->request(service_->actor, caf::infinite, std::move(message))
        .then(
            [this, finish] {
              is_elsewhere_ = false;
              finish();
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
  bool is_elsewhere_ = false; ///< With a service, or with who builds a state: it goes on when that is done.
  std::size_t max_held_;
  persister_actor persister_;
  fatal_handler on_fatal_;
  std::deque<hashed_place> hashes_; ///< The newest.
  log_index applied_;
  std::deque<work> work_;
  bool is_due_ = false;
  std::multimap<log_index, answer_queries> held_;
  bool is_held_armed_ = false;
};

} // namespace

applier_actor spawn_applier(caf::actor_system& system, placement where, std::shared_ptr<state_machine> machine,
                            std::size_t max_held, persister_actor persister, fatal_handler on_fatal) {
  return spawn_at<applier_shell, applier_actor>(system, where, std::move(machine), std::optional<bare_service>{},
                                                max_held, std::move(persister), std::move(on_fatal));
}

applier_actor spawn_deliverer(caf::actor_system& system, placement where, service_actor service, peer_id self,
                              std::size_t max_held, persister_actor persister, fatal_handler on_fatal) {
  auto gathered = std::make_shared<gathering_machine>(self);
  std::shared_ptr<state_machine> machine = gathered;
  return spawn_at<applier_shell, applier_actor>(
      system, where, std::move(machine), std::optional{bare_service{std::move(service), self, std::move(gathered)}},
      max_held, std::move(persister), std::move(on_fatal));
}

} // namespace troupe
