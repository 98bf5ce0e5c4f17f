#include "app/sim/resp_door.hpp"

#include "app/resp/reception.hpp"
#include "app/sim/resp_words.hpp"

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace troupe {

namespace {

/// What app/resp/gateway.cpp is, without sockets: production's reception, of which the stage is told what goes in and
/// out.
class door final : public resp::outside {
public:
  door(resp_door::pointer self, peer_actor peer, const door_parts& parts)
      : self_{self}, peer_{std::move(peer)}, parts_{parts}, reception_{{parts.limits, {}, parts.gather}, *this} {}

  void hear(const client_bytes& m) {
    if (!gone_.contains(m.client))
      reception_.hear(welcome(m.client), m.bytes);
  }

  void hear(const client_took& m) {
    if (auto* one = reception_.find(m.client))
      reception_.hear_taken(*one, m.bytes);
  }

  void hear(const client_ended& m) {
    auto* one = reception_.find(m.client);
    if (one == nullptr)
      return;
    if (!m.hangs_up)
      return reception_.hear_end(*one);
    gone_.insert(m.client);
    reception_.forget(*one);
  }

  void hear(door_submit_due) { reception_.submit_gathered(); }

  void hear(const submission_accepted& m) { reception_.hear_accepted(m); }

  void hear(const submission_answered& m) { reception_.hear_answers(as_said(m)); }

  void hear(const submission_refused& m) {
    names_.erase(m.number);
    reception_.hear_refusal(m);
  }

  void lose_peer() {
    peer_ = nullptr;
    names_.clear();
    reception_.lose_peer();
  }

private:
  resp::guest& welcome(std::uint64_t client) {
    if (auto* there = reception_.find(client))
      return *there;
    return reception_.let_in({client, "client:" + std::to_string(client), "node", now()});
  }

  // -- connections ---------------------------------------------------------------------------------------------------

  [[nodiscard]] instant now() const override { return parts_.runtime.now(); }
  [[nodiscard]] std::span<const std::pair<std::string, std::string>> settings() const override { return {}; }

  void say(resp::guest& to) override {
    std::vector<char> wire;
    if (to.replies.hand_over(wire))
      parts_.says(to.id(), {wire.begin(), wire.end()});
  }

  void listen(const resp::guest& to, bool wanted) override { parts_.reads(to.id(), wanted); }

  void last_word_said(const resp::guest& to) override { parts_.reads(to.id(), false); }

  /// There are no unread bytes here that could reset a connection.
  bool last_word_out(const resp::guest&) override { return false; }

  void part_from(const resp::guest& whom, std::string_view) override {
    gone_.insert(whom.id());
    parts_.closes(whom.id());
  }

  // -- the peer ------------------------------------------------------------------------------------------------------

  void hand_in(lot_book::submission lot) override {
    self_->send(peer_, submit{caf::actor_cast<client_actor>(self_), lot.number, lot.what, as_submitted(lot)});
  }

  void remind() override { self_->send(self_, door_submit_due{}); }

  void ask_state() override {
    self_->request(peer_, resp::status_deadline, troupe::ask_state{})
        .then(
            [this](const peer_state& state) {
              reception_.hear_status({state, reception_.size(), reception_.size(), 0, {}, 1});
            },
            [this](const caf::error&) { reception_.hear_no_status(); });
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

  resp_door::pointer self_;
  peer_actor peer_;
  const door_parts& parts_;
  resp::reception reception_;
  std::map<std::uint64_t, std::vector<operation_id>> names_; ///< By lot.
  std::set<std::uint64_t> gone_;
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
