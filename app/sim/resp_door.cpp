#include "app/sim/resp_door.hpp"

#include "app/resp/conversation.hpp"
#include "app/resp/outbox.hpp"
#include "app/sim/resp_words.hpp"

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace troupe {

namespace {

constexpr auto status_deadline = std::chrono::seconds{5};

struct guest {
  guest(resp::client_identity who, const resp::client_limits& limits, lot_book& book, const resp::surroundings& around)
      : mind{std::move(who), limits, book, around} {}

  resp::conversation mind;
  resp::outbox replies;
  bool is_read = true;
  bool touched = false;
};

/// As app/resp/gateway.cpp, as far as there can be no sockets.
class door final : public resp::surroundings {
public:
  door(resp_door::pointer self, peer_actor peer, const door_parts& parts)
      : self_{self}, peer_{std::move(peer)}, parts_{parts}, book_{parts.gather} {}

  void hear(const client_bytes& m) {
    if (gone_.contains(m.client))
      return;
    auto& one = welcome(m.client);
    one.mind.hear(m.bytes, one.replies.end());
    tend(m.client);
    submit_soon();
  }

  void hear(const client_took& m) {
    auto* one = find(m.client);
    if (one == nullptr)
      return;
    one->replies.written(m.bytes);
    one->mind.taken(m.bytes, one->replies.end());
    tend(m.client);
    submit_lots();
  }

  void hear(const client_ended& m) {
    auto* one = find(m.client);
    if (one == nullptr)
      return;
    if (m.hangs_up)
      return forget(m.client);
    one->mind.hear_end();
    tend(m.client);
  }

  void hear(door_submit_due) {
    submit_is_due_ = false;
    submit_lots();
  }

  void hear(const submission_accepted& m) {
    book_.accepted(m.number);
    submit_lots();
  }

  void hear(const submission_answered& m) {
    book_.answered(as_said(m), [this](const lot_book::delivery& part) {
      if (auto* one = touch(part.run.client))
        one->mind.hear_answers(part, one->replies.end());
    });
    tend_touched();
    submit_lots();
  }

  void hear(const submission_refused& m) {
    names_.erase(m.number);
    book_.refused(m, [&](const operation_run& run) { refuse(run, m.why); });
    tend_touched();
    submit_lots();
  }

  void lose_peer() {
    peer_ = nullptr;
    tell_no_status(std::exchange(status_wanted_, {}));
    abandon_lots();
  }

  [[nodiscard]] instant now() const override { return parts_.runtime.now(); }
  [[nodiscard]] std::string client_list() const override { return {}; }
  [[nodiscard]] std::span<const std::pair<std::string, std::string>> settings() const override { return {}; }

private:
  guest& welcome(std::uint64_t client) {
    auto& there = guests_[client];
    if (!there)
      there = std::make_unique<guest>(resp::client_identity{client, "client:" + std::to_string(client), "node", now()},
                                      parts_.limits, book_, *this);
    return *there;
  }

  guest* find(std::uint64_t client) {
    const auto found = guests_.find(client);
    return found == guests_.end() ? nullptr : found->second.get();
  }

  void forget(std::uint64_t client) {
    gone_.insert(client);
    guests_.erase(client);
  }

  void tend(std::uint64_t client) {
    auto& one = *guests_.at(client);
    one.touched = false;
    std::vector<char> wire;
    if (one.replies.hand_over(wire))
      parts_.says(client, {wire.begin(), wire.end()});
    if (one.mind.is_stuck() || (one.mind.is_over() && one.mind.unsent_bytes() == 0)) {
      parts_.closes(client);
      return forget(client);
    }
    if (one.mind.wants_status())
      ask_status(client);
    if (one.mind.wants_input() == one.is_read)
      return;
    one.is_read = !one.is_read;
    parts_.reads(client, one.is_read);
  }

  guest* touch(std::uint64_t client) {
    auto* one = find(client);
    if (one != nullptr && !std::exchange(one->touched, true))
      touched_.push_back(client);
    return one;
  }

  void tend_touched() {
    for (const auto client : std::exchange(touched_, {}))
      if (find(client) != nullptr)
        tend(client);
  }

  void refuse(const operation_run& run, refusal why) {
    if (auto* one = touch(run.client))
      one->mind.hear_refusal(run, why, one->replies.end());
  }

  void submit_soon() {
    if (submit_is_due_ || !book_.holds_any())
      return;
    submit_is_due_ = true;
    self_->send(self_, door_submit_due{});
  }

  void submit_lots() {
    if (!peer_)
      return abandon_lots();
    for (const auto what : {operation::command, operation::query})
      if (const auto next = book_.next(what))
        self_->send(peer_, submit{caf::actor_cast<client_actor>(self_), next->number, what, as_submitted(*next)});
  }

  /// A lot as the stage wants to see it: each operation with its number.
  entry_block as_submitted(const lot_book::submission& lot) {
    entry_block_builder block;
    auto& names = names_[lot.number];
    for (entry_iterator at{lot.block.payload.view(), {}}; at != entry_iterator{}; ++at) {
      const auto named = without_number((*at).content);
      if (!named)
        parts_.watch.broken("something is submitted that no client has said");
      names.push_back(named ? named->first : operation_id{});
      block.add(entry_kind::command, named ? parts_.watch.leaves(named->first, lot.what, named->second) : "");
    }
    return block.take();
  }

  /// Answers as the state machine has given them.
  submission_answered as_said(const submission_answered& m) {
    const auto found = names_.find(m.number);
    if (found == names_.end())
      return m; // The book knows nothing of it either.
    auto said = std::make_shared<answer_list>();
    for (std::size_t i = 0; i < m.answers->count(); ++i)
      said->add(parts_.watch.comes_back(found->second.at(m.offset + i), m.answers->at(i)));
    if (m.offset + m.answers->count() == found->second.size())
      names_.erase(found);
    return {m.number, m.offset, std::move(said)};
  }

  void ask_status(std::uint64_t client) {
    if (!peer_)
      return tell_no_status({client});
    status_wanted_.push_back(client);
    if (!asking_)
      ask_peer();
  }

  void ask_peer() {
    asking_ = true;
    auto whom = std::exchange(status_wanted_, {});
    self_->request(peer_, status_deadline, ask_state{})
        .then([this, whom](const peer_state& state) { tell_status(whom, state); },
              [this, whom](const caf::error&) {
                asking_ = false;
                tell_no_status(whom);
              });
  }

  void tell_status(const std::vector<std::uint64_t>& whom, const peer_state& state) {
    asking_ = false;
    for (const auto client : whom)
      if (auto* one = touch(client))
        one->mind.hear_status({state, guests_.size(), guests_.size(), 0, {}, 1}, one->replies.end());
    tend_touched();
    if (!status_wanted_.empty() && !asking_ && peer_)
      ask_peer();
    submit_lots();
  }

  void tell_no_status(const std::vector<std::uint64_t>& whom) {
    for (const auto client : whom)
      if (auto* one = touch(client))
        one->mind.hear_no_status(one->replies.end());
    tend_touched();
  }

  void abandon_lots() {
    names_.clear();
    while (book_.holds_any()) {
      book_.abandon([this](const operation_run& run, bool submitted) {
        refuse(run, submitted ? refusal::uncertain : refusal::stopped);
      });
      tend_touched();
    }
  }

  resp_door::pointer self_;
  peer_actor peer_;
  const door_parts& parts_;
  lot_book book_;
  std::map<std::uint64_t, std::unique_ptr<guest>> guests_;
  std::map<std::uint64_t, std::vector<operation_id>> names_; ///< By lot.
  std::vector<std::uint64_t> touched_;
  std::vector<std::uint64_t> status_wanted_;
  std::set<std::uint64_t> gone_;
  bool asking_ = false;
  bool submit_is_due_ = false;
};

resp_door::behavior_type play_door(resp_door::pointer self, const peer_actor& peer,
                                   std::shared_ptr<const std::optional<door_parts>> parts) {
  const auto mind = std::make_shared<door>(self, peer, **parts);
  const auto hears = [parts, mind](const auto& m) {
    if (parts->has_value())
      mind->hear(m);
  };
  self->monitor(peer);
  self->set_down_handler([parts, mind](const caf::down_msg&) {
    if (parts->has_value())
      mind->lose_peer();
  });
  return {
      [hears](const submission_accepted& m) { hears(m); }, [hears](const submission_answered& m) { hears(m); },
      [hears](const submission_refused& m) { hears(m); },  [hears](const client_bytes& m) { hears(m); },
      [hears](const client_took& m) { hears(m); },         [hears](const client_ended& m) { hears(m); },
      [hears](const door_submit_due& m) { hears(m); },
  };
}

} // namespace

resp_door open_door(caf::actor_system& system, const peer_actor& peer,
                    std::shared_ptr<const std::optional<door_parts>> parts) {
  return system.spawn(play_door, peer, std::move(parts));
}

} // namespace troupe
