/// \file
/// Where a store lies while it is checked: opens it, writes to it, keeps a model of what it should hold, and compares.
#pragma once

#include "persistence/conformance/histories.hpp"
#include "persistence/conformance/model.hpp"
#include "troupe/storage_conformance.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::conformance {

/// The store under test does not do what its contract says. `what()` names what was expected and what came.
class nonconformance : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The check needs something that the store under test does not offer.
class not_applicable : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Fails the running check unless `holds`.
void require(bool holds, const std::string& words);

/// Waits for a submit's completion, which may come from any thread.
class completion {
public:
  /// What to hand to `submit`.
  [[nodiscard]] std::function<void()> callback() const;
  /// Returns whether it was called within `patience`.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience) const;
  [[nodiscard]] int calls() const { return state_->calls.load(); }
  /// Whether it was called, and by whoever made this.
  [[nodiscard]] bool came_at_once() const { return state_->calls.load() > 0 && state_->is_here.load(); }

private:
  struct state {
    std::atomic<int> calls{0};
    const std::thread::id here = std::this_thread::get_id();
    std::atomic<bool> is_here{false};
    std::promise<void> first;
    std::shared_future<void> happened{first.get_future()};
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// How a submit is cut short.
enum class ending {
  power_loss,  ///< What is not durable may be lost.
  process_end, ///< What was written is still there, but not all of it is durable.
};

/// One run of one check.
class bench {
public:
  bench(const storage_under_test& subject, const storage_check_options& options);

  [[nodiscard]] const storage_check_options& options() const { return options_; }
  [[nodiscard]] bool can_lose_power() const { return subject_.lose_power != nullptr; }
  [[nodiscard]] bool can_stop_medium() const { return can_lose_power() && subject_.stop_medium_after != nullptr; }

  /// The open store.
  [[nodiscard]] storage& store();
  void open();
  void close();
  /// Closes and opens.
  void reopen();
  /// Loses power and opens again. A snapshot may be under way.
  void lose_power_and_reopen(std::unique_ptr<snapshot_sink> under_way = nullptr);

  /// Submits, waits until it is done, and tells the model.
  void write(std::vector<log_write> writes);
  /// Submits and does not wait. The store may be destroyed, or lose its power, before this is done.
  [[nodiscard]] completion submit(const std::vector<log_write>& writes);
  /// Has the medium stop after `steps` steps of submitting `writes`, and the store end as told and be opened again. The
  /// model then has what was found, which must be a beginning of them, or all if they were done. Returns whether they
  /// were done.
  bool write_cut_short(const std::vector<log_write>& writes, std::size_t steps, ending how = ending::power_loss);

  /// Has a snapshot written and finished on another thread, and tells the model.
  void save_snapshot(group_id group, const snapshot_mark& at, std::string_view content);
  /// Has the medium stop after `steps` steps of that, and the store end as told and be opened again. The snapshot is
  /// then there or not, as the model has it from then on; if `finish` returned, it must be. Returns whether it did.
  bool save_cut_short(group_id group, const snapshot_mark& at, std::string_view content, std::size_t steps,
                      ending how = ending::power_loss);
  /// Opens a snapshot for writing or reading, on another thread.
  [[nodiscard]] std::unique_ptr<snapshot_sink> begin_snapshot(group_id group, const snapshot_mark& at);
  [[nodiscard]] std::unique_ptr<snapshot_reader> open_snapshot(group_id group, log_index index);
  /// Fails if the store knows a snapshot there.
  void expect_no_snapshot(group_id group, log_index index);

  /// What the store should hold of a group, or of all.
  [[nodiscard]] const group_image& expected(group_id group) { return model_[group]; }
  [[nodiscard]] const store_image& expected() const { return model_; }

  [[nodiscard]] recovered_group recover(group_id group, std::size_t tail_bytes);
  [[nodiscard]] read_plan plan_read(const log_range& range);
  /// All that the store has of a group: what it recovers, older entries by reads, and what is in its snapshots.
  [[nodiscard]] group_image look(group_id group);
  /// Fails unless the store has of this group, or of every group written to, what the model has.
  void expect_same(group_id group);
  void expect_all_same();
  /// Reads the range in as many reads as it takes, and fails unless it is what the model has.
  void expect_read(const log_range& range);

  /// Asks for a chore after a submit, and carries it out on a thread of its own. Returns whether one was due.
  bool run_chore();

  /// Fails unless each submit that was done was told so once, and every other at most once. Closes the store.
  void finish();

private:
  /// What a crash left must be what the model has, but for a beginning of `under_way`, which the model then has too.
  void adopt_what_remains(const std::vector<log_write>& under_way);
  void end_as(ending how);
  [[nodiscard]] snapshot_image look_at_snapshot(group_id group, const snapshot_mark& mark);

  const storage_under_test& subject_;
  storage_check_options options_;
  std::unique_ptr<storage> store_;
  store_image model_;
  std::vector<completion> completions_;
  /// Whether every submit so far was done by the thread that submitted, of one at least.
  bool finishes_at_once_ = false;
};

/// Adds all of it to the sink, in pieces of different sizes.
void append_all(snapshot_sink& sink, std::string_view content);

/// Entries of `batches` as images. Fails unless they are well-formed, consecutive and begin at `first`.
[[nodiscard]] std::vector<entry_image> images_of(const std::vector<entry_batch>& batches, log_index first,
                                                 const std::string& where);

/// Calls the store; an exception of its own becomes a failure that names the call.
template <class F>
auto calling(const char* call, F&& work) {
  try {
    return work();
  } catch (const nonconformance&) {
    throw;
  } catch (const std::exception& failure) {
    throw nonconformance{std::string{call} + " threw: " + failure.what()};
  }
}

/// Runs `work` on another thread and returns what it returns or throws what it throws.
template <class F>
auto on_another_thread(F&& work) {
  return std::async(std::launch::async, std::forward<F>(work)).get();
}

} // namespace troupe::conformance
