#include "actors/persister/persister.hpp"

#include "messages/mutant.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

namespace {

template <class Base>
class persister_shell : public Base {
public:
  persister_shell(caf::actor_config& config, std::shared_ptr<storage> store, archivist_actor archivist,
                  fatal_handler on_fatal)
      : Base{config}, store_{std::move(store)}, archivist_{std::move(archivist)}, on_fatal_{std::move(on_fatal)} {}

  typename Base::behavior_type make_behavior() override {
    return {
        [this](const recover_log& m) { return recover(m); },
        [this](const release_log& m) {
          taken_.erase(m.group);
          writers_.erase(m.group);
        },
        [this](persist_request& m) { take_in(m); },
        [this](const read_log_request& m) { guarded([&] { plan_read(m); }); },
        [this](const gather_due&) { guarded([&] { submit_group(); }); },
        [this](const group_durable&) { guarded([&] { finish_group(); }); },
        [this](const chore_finished&) { guarded([&] { finish_chore(); }); },
        [this](const room_due&) {
          is_room_due_ = false;
          guarded([&] { look_for_room(); });
        },
        [this](const idle_due& m) { guarded([&] { use_pause(m.epoch); }); },
        [this](snapshot_errand& m) { guarded([&] { find_way(m); }); },
        [this](build_errand& m) { guarded([&] { find_way(m); }); },
        [this](let_go& m) { this->send(archivist_, carry_out_quietly{[what = std::move(m.what)] {}}); },
    };
  }

  void on_exit() override {
    archivist_ = nullptr;
    waiting_.clear();
    submitted_.clear();
    recoveries_.clear();
    writers_.clear();
    store_.reset();
  }

private:
  /// Whom to tell of which write.
  struct promise {
    log_writer_actor to;
    group_id group;
    write_id id;
  };

  using recovery_promise = caf::typed_response_promise<recovered_group>;
  struct recovery {
    recover_log what;
    recovery_promise promise;
  };

  /// Two peers on one log would share one vote and overwrite each other's entries.
  recovery_promise recover(const recover_log& m) {
    auto promise = this->template make_response_promise<recovered_group>();
    if (!taken_.insert(m.group).second)
      promise.deliver(
          caf::make_error(caf::sec::runtime_error,
                          "group " + std::to_string(m.group.value()) + " of this disk belongs to a peer that lives"));
    else
      recoveries_.push_back({m, promise});
    answer_recoveries();
    return promise;
  }

  /// A group that cannot be recovered is its peer's misfortune, told in the answer; the store serves the others.
  void answer_recoveries() {
    const auto is_of = [](group_id group) { return [group](const promise& p) { return p.group == group; }; };
    std::erase_if(recoveries_, [&](recovery& each) {
      const auto group = each.what.group;
      if (std::any_of(waiting_.begin(), waiting_.end(), is_of(group))
          || std::any_of(submitted_.begin(), submitted_.end(), is_of(group)))
        return false; // An earlier peer's last writes are still on their way.
      try {
        each.promise.deliver(store_->recover(group, each.what.tail_bytes));
      } catch (const std::exception& failure) {
        taken_.erase(group);
        each.promise.deliver(caf::make_error(caf::sec::runtime_error, std::string{failure.what()}));
      }
      return true;
    });
  }

  // The marker runs behind everything that is in the mailbox by now: all of it joins the group.
  void take_in(persist_request& m) {
    if (auto& writer = writers_[m.what.what.group]; writer != m.from) {
      writer = m.from;
      if (is_full_)
        this->send(writer, disk_room{true});
    }
    waiting_.push_back({std::move(m.from), m.what.what.group, m.what.id});
    writes_.push_back(std::move(m.what.what));
    if (!is_busy_ && !std::exchange(is_gathering_, true))
      this->send(this, gather_due{});
  }

  void submit_group() {
    is_gathering_ = false;
    if (is_busy_ || writes_.empty())
      return;
    is_busy_ = true;
    ++epoch_;
    submitted_ = std::exchange(waiting_, {});
    // A store may finish on any thread, later.
    store_->submit(std::exchange(writes_, {}),
                   [self = persister_actor{this}] { caf::anon_send(self, group_durable{}); });
    notice_room(); // A full disk may keep the group waiting.
  }

  void finish_group() {
    is_busy_ = false;
    const auto done = std::exchange(submitted_, {});
    for (std::size_t i = 0; i < done.size(); ++i) {
      // One report per group covers all before it; the last of a run of equals is enough.
      const bool is_last = i + 1 == done.size() || done[i + 1].group != done[i].group || done[i + 1].to != done[i].to;
      if (is_last)
        this->send(done[i].to, persisted{done[i].group, done[i].id});
    }
    guarded([&] { answer_recoveries(); });
    submit_group();
    begin_chore();
    notice_room();
    await_pause();
  }

  void begin_chore() {
    if (is_chore_running_)
      return;
    if (auto work = store_->next_chore()) {
      is_chore_running_ = true;
      this->send(archivist_, carry_out_chore{persister_actor{this}, std::move(*work)});
    }
  }

  void finish_chore() {
    is_chore_running_ = false;
    store_->chore_done();
    notice_room();
    // Where there is no room, trying at once again is of no use.
    if (!is_full_)
      begin_chore();
  }

  // -- a disk without room
  // ---------------------------------------------------------------------------------------------

  void notice_room() {
    // Whoever hears that there is room must have heard that what was held is written: finish_group comes here, too.
    if (is_full_ && is_busy_ && !store_->is_full())
      return;
    if (std::exchange(is_full_, store_->is_full()) != is_full_)
      for (const auto& [group, writer] : writers_)
        this->send(writer, disk_room{is_full_});
    if (is_full_ && !std::exchange(is_room_due_, true))
      this->delayed_send(this, look_again, room_due{});
  }

  void look_for_room() {
    begin_chore();
    notice_room();
  }

  // -- pauses
  // ----------------------------------------------------------------------------------------------------------

  void await_pause() {
    if (!is_busy_ && !std::exchange(is_pause_armed_, true))
      this->delayed_send(this, pause, idle_due{epoch_});
  }

  void use_pause(std::uint64_t epoch) {
    is_pause_armed_ = false;
    if (epoch != epoch_)
      return await_pause();
    if (auto work = store_->when_idle())
      this->send(archivist_, carry_out_quietly{std::move(*work)});
  }

  // -- snapshots
  // -------------------------------------------------------------------------------------------------------

  void find_way(snapshot_errand& m) {
    if (!store_->keeps_snapshots())
      return std::visit([&](const auto& what) { decline(m.from, what); }, m.what);
    auto [write, read] = std::visit([&](const auto& what) { return way_to(m.group, what); }, m.what);
    this->send(archivist_, carry_out_errand{std::move(m), std::move(write), std::move(read)});
  }

  void find_way(build_errand& m) {
    auto read = store_->plan_snapshot_read(m.what.group, m.what.what.at.index);
    this->send(archivist_, carry_out_build{std::move(m), std::move(read)});
  }

  using way = std::pair<snapshot_write_plan, snapshot_read_plan>;
  way way_to(group_id group, const write_snapshot& what) { return {store_->plan_snapshot(group, what.what), {}}; }
  way way_to(group_id group, const check_snapshot& what) { return {{}, store_->plan_snapshot_read(group, what.index)}; }
  way way_to(group_id group, const fetch_piece& what) { return {{}, store_->plan_snapshot_read(group, what.index)}; }
  way way_to(group_id group, const snapshot_piece& what) {
    const bool is_first = what.offset == 0 && !what.is_end && !what.is_given_up;
    return {is_first ? store_->plan_snapshot(group, what.what) : snapshot_write_plan{}, {}};
  }

  static constexpr const char* no_snapshots = "this node's store keeps no snapshots";
  void decline(const snapshot_listener& to, const write_snapshot& what) {
    this->send(to, snapshot_written{what.group, what.what, no_snapshots});
  }
  void decline(const snapshot_listener& to, const check_snapshot& what) {
    this->send(to, snapshot_checked{what.group, what.index, no_snapshots});
  }
  void decline(const snapshot_listener& to, const fetch_piece& what) {
    this->send(to, piece_read{what, {}, no_snapshots});
  }
  void decline(const snapshot_listener& to, const snapshot_piece& what) {
    this->send(to, reception_failed{what.group, what.what, no_snapshots});
  }

  void plan_read(const read_log_request& m) {
    this->send(archivist_, carry_out_read{m.from, m.what.range.group, m.what.ticket, store_->plan_read(m.what.range)});
  }

  // A disk that failed once is not asked again (fsyncgate): the node ends.
  template <class F>
  void guarded(F&& work) {
    try {
      work();
    } catch (const std::exception& failure) {
      if (TROUPE_MUTANT(P6))
        return finish_group();
      on_fatal_(failure.what());
      this->quit(caf::exit_reason::unhandled_exception);
    }
  }

  std::shared_ptr<storage> store_;
  archivist_actor archivist_;
  fatal_handler on_fatal_;
  std::vector<promise> waiting_;
  std::vector<log_write> writes_;
  std::vector<promise> submitted_;
  std::vector<recovery> recoveries_; ///< Of groups with writes under way.
  std::set<group_id> taken_;         ///< Groups of peers that live, on a shared disk.
  bool is_gathering_ = false;
  bool is_busy_ = false;
  bool is_chore_running_ = false;
  /// How soon a full disk is looked at again, and what counts as a pause.
  static constexpr auto look_again = std::chrono::milliseconds{500};
  static constexpr auto pause = std::chrono::milliseconds{5};
  std::map<group_id, log_writer_actor> writers_; ///< Who is told when there is no room.
  bool is_full_ = false;
  bool is_room_due_ = false;
  std::uint64_t epoch_ = 0; ///< Counts submits: tells a pause from a moment between two.
  bool is_pause_armed_ = false;
};

} // namespace

persister_actor spawn_persister(caf::actor_system& system, placement where, std::shared_ptr<storage> store,
                                archivist_actor archivist, fatal_handler on_fatal) {
  return spawn_at<persister_shell, persister_actor>(system, where, std::move(store), std::move(archivist),
                                                    std::move(on_fatal));
}

} // namespace troupe
