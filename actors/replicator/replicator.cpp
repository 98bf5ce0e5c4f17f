#include "actors/replicator/replicator.hpp"

#include "actors/replicator/progress.hpp"

namespace troupe {

namespace {

template <class Base>
class replicator_shell : public Base {
public:
  replicator_shell(caf::actor_config& config, replicator_parts parts)
      : Base{config}, mind_{parts.about, parts.incarnation, parts.probe_from, parts.options, parts.repair},
        leader_{std::move(parts.leader)}, follower_{std::move(parts.follower)} {}

  typename Base::behavior_type make_behavior() override {
    return {
        [this](const leader_news& m) { step(m); },
        [this](const entries_fetched& m) { step(m); },
        [this](const append_reply& m) { step(m); },
        [this](const snapshot_reply& m) { step(m); },
        [this](const piece_fetched& m) { step(m); },
        [this](const beat_due&) {
          is_beat_armed_ = false;
          let_time_pass();
        },
        [this](const notice_due&) {
          is_notice_armed_ = false;
          let_time_pass();
        },
    };
  }

  void on_exit() override {
    leader_ = nullptr;
    follower_ = nullptr;
  }

private:
  template <class Event>
  void step(const Event& event) {
    progress_output out;
    mind_.handle(event, now(), out);
    carry_out(out);
  }

  void let_time_pass() {
    progress_output out;
    mind_.tick(now(), out);
    carry_out(out);
  }

  void carry_out(progress_output& out) {
    for (auto& request : out.send)
      this->send(follower_, std::move(request));
    for (auto& piece : out.send_pieces)
      this->send(follower_, std::move(piece));
    if (out.heard)
      this->send(leader_, *out.heard);
    if (out.fetch)
      this->send(leader_, *out.fetch);
    if (out.fetch_piece)
      this->send(leader_, *out.fetch_piece);
    arm_timers();
  }

  void arm_timers() {
    if (!is_beat_armed_) {
      is_beat_armed_ = true;
      this->delayed_send(this, std::max(mind_.next_beat() - now(), duration::zero()), beat_due{});
    }
    if (const auto due = mind_.notice_due(); due && !is_notice_armed_) {
      is_notice_armed_ = true;
      this->delayed_send(this, std::max(*due - now(), duration::zero()), notice_due{});
    }
  }

  [[nodiscard]] instant now() { return this->clock().now(); }

  progress mind_;
  peer_actor leader_;
  raft_actor follower_;
  bool is_beat_armed_ = false;
  bool is_notice_armed_ = false;
};

} // namespace

replicator_actor spawn_replicator(caf::actor_system& system, placement where, replicator_parts parts) {
  return spawn_at<replicator_shell, replicator_actor>(system, where, std::move(parts));
}

} // namespace troupe
