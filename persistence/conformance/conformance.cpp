#include "persistence/conformance/check.hpp"
#include "troupe/storage_conformance.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

using namespace conformance;

const std::vector<check>& all_checks() {
  static const auto checks = [] {
    auto all = content_checks();
    for (auto more : {truncation_checks(), reading_checks(), start_checks(), snapshot_checks(), durability_checks()})
      all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return checks;
}

std::string_view word_of(storage_verdict verdict) {
  switch (verdict) {
  case storage_verdict::passed: return "passed ";
  case storage_verdict::failed: return "FAILED ";
  case storage_verdict::skipped: return "skipped";
  }
  return "?";
}

/// Why the check cannot run on this store; empty if it can.
std::string missing_for(const check& which, const storage_under_test& subject) {
  if (which.need != needs::nothing && !subject.lose_power)
    return "needs lose_power, which the store under test does not offer";
  if (which.need == needs::stopping_medium && !subject.stop_medium_after)
    return "needs stop_medium_after, which the store under test does not offer";
  return {};
}

/// Fills in verdict and words.
void run(const check& which, const storage_under_test& subject, const storage_check_options& options,
         storage_check_result& result) {
  result.words = missing_for(which, subject);
  if (!result.words.empty()) {
    result.verdict = storage_verdict::skipped;
    return;
  }
  try {
    bench place{subject, options};
    if (which.is_on_snapshots && !place.store().keeps_snapshots())
      throw not_applicable{"the store under test keeps no snapshots"};
    which.run(place);
    place.finish();
    result.verdict = storage_verdict::passed;
  } catch (const not_applicable& reason) {
    result.verdict = storage_verdict::skipped;
    result.words = reason.what();
  } catch (const std::exception& reason) {
    result.verdict = storage_verdict::failed;
    result.words = reason.what();
  }
}

} // namespace

std::string storage_check_result::text() const {
  auto line = std::string{word_of(verdict)} + " " + check;
  if (!words.empty())
    line += ": " + words;
  return verdict == storage_verdict::failed ? line + " (seed " + std::to_string(seed) + ")" : line;
}

bool storage_conformance_report::conforms() const {
  return std::none_of(results.begin(), results.end(),
                      [](const auto& each) { return each.verdict == storage_verdict::failed; });
}

std::string storage_conformance_report::text() const {
  std::string lines;
  for (const auto& each : results)
    lines += each.text() + "\n";
  const auto count = [&](storage_verdict verdict) {
    return std::to_string(
        std::count_if(results.begin(), results.end(), [&](const auto& each) { return each.verdict == verdict; }));
  };
  return lines + count(storage_verdict::passed) + " passed, " + count(storage_verdict::failed) + " failed, "
      + count(storage_verdict::skipped) + " skipped\n";
}

const std::vector<std::string>& storage_checks() {
  static const auto names = [] {
    std::vector<std::string> all;
    for (const auto& each : all_checks())
      all.emplace_back(each.name);
    return all;
  }();
  return names;
}

storage_check_result run_storage_check(std::string_view check, const storage_under_test& subject,
                                       const storage_check_options& options) {
  storage_check_result result{std::string{check}, storage_verdict::failed, {}, options.seed};
  const auto& all = all_checks();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == check; });
  if (found == all.end())
    result.words = "there is no check of this name";
  else if (!subject.open || !subject.fresh)
    result.words = "the store under test has no `open` or no `fresh`";
  else
    run(*found, subject, options, result);
  return result;
}

storage_conformance_report check_storage(const storage_under_test& subject, const storage_check_options& options,
                                         const storage_check_sink& sink) {
  storage_conformance_report report;
  for (const auto& name : storage_checks()) {
    report.results.push_back(run_storage_check(name, subject, options));
    if (sink)
      sink(report.results.back());
  }
  return report;
}

} // namespace troupe
