/// \file
/// The stage's engine: CAF's own actors on one thread, under a virtual clock, with chance deciding who plays next.
///
/// Conditions for what runs here: no detached actors, no blocking calls, no clock and no randomness but what comes from
/// this runtime. Then one seed gives one run, message by message.
#pragma once

#include "messages/protocol.hpp"
#include "stage/script.hpp"
#include "stage/verdict.hpp"
#include "troupe/dice.hpp"

#include <coroutine>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace troupe {

class stage_runtime {
public:
  /// A fresh actor system at an instant of its own; `seed` decides all interleavings.
  explicit stage_runtime(std::uint64_t seed);

  ~stage_runtime();

  /// Strikes the stage: ends every actor it was told of and drains what is left, so that the actor system can end too.
  /// To be called while everything that the actors talk to is still there. Nothing plays afterwards.
  void strike();

  stage_runtime(const stage_runtime&) = delete;
  stage_runtime& operator=(const stage_runtime&) = delete;

  [[nodiscard]] caf::actor_system& system();
  [[nodiscard]] instant now() const;
  [[nodiscard]] instant started_at() const { return started_at_; }
  /// Milliseconds since the start, for messages.
  [[nodiscard]] long long milliseconds() const;
  [[nodiscard]] verdict& judge() { return verdict_; }
  /// Whose actor handles a message just now, or handled the last one; `nobody` since time has passed.
  [[nodiscard]] peer_id player() const;
  /// Messages handled so far.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  /// Calls `act` when the clock reaches `when` and no message is waiting.
  void at(instant when, std::function<void()> act);
  void after(duration delay, std::function<void()> act) { at(now() + delay, std::move(act)); }

  /// Calls `act` when so many more messages have been handled.
  void after_steps(std::uint64_t count, std::function<void()> act) { on_step_.emplace(steps_ + count, std::move(act)); }

  /// Runs everything for `span` of virtual time. Throws `story_failed` as soon as a promise is broken.
  void run_for(duration span);
  /// Runs until `holds` or until `deadline`; says whether it holds. Asked after every message.
  bool run_until(instant deadline, const std::function<bool()>& holds);
  /// Handles the messages that wait, without letting time pass.
  void settle();
  /// Runs until a script has ended, and throws if it failed.
  void finish(script& part);

  /// Sleeping, for scripts.
  struct sleeping {
    stage_runtime& runtime;
    duration span;
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> sleeper) {
      runtime.after(span, [sleeper] { sleeper.resume(); });
    }
    void await_resume() const {}
  };
  [[nodiscard]] sleeping sleep(duration span) { return {*this, span}; }

  /// Asks an actor; the answer appears in what this returns once it has come. Nothing comes from the dead.
  template <class Answer, class Handle, class Question>
  std::shared_ptr<std::optional<Answer>> post(const Handle& whom, Question question) {
    auto answer = std::make_shared<std::optional<Answer>>();
    post_raw(caf::actor_cast<caf::strong_actor_ptr>(whom), caf::make_message(std::move(question)),
             [answer](caf::message& reply) {
               if (reply.match_elements<Answer>())
                 *answer = reply.get_as<Answer>(0);
             });
    return answer;
  }

  /// Asks an actor and plays on, without letting time pass, until it has answered. Nothing, if it is dead or does not
  /// answer at once.
  template <class Answer, class Handle, class Question>
  std::optional<Answer> ask(const Handle& whom, Question question) {
    struct reply_slip {
      bool came = false;
      std::optional<Answer> answer;
    };
    auto slip = std::make_shared<reply_slip>();
    post_raw(caf::actor_cast<caf::strong_actor_ptr>(whom), caf::make_message(std::move(question)),
             [slip](caf::message& reply) {
               slip->came = true;
               if (reply.match_elements<Answer>())
                 slip->answer = reply.get_as<Answer>(0);
             });
    while (!slip->came && step()) {
    }
    return slip->answer;
  }

  /// Puts a message into a mailbox, from nobody.
  template <class Handle, class Message>
  void tell(const Handle& whom, Message message) {
    tell_raw(caf::actor_cast<caf::strong_actor_ptr>(whom), caf::make_message(std::move(message)));
  }
  void tell_raw(const caf::strong_actor_ptr& whom, caf::message message);

  /// An actor to end at the latest when the stage is struck. What the actors of an owner spawn is the owner's, too.
  void adopt(const caf::strong_actor_ptr& actor, peer_id owner = nobody);
  /// Ends an actor at once, as a crash would, and waits until it is gone. It may handle one more message before: mute
  /// it first.
  void kill(const caf::strong_actor_ptr& actor);

  /// Whether an actor has ended.
  [[nodiscard]] static bool is_gone(const caf::strong_actor_ptr& actor);

  /// Keeps an actor from being picked until it is released: a slow actor.
  void hold(const caf::strong_actor_ptr& actor);
  void release(const caf::strong_actor_ptr& actor);
  /// The same with all actors of an owner: a process that is stopped, a machine that stands still. Its timers go on,
  /// and all that fell due meanwhile comes at once when it is released.
  void hold_all_of(peer_id owner);
  void release_all_of(peer_id owner);

private:
  struct engine;

  bool step();
  bool let_time_pass(instant limit);
  void post_raw(const caf::strong_actor_ptr& whom, caf::message question, std::function<void(caf::message&)> on_reply);

  std::unique_ptr<engine> engine_;
  dice dice_;
  verdict verdict_;
  instant started_at_;
  std::multimap<instant, std::function<void()>> agenda_;
  std::multimap<std::uint64_t, std::function<void()>> on_step_;
  std::map<caf::actor_id, caf::strong_actor_ptr> adopted_;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_at_this_instant_ = 0;
  std::uint64_t questions_ = 0;
};

} // namespace troupe
