#include "conformance_paper_store.hpp"
#include "one_at_a_time.hpp"
#include "support.hpp"
#include "troupe/storage_conformance.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace troupe::test {

namespace {

constexpr std::uint64_t usual_seeds = 4;

/// Seeds to play, as stories have them: TROUPE_SEED=N that one, TROUPE_SEEDS=N the first N.
std::vector<std::uint64_t> seeds() {
  if (const auto* one = std::getenv("TROUPE_SEED"))
    return {std::strtoull(one, nullptr, 10)};
  const auto* many = std::getenv("TROUPE_SEEDS");
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= (many ? std::strtoull(many, nullptr, 10) : usual_seeds); ++seed)
    all.push_back(seed);
  return all;
}

void expect_conforming(const storage_under_test& subject, bool skips_are_fine = false) {
  for (const auto seed : seeds())
    for (const auto& each : check_storage(subject, {.seed = seed}).results) {
      const auto words = each.text();
      CAPTURE(words);
      const auto is_fine =
          each.verdict == storage_verdict::passed || (skips_are_fine && each.verdict == storage_verdict::skipped);
      CHECK(is_fine);
    }
}

/// Troupe's log on a disk that loses power.
storage_under_test log_on_simulated_disk(std::size_t segment_bytes, bool prewrite) {
  struct machine {
    std::uint64_t seed = 0;
    std::unique_ptr<simulated_disk> disk;
    std::unique_ptr<one_at_a_time> shared; ///< The suite reads on other threads, too.
  };
  auto place = std::make_shared<machine>();
  auto options = small_segments(segment_bytes);
  options.prewrite = prewrite;
  storage_under_test subject;
  subject.fresh = [place] {
    place->disk = std::make_unique<simulated_disk>(++place->seed);
    place->shared = std::make_unique<one_at_a_time>(*place->disk);
  };
  subject.open = [=] {
    place->disk->end_processes();
    return std::make_unique<log_storage>(*place->shared, "d/log", options);
  };
  subject.lose_power = [place] { place->disk->crash(); };
  subject.stop_medium_after = [place](std::size_t steps) {
    place->disk->on_call([left = steps](const simulated_disk::call& each) mutable -> std::optional<int> {
      if (!each.is_change)
        return std::nullopt;
      if (left == 0)
        return EIO;
      --left;
      return std::nullopt;
    });
  };
  return subject;
}

} // namespace

TEST_CASE("Troupe's log conforms to the contract of storage, on a disk that loses power") {
  expect_conforming(log_on_simulated_disk(4096, true));
  expect_conforming(log_on_simulated_disk(65536, true));
}

TEST_CASE("Troupe's log without prewritten segments conforms too, but has no chores") {
  expect_conforming(log_on_simulated_disk(16384, false), true);
}

TEST_CASE("Troupe's log conforms to the contract of storage on a real file system") {
  auto pattern = (std::filesystem::temp_directory_path() / "troupe-test-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  const auto files = real_file_system();
  storage_under_test subject;
  subject.fresh = [&] { std::filesystem::remove_all(pattern + "/log"); };
  subject.open = [&] { return std::make_unique<log_storage>(*files, pattern + "/log", small_segments(65536)); };
  const auto report = check_storage(subject);
  const auto words = report.text();
  CAPTURE(words);
  CHECK(report.conforms());
  std::filesystem::remove_all(pattern);
}

TEST_CASE("a store that keeps the contract passes every check, also when it is done on another thread") {
  expect_conforming(paper_place(flaw::none));
  expect_conforming(paper_place(flaw::none, true));
}

TEST_CASE("checks that need a power loss are skipped, with words, for a store that offers none") {
  auto subject = paper_place(flaw::none);
  subject.lose_power = nullptr;
  std::size_t heard = 0;
  const auto report = check_storage(subject, {.seed = 3}, [&](const storage_check_result& each) {
    ++heard;
    CHECK(each.seed == 3);
    CHECK(each.verdict != storage_verdict::failed);
    CHECK((each.verdict == storage_verdict::skipped) == !each.words.empty());
  });
  CHECK(report.conforms());
  CHECK(heard == storage_checks().size());
  CHECK(report.text().find("0 failed, 8 skipped") != std::string::npos);
}

TEST_CASE("a check that does not exist, and a store that cannot be opened, are failures with words") {
  CHECK(run_storage_check("no such check", paper_place(flaw::none)).words == "there is no check of this name");
  CHECK(run_storage_check(storage_checks().front(), {}).verdict == storage_verdict::failed);
  auto subject = paper_place(flaw::none);
  subject.open = []() -> std::unique_ptr<storage> { throw std::runtime_error{"the cellar is flooded"}; };
  const auto result = run_storage_check(storage_checks().front(), subject, {.seed = 12});
  CHECK(result.text() == "FAILED  an empty place recovers as empty: open threw: the cellar is flooded (seed 12)");
}

} // namespace troupe::test
