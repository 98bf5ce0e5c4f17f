#include "actors/persister/archivist.hpp"

#include "messages/snapshot_content.hpp"

#include <deque>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <variant>

namespace troupe {

namespace {

/// A snapshot that is being written from a picture of the state.
struct writing {
  snapshot_listener to;
  snapshot_written report; ///< Its size grows with what is written.
  std::unique_ptr<snapshot_sink> sink;
  snapshot_content content;
};

/// A snapshot that is being read back.
struct checking {
  snapshot_listener to;
  snapshot_checked report;
  snapshot_state content;
};

/// A snapshot that comes in piece by piece.
struct receiving {
  std::unique_ptr<snapshot_sink> sink;
  content_check check;
};

template <class Base>
class archivist_shell : public Base {
public:
  archivist_shell(caf::actor_config& config, fatal_handler on_fatal) : Base{config}, on_fatal_{std::move(on_fatal)} {}

  typename Base::behavior_type make_behavior() override {
    return {
        [this](const carry_out_read& m) { guarded([&] {
                                            this->send(m.to, log_read{m.group, m.ticket, m.plan()});
                                          }); },
        [this](const carry_out_chore& m) {
          guarded([&] {
            m.work();
            this->send(m.done_to, chore_finished{});
          });
        },
        [this](const carry_out_quietly& m) { guarded([&] { m.work(); }); },
        [this](const carry_out_errand& m) {
          guarded([&] { std::visit([&](const auto& what) { begin(m, what); }, m.errand.what); });
        },
        [this](const carry_out_build& m) { build(m); },
        [this](const archive_due&) {
          is_due_ = false;
          guarded([&] { go_on(); });
        },
    };
  }

  void on_exit() override {
    jobs_.clear();
    receptions_.clear();
  }

private:
  // -- a snapshot of our own, a chunk at a time: reads and chores get their turns in between
  // ---------------------------

  void begin(const carry_out_errand& m, const write_snapshot& what) {
    snapshot_written report{what.group, what.what, {}};
    try {
      jobs_.push_back(writing{m.errand.from, report, m.write(), snapshot_content{what.head, what.view}});
    } catch (const out_of_space& full) {
      report.trouble = full.what();
      this->send(m.errand.from, std::move(report));
    }
    arm();
  }

  void begin(const carry_out_errand& m, const check_snapshot& what) {
    snapshot_checked report{what.group, what.index, {}};
    try {
      jobs_.push_back(checking{m.errand.from, report, snapshot_state{m.read()}});
    } catch (const std::exception& failure) {
      report.trouble = failure.what();
      this->send(m.errand.from, std::move(report));
    }
    arm();
  }

  void go_on() {
    if (jobs_.empty())
      return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    if (std::visit([this](auto& each) { return advance(each); }, job))
      jobs_.push_back(std::move(job));
    arm();
  }

  void arm() {
    if (!jobs_.empty() && !std::exchange(is_due_, true))
      this->send(this, archive_due{});
  }

  /// Each returns whether there is more to do.
  bool advance(writing& job) {
    try {
      const auto chunk = job.content.next_chunk();
      if (!chunk.empty()) {
        job.sink->append(chunk);
        job.report.what.size_bytes += chunk.size();
        return true;
      }
      job.sink->finish();
    } catch (const out_of_space& full) {
      job.report.trouble = full.what();
    }
    this->send(job.to, std::move(job.report));
    return false;
  }

  bool advance(checking& job) {
    try {
      if (!job.content.next_chunk().empty())
        return true;
    } catch (const std::exception& failure) {
      job.report.trouble = failure.what();
    }
    this->send(job.to, std::move(job.report));
    return false;
  }

  // -- to and from other peers
  // -----------------------------------------------------------------------------------------

  void begin(const carry_out_errand& m, const fetch_piece& what) {
    piece_read report{what, {}, {}};
    try {
      report.bytes = shared_bytes{m.read()->read(what.offset, what.max_bytes)};
    } catch (const std::exception& failure) {
      report.trouble = failure.what();
    }
    this->send(m.errand.from, std::move(report));
  }

  void begin(const carry_out_errand& m, const snapshot_piece& piece) {
    const auto fail = [&](const std::string& why) {
      receptions_.erase(piece.group);
      this->send(m.errand.from, reception_failed{piece.group, piece.what, why});
    };
    if (piece.is_given_up) {
      receptions_.erase(piece.group);
      return;
    }
    try {
      if (m.write)
        receptions_.insert_or_assign(piece.group, receiving{m.write(), content_check{piece.what.size_bytes}});
      const auto found = receptions_.find(piece.group);
      if (found == receptions_.end())
        return fail("what came before it was given up");
      auto& reception = found->second;
      if (!piece.is_end) {
        reception.sink->append(piece.bytes.view());
        reception.check.take(piece.bytes.view());
      } else if (!reception.check.is_whole()) {
        return fail("it does not match its checksum");
      } else {
        reception.sink->finish();
        receptions_.erase(found);
      }
      this->send(m.errand.from, piece_stored{piece.group, piece.what, piece.offset + piece.bytes.size(), piece.is_end});
    } catch (const out_of_space& full) {
      fail(full.what());
    }
  }

  // The applier that waits for it decides what a failure means.
  void build(const carry_out_build& m) {
    state_built report;
    try {
      snapshot_state state{m.read()};
      report.state = m.errand.what.machine->build(state);
    } catch (const std::exception& failure) {
      report.trouble = failure.what();
    }
    this->send(m.errand.from, std::move(report));
  }

  template <class F>
  void guarded(F&& work) {
    try {
      work();
    } catch (const std::exception& failure) {
      on_fatal_(failure.what());
      this->quit(caf::exit_reason::unhandled_exception);
    }
  }

  fatal_handler on_fatal_;
  std::deque<std::variant<writing, checking>> jobs_; ///< They take turns.
  std::map<group_id, receiving> receptions_;
  bool is_due_ = false;
};

} // namespace

archivist_actor spawn_archivist(caf::actor_system& system, placement where, fatal_handler on_fatal) {
  return spawn_at<archivist_shell, archivist_actor>(system, where, std::move(on_fatal));
}

} // namespace troupe
