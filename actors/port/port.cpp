#include "actors/port/port.hpp"

#include "actors/log_quotes.hpp"
#include "actors/logging.hpp"
#include "actors/placement.hpp"
#include "actors/port/lots.hpp"

#include <exception>
#include <unordered_map>
#include <utility>
#include <variant>

namespace troupe {

namespace {

template <class Base>
class port_shell : public Base {
public:
  port_shell(caf::actor_config& config, peer_handle peer, const port_options& options)
      : Base{config}, peer_{std::move(peer)}, book_{options.limits} {
    this->monitor(peer_);
    this->set_down_handler([this](const caf::down_msg&) { lose_peer(); });
  }

  typename Base::behavior_type make_behavior() override {
    return {
        [this](const carry_out& m) { return promise(operation::command, m.command.view()); },
        [this](const look_up& m) { return promise(operation::query, m.query.view()); },
        [this](call& m) { take_in(m.what, m.content, std::move(m.then)); },
        [this](const submit_due&) {
          is_submit_armed_ = false;
          submit_gathered();
        },
        [this](const submission_accepted& m) {
          book_.accepted(m.number);
          submit_gathered();
        },
        [this](const submission_answered& m) { hear(m); },
        [this](const submission_refused& m) {
          book_.refused(m, [&](const operation_run& run) { refuse(run, m.why); });
          submit_gathered();
        },
    };
  }

  void on_exit() override {
    lose_all();
    peer_ = nullptr;
  }

private:
  using response = caf::typed_response_promise<outcome>;
  /// Who awaits an operation: an actor that requested it, or a thread that called.
  using caller = std::variant<response, std::shared_ptr<awaited_outcome>>;
  struct operation_waiting {
    operation what = operation::command;
    caller who;
  };

  /// All operations are one client's to the book; each waits under its number.
  static constexpr std::uint64_t everyone = 1;

  response promise(operation what, std::string_view content) {
    auto later = this->template make_response_promise<outcome>();
    take_in(what, content, later);
    return later;
  }

  void take_in(operation what, std::string_view content, caller who) {
    const auto bytes = content.size() + entry_overhead_bytes;
    if (is_lost_)
      return tell(who, {refusal::stopped, {}});
    if (!book_.could_hold(bytes))
      return tell(who, {refusal::too_large, {}});
    if (!book_.has_room(bytes))
      return tell(who, {refusal::busy, {}});
    const auto answer_bytes = what == operation::query ? book_.value_bytes() : 0;
    book_.begin(what, bytes, answer_bytes) += content;
    book_.end(what, everyone, ++last_operation_);
    waiting_.emplace(last_operation_, operation_waiting{what, std::move(who)});
    // Runs behind everything that is in the mailbox by now: what arrives together travels together.
    if (!std::exchange(is_submit_armed_, true))
      this->send(this, submit_due{});
  }

  void submit_gathered() {
    if (is_lost_)
      return;
    for (const auto what : {operation::command, operation::query})
      if (auto next = book_.next(what))
        this->send(peer_, submit{client_actor{node_port_actor{this}}, next->number, what, std::move(next->block)});
  }

  void hear(const submission_answered& m) {
    book_.answered(m, [this](const lot_book::delivery& part) {
      for (std::uint32_t i = 0; i < part.run.count; ++i) {
        const auto answer = part.answers.at(part.first + i);
        book_.learn_value_bytes(answer.size());
        end(part.run.first_sequence + i, {std::nullopt, std::string{answer}});
      }
    });
    submit_gathered();
  }

  void refuse(const operation_run& run, refusal why) {
    for (std::uint32_t i = 0; i < run.count; ++i)
      end(run.first_sequence + i, {why, {}});
  }

  void end(std::uint64_t number, outcome how) {
    auto found = waiting_.extract(number);
    if (!found)
      return;
    // A read that was lost sight of has done nothing.
    if (how.refused == refusal::uncertain && found.mapped().what == operation::query)
      how.refused = is_lost_ ? refusal::stopped : refusal::no_leader;
    tell(found.mapped().who, std::move(how));
  }

  static void tell(caller& who, outcome how) {
    if (auto* actor = std::get_if<response>(&who))
      actor->deliver(std::move(how));
    else
      std::get<std::shared_ptr<awaited_outcome>>(who)->tell(std::move(how));
  }

  void lose_peer() {
    lose_all();
    this->quit(caf::exit_reason::user_shutdown);
  }

  /// What was submitted may have been carried out; what was not certainly was not.
  void lose_all() {
    is_lost_ = true;
    book_.abandon([this](const operation_run& run, bool is_submitted) {
      refuse(run, is_submitted ? refusal::uncertain : refusal::stopped);
    });
  }

  peer_handle peer_;
  lot_book book_;
  std::unordered_map<std::uint64_t, operation_waiting> waiting_;
  std::uint64_t last_operation_ = 0;
  bool is_submit_armed_ = false;
  bool is_lost_ = false;
};

} // namespace

void awaited_outcome::tell(outcome how) {
  auto then = std::exchange(then_, nullptr);
  if (!then)
    return;
  try {
    then(std::move(how));
  } catch (const std::exception& failure) {
    logs().error("event=callback_threw what={}", in_log_quotes(failure.what()));
  } catch (...) {
    logs().error("event=callback_threw what=\"no std::exception\"");
  }
}

node_port_actor spawn_port(caf::actor_system& system, placement where, const peer_handle& peer,
                           const port_options& options) {
  return spawn_at<port_shell, node_port_actor>(system, where, peer, options);
}

port_actor open_port(caf::actor_system& system, const peer_handle& peer, placement where, port_options options) {
  return spawn_port(system, where, peer, options);
}

} // namespace troupe
