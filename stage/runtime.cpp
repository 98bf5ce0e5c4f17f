#include "stage/runtime.hpp"

#include "troupe/assert.hpp"

#include <caf/actor_proxy.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <iostream>
#include <unordered_map>
#include <utility>

// CAF's test coordinator is an internal of 0.17 and gone in 1.0: everything that knows of it is in this file.

namespace troupe {

namespace {

/// So many messages at one instant are no longer work but a circle.
constexpr std::uint64_t too_many_steps = 2'000'000;

struct testing_config : caf::actor_system_config {
  testing_config() { set("scheduler.policy", caf::atom("testing")); }
};

/// Stands for whoever asks from outside.
class questioner : public caf::actor_proxy {
public:
  questioner(caf::actor_config& config, std::function<void(caf::message&)> on_reply)
      : caf::actor_proxy{config}, on_reply_{std::move(on_reply)} {}

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    auto reply = element->move_content_to_message();
    on_reply_(reply);
  }
  void kill_proxy(caf::execution_unit* context, caf::error reason) override { cleanup(std::move(reason), context); }

private:
  std::function<void(caf::message&)> on_reply_;
};

/// Where failed assertions are written down.
struct assertion_desk {
  verdict* judge = nullptr;
  const peer_id* playing = nullptr;
};
assertion_desk desk;

/// CAF tells std::cout of an exception that ends an actor. Here it is the verdict, which whoever plays tells in his own
/// words, and of every run that a plan is shrunk by. While an actor plays, what comes behind its failed assertion is
/// dropped.
class actor_plays {
public:
  actor_plays() : outer_{std::exchange(innermost, this)} {}
  ~actor_plays() {
    innermost = outer_;
    if (hidden_ != nullptr)
      std::cout.rdbuf(hidden_); // Clears what was refused meanwhile.
  }
  actor_plays(const actor_plays&) = delete;
  actor_plays& operator=(const actor_plays&) = delete;

  static void drop_output() {
    if (innermost != nullptr && innermost->hidden_ == nullptr)
      innermost->hidden_ = std::cout.rdbuf(nullptr);
  }

private:
  static inline actor_plays* innermost = nullptr;
  actor_plays* outer_;
  std::streambuf* hidden_ = nullptr;
};

/// The bug that a node has found in itself is a broken promise, and the run ends with it.
void note_failed_assertion(const failed_assertion& what) {
  auto words = to_string(what);
  if (*desk.playing != nobody)
    words = "node " + std::to_string(desk.playing->value()) + " stops, having found a " + words;
  desk.judge->fail(words);
  actor_plays::drop_output();
  throw story_failed{words};
}

caf::resumable* as_job(const caf::strong_actor_ptr& actor) {
  return dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(actor));
}

} // namespace

struct stage_runtime::engine {
  testing_config config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::set<caf::resumable*> held;
  std::set<peer_id> held_owners;
  peer_id playing = nobody;                          ///< The owner of whoever handles a message just now.
  peer_id played = nobody;                           ///< The same of the last message at this instant.
  std::unordered_map<caf::actor_id, peer_id> owners; ///< Looked up only: its order means nothing.

  [[nodiscard]] caf::detail::test_actor_clock& clock() { return scheduler.clock(); }

  [[nodiscard]] std::optional<instant> next_timer() {
    const auto& schedule = clock().schedule();
    if (schedule.empty())
      return std::nullopt;
    return schedule.begin()->first;
  }

  [[nodiscard]] static caf::actor_id id_of(caf::resumable* job) {
    const auto* actor = dynamic_cast<caf::abstract_actor*>(job);
    return actor == nullptr ? caf::invalid_actor_id : actor->id();
  }

  [[nodiscard]] peer_id owner_of(caf::resumable* job) const {
    const auto found = owners.find(id_of(job));
    return found == owners.end() ? nobody : found->second;
  }

  [[nodiscard]] bool is_held(caf::resumable* job) const {
    return held.contains(job) || (!held_owners.empty() && held_owners.contains(owner_of(job)));
  }

  /// Runs the first job; actors that are new behind it are its owner's.
  bool run_front() {
    auto& jobs = scheduler.jobs;
    const auto owner = owner_of(jobs.front());
    const auto others = jobs.size() - 1;
    const actor_plays now;
    const bool ran = scheduler.try_run_once();
    if (owner != nobody)
      for (auto i = others; i < jobs.size(); ++i)
        owners.try_emplace(id_of(jobs[i]), owner);
    return ran;
  }

  /// Picks a waiting actor by chance and lets it handle one message.
  bool run_any(dice& chance) {
    auto& jobs = scheduler.jobs;
    if (jobs.empty())
      return false;
    const auto start = static_cast<std::size_t>(chance.below(jobs.size()));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const auto pick = (start + i) % jobs.size();
      if (is_held(jobs[pick]))
        continue;
      std::swap(jobs[pick], jobs.front());
      playing = owner_of(jobs.front());
      played = playing;
      const auto ran = run_front();
      playing = nobody;
      return ran;
    }
    return false;
  }
};

stage_runtime::stage_runtime(std::uint64_t seed)
    : engine_{std::make_unique<engine>()}, dice_{seed}, started_at_{engine_->clock().now()} {
  TROUPE_ASSERT(on_failed_assertion == nullptr, "one stage at a time");
  desk = {&verdict_, &engine_->playing};
  on_failed_assertion = note_failed_assertion;
}

stage_runtime::~stage_runtime() {
  strike();
  engine_->system.await_actors_before_shutdown(false);
  on_failed_assertion = nullptr;
}

void stage_runtime::strike() {
  agenda_.clear();
  engine_->held.clear();
  engine_->held_owners.clear();
  on_step_.clear();
  // Periodic timers would keep the coordinator's own shutdown busy for ever.
  for (const auto& [id, actor] : adopted_)
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  auto& scheduler = engine_->scheduler;
  for (bool busy = true; busy;) {
    engine_->clock().cancel_all();
    const actor_plays now;
    busy = scheduler.try_run_once();
  }
  adopted_.clear();
  agenda_.clear();
}

caf::actor_system& stage_runtime::system() {
  return engine_->system;
}

instant stage_runtime::now() const {
  return engine_->clock().now();
}

peer_id stage_runtime::player() const {
  return engine_->played;
}

long long stage_runtime::milliseconds() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now() - started_at_).count();
}

void stage_runtime::at(instant when, std::function<void()> act) {
  agenda_.emplace(std::max(when, now()), std::move(act));
}

bool stage_runtime::step() {
  if (!engine_->run_any(dice_))
    return false;
  ++steps_;
  if (++steps_at_this_instant_ > too_many_steps)
    verdict_.fail("messages go round in a circle: two million at one instant");
  verdict_.demand();
  while (!on_step_.empty() && on_step_.begin()->first <= steps_) {
    engine_->played = nobody;
    const auto act = std::move(on_step_.begin()->second);
    on_step_.erase(on_step_.begin());
    act();
  }
  verdict_.demand();
  return true;
}

bool stage_runtime::let_time_pass(instant limit) {
  engine_->played = nobody;
  const auto timer = engine_->next_timer();
  const auto item = agenda_.empty() ? std::optional<instant>{} : agenda_.begin()->first;
  if ((!timer || *timer > limit) && (!item || *item > limit)) {
    if (limit > now())
      steps_at_this_instant_ = 0;
    engine_->clock().current_time = std::max(limit, now());
    return false;
  }
  const bool agenda_first = item && (!timer || *item < *timer || (*item == *timer && dice_.chance(50)));
  const auto when = std::max(now(), agenda_first ? *item : *timer);
  if (when > now())
    steps_at_this_instant_ = 0;
  engine_->clock().current_time = when;
  if (!agenda_first) {
    engine_->clock().trigger_timeout();
    return true;
  }
  auto act = std::move(agenda_.begin()->second);
  agenda_.erase(agenda_.begin());
  act();
  verdict_.demand();
  return true;
}

void stage_runtime::run_for(duration span) {
  run_until(now() + span, [] { return false; });
}

bool stage_runtime::run_until(instant deadline, const std::function<bool()>& holds) {
  while (true) {
    if (holds())
      return true;
    if (step())
      continue;
    if (!let_time_pass(deadline))
      return holds();
  }
}

void stage_runtime::settle() {
  while (step()) {
  }
}

void stage_runtime::finish(script& part) {
  const auto patience = now() + std::chrono::minutes{10};
  if (!run_until(patience, [&] { return part.done(); }))
    throw story_failed{"a script has not ended within ten minutes"};
  part.demand();
}

void stage_runtime::post_raw(const caf::strong_actor_ptr& whom, caf::message question,
                             std::function<void(caf::message&)> on_reply) {
  caf::actor_config config;
  auto asker = caf::make_actor<questioner, caf::strong_actor_ptr>(system().next_actor_id(), system().node(), &system(),
                                                                  config, std::move(on_reply));
  const auto id = caf::message_id{++questions_}.with_normal_priority();
  whom->get()->enqueue(caf::make_mailbox_element(asker, id, {}, std::move(question)), nullptr);
}

void stage_runtime::tell_raw(const caf::strong_actor_ptr& whom, caf::message message) {
  whom->get()->enqueue(caf::make_mailbox_element(nullptr, caf::message_id{}, {}, std::move(message)), nullptr);
}

void stage_runtime::adopt(const caf::strong_actor_ptr& actor, peer_id owner) {
  adopted_[actor->id()] = actor;
  engine_->owners[actor->id()] = owner;
}

void stage_runtime::kill(const caf::strong_actor_ptr& actor) {
  adopted_.erase(actor->id());
  engine_->owners.erase(actor->id());
  auto* job = as_job(actor);
  engine_->held.erase(job);
  caf::anon_send_exit(actor, caf::exit_reason::kill);
  auto& jobs = engine_->scheduler.jobs;
  while (!is_gone(actor)) {
    const auto found = std::find(jobs.begin(), jobs.end(), job);
    TROUPE_ASSERT(found != jobs.end(), "an actor that was sent an exit has work to do");
    std::swap(*found, jobs.front());
    const actor_plays playing;
    engine_->scheduler.try_run_once();
  }
}

bool stage_runtime::is_gone(const caf::strong_actor_ptr& actor) {
  return actor->get()->getf(caf::abstract_actor::is_terminated_flag);
}

void stage_runtime::hold(const caf::strong_actor_ptr& actor) {
  engine_->held.insert(as_job(actor));
}

void stage_runtime::release(const caf::strong_actor_ptr& actor) {
  engine_->held.erase(as_job(actor));
}

void stage_runtime::hold_all_of(peer_id owner) {
  engine_->held_owners.insert(owner);
}

void stage_runtime::release_all_of(peer_id owner) {
  engine_->held_owners.erase(owner);
}

} // namespace troupe
