// Every system call of a run, failed in turn: each way it can fail, and then the process starts again.
#include "effort.hpp"
#include "failing_calls.hpp"
#include "operations.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>

namespace troupe::test {

namespace {

constexpr int run_length = 200;
constexpr auto groups = operations::groups;

/// In memory if there is a place, so that the hundred thousand syncs of this test cost nothing.
std::string fresh_directory() {
  const std::string memory = "/dev/shm";
  const auto place = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path().string();
  auto pattern = place + "/troupe-calls-XXXXXX";
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  return pattern;
}

/// A process that carries out the 200 operations, and its directory.
class run {
public:
  run() : directory_{fresh_directory()} {}
  run(const run&) = delete;
  run& operator=(const run&) = delete;
  ~run() { std::filesystem::remove_all(directory_); }

  /// With reads, and a new start now and then.
  void play() {
    operations all{11};
    for (int each = 0; each < run_length; ++each) {
      if (each % 80 == 0)
        start();
      all.next(*log_, told_);
      if (each % 100 == 60)
        read_back();
    }
    log_.reset();
  }

  /// The process ends, as it does after any failure, and starts again. What is wrong then; no words if all is well.
  std::string start_again() {
    log_.reset();
    try {
      start();
      if (auto wrong = told_.objection(*log_); !wrong.empty())
        return wrong;
      if (!log_->report().damaged_snapshots.empty())
        return "a snapshot is damaged";
      // It goes on as if nothing had been.
      std::vector<log_write> more;
      for (std::uint32_t group = 0; group < groups; ++group) {
        const auto found = contents(*log_, group);
        const auto term = found.vote.current_term.next();
        more.push_back({group_id{group},
                        hard_state{term, nobody},
                        std::nullopt,
                        {batch(term.value(), found.last() + 1, {"more"})}});
      }
      model before;
      for (std::uint32_t group = 0; group < groups; ++group)
        before[group] = contents(*log_, group);
      log_->submit(more, [] {});
      perform(before, more);
      start();
      for (std::uint32_t group = 0; group < groups; ++group)
        if (contents(*log_, group) != before[group])
          return "what was written after the restart is not there";
    } catch (const std::exception& error) {
      return std::string{"refused: "} + error.what();
    }
    return {};
  }

  [[nodiscard]] const ledger& told() const { return told_; }

private:
  void start() {
    log_.reset();
    log_ = std::make_unique<log_storage>(*files_, directory_ + "/log", small_segments());
  }

  void read_back() {
    for (const auto& [group, wanted] : told_.done())
      if (contents(*log_, group) != wanted)
        throw storage_error{directory_, "reads back other entries than were written"};
  }

  std::string directory_;
  std::unique_ptr<file_system> files_ = real_file_system();
  std::unique_ptr<log_storage> log_;
  ledger told_;
};

/// Those that the caller must not notice.
bool is_harmless(system_call which, fault what) {
  return what == fault::cut_short || (what == fault::interrupted && which != system_call::sync_data);
}

std::vector<system_call> calls_of_a_run() {
  run whole;
  note_calls();
  whole.play();
  leave_calls_alone();
  return noted_calls();
}

} // namespace

TEST_SUITE("surgery") {

  TEST_CASE(
      "P6 P7: any system call of 200 operations fails in any way, and after a restart all that was told is there") {
    const auto calls = calls_of_a_run();
    // Rare calls are tried more often than common ones. Each case is a whole run, which takes a sanitizer long: there
    // are few of them where there are few of all.
    std::map<system_call, std::size_t> made;
    for (const auto each : calls)
      made[each] += faults_of(each).size();
    const auto step_of = [&, most = stride(1) * stride(1)](system_call which) {
      return std::max<std::size_t>(1, std::min(most, made[which] / 40));
    };
    std::map<system_call, std::size_t> seen;
    std::map<std::string, std::size_t> counts;
    std::size_t cases = 0;
    std::size_t ended = 0;
    for (std::size_t nth = 1; nth <= calls.size(); ++nth) {
      const auto which = calls[nth - 1];
      for (const auto what : faults_of(which)) {
        if (seen[which]++ % step_of(which) != 0)
          continue;
        const auto words = std::string{"call "} + std::to_string(nth) + ", " + name_of(which) + ": " + name_of(what);
        CAPTURE(words);
        run one;
        std::string error;
        fail_call(nth, what);
        try {
          one.play();
        } catch (const std::exception& thrown) {
          error = thrown.what();
        }
        leave_calls_alone();
        REQUIRE(has_failed());
        CAPTURE(error);
        REQUIRE((error.empty() || !is_harmless(which, what)));
        REQUIRE(one.start_again() == "");
        ++cases;
        ended += error.empty() ? 0 : 1;
        ++counts[name_of(which)];
      }
    }
    std::string by_call;
    for (const auto& [name, count] : counts)
      by_call += " " + name + " " + std::to_string(count);
    MESSAGE(cases << " cases of " << calls.size() << " calls; " << ended << " ended the process;" << by_call);
  }

} // TEST_SUITE

} // namespace troupe::test
