#include "persistence/log_inspection.hpp"

#include "persistence/data_directory.hpp"
#include "persistence/hint_file.hpp"
#include "persistence/inspected_files.hpp"
#include "persistence/recovery.hpp"
#include "persistence/snapshot_store.hpp"
#include "persistence/vote_file.hpp"
#include "troupe/entry.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace troupe {

namespace {

/// A running node changes files while they are read: so often they are read again before what is seen is believed.
constexpr int attempts = 5;

/// One look at a data directory.
class inspector {
public:
  inspector(file_system& files, std::string path) : files_{files}, path_{std::move(path)}, log_{path_ + "/log"} {}

  log_inspection look() {
    attempt([&] { look_at_identity(); });
    attempt([&] { look_at_log(); });
    attempt([&] { look_at_votes(); });
    attempt([&] { look_at_snapshots(); });
    return std::move(found_);
  }

private:
  template <class Part>
  void attempt(Part part) {
    try {
      part();
    } catch (const storage_error& error) {
      const auto lsn = error.records() ? std::optional{error.records()->first} : std::nullopt;
      complain(error.kind() == damage::suspect ? log_verdict::suspect : log_verdict::corrupt,
               {error.file(), error.offset(), lsn, error.why()});
    } catch (const io_error& error) {
      if (is_forbidden(error))
        throw;
      complain(log_verdict::corrupt, {error.path(), std::nullopt, std::nullopt, error.what()});
    }
  }

  void complain(log_verdict verdict, log_problem problem) {
    found_.verdict = std::max(found_.verdict, verdict);
    found_.problems.push_back(std::move(problem));
  }

  void look_at_identity() {
    // Without it the rest is compared with what its own files say.
    for (const auto& name : segments_in(files_, log_))
      owner_ = owner_in(files_, log_ + "/" + name).value_or(owner_);
    const auto content = data_directory::read_identity(files_, path_);
    if (!content)
      throw storage_error{path_ + "/identity", "missing: this is not a node's data directory, or it was one"};
    owner_ = {uuid_of_name(content->cluster), content->disk, content->node};
    has_log_ = content->has_log;
  }

  void look_at_log() {
    if (!files_.exists(log_) || segments_in(files_, log_).empty()) {
      if (has_log_)
        throw storage_error{log_, "missing, though this node has had a log"};
      if (!files_.exists(log_))
        return;
    }
    auto log = read();
    is_log_read_ = true;
    found_.records = log.report.records;
    if (const auto& cut = log.report.cut)
      complain(log_verdict::torn,
               {cut->file, cut->offset, cut->lsn,
                "a write that a crash cut short, " + std::to_string(cut->bytes)
                    + " bytes, which a start undoes: " + cut->why});
    if (log.report.healed_hints > 0)
      complain(log_verdict::torn,
               {hint_path(log_), std::nullopt, std::nullopt,
                "one of two copies is damaged: a start rewrites it from the other"});
    groups_ = std::move(log.groups);
  }

  /// Reads the log; if that fails, counts what is good before.
  recovered_log read() {
    try {
      return read_log(files_, log_, owner_);
    } catch (const std::runtime_error&) {
      found_.records = count_good_records(files_, log_, owner_);
      throw;
    }
  }

  void look_at_votes() {
    if (!has_log_ && !files_.exists(log_ + "/votes"))
      return;
    vote_file votes{files_, log_, owner_, false};
    for (const auto group : votes.groups())
      if (const auto number = votes.of(group).lost; number != 0)
        found_.losses.push_back({group, number});
    std::sort(found_.losses.begin(), found_.losses.end(),
              [](const auto& a, const auto& b) { return a.group < b.group; });
    require_remembered_terms(log_, groups_, votes);
    if (votes.stale() > 0)
      complain(log_verdict::torn,
               {log_ + "/votes", std::nullopt, std::nullopt,
                std::to_string(votes.stale()) + " copies are damaged or old: a start rewrites them from their twins"});
  }

  void look_at_snapshots() {
    std::map<group_id, found_snapshots> usable;
    std::vector<log_problem> passed_over;
    for (auto& [each, may_be_passed_over] : snapshots_in(files_, log_, owner_)) {
      auto& of_group = usable[each.group];
      if (!each.problem)
        of_group.whole.push_back({each.at, 0, 0});
      else if (may_be_passed_over)
        of_group.damaged.push_back({each.group, each.file, each.problem->offset.value_or(0), each.problem->reason});
      else
        complain(log_verdict::corrupt, *each.problem);
      found_.snapshots.push_back(std::move(each));
    }
    for (const auto& each : groups_)
      attempt([&] { require_no_gap(log_ + "/snapshots", each.first, each.second.start(), usable[each.first]); });
    for (const auto& [group, of_group] : usable)
      for (const auto& each : of_group.damaged)
        complain(log_verdict::torn, {each.file, each.offset, std::nullopt, each.why + instead(group, of_group.whole)});
  }

  /// What a start does about a damaged snapshot. Nothing if there is none, or nobody can know.
  [[nodiscard]] std::string instead(group_id group, const std::vector<snapshot_mark>& whole) const {
    if (!is_log_read_)
      return "";
    const auto log = groups_.find(group);
    const auto begins_behind = log == groups_.end() ? log_index{} : log->second.start().before.index;
    if (has_needed(whole, begins_behind))
      return "; a start passes it over: with the snapshot at index " + std::to_string(whole.back().at.index.value())
          + " the log has all";
    return begins_behind == log_index{} ? "; a start passes it over: the log has all from its beginning" : "";
  }

  file_system& files_;
  std::string path_;
  std::string log_;
  disk_identity owner_;
  bool has_log_ = false;
  bool is_log_read_ = false;
  std::unordered_map<group_id, group_log> groups_;
  log_inspection found_;
};

/// What tells one moment of a running node's log and votes from another.
std::optional<std::pair<std::uint64_t, std::uint32_t>> moment(file_system& files, const std::string& log) {
  try {
    const auto owner = owner_in(files, hint_path(log));
    const auto hint = owner ? find_hint(files, log, *owner) : std::nullopt;
    if (!hint)
      return std::nullopt;
    return std::pair{hint->generation, crc32c(read_whole(files, log + "/votes"))};
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

} // namespace

std::string to_string(log_verdict verdict) {
  switch (verdict) {
  case log_verdict::intact: return "intact";
  case log_verdict::torn: return "torn";
  case log_verdict::suspect: return "suspect";
  case log_verdict::corrupt: return "corrupt";
  }
  return "";
}

log_inspection verify_log(file_system& files, const std::string& data_directory) {
  only_reading guarded{files};
  const auto log = data_directory + "/log";
  log_inspection found;
  for (int i = 0; i < attempts; ++i) {
    const auto before = moment(guarded, log);
    found = inspector{guarded, data_directory}.look();
    if (found.verdict == log_verdict::intact || moment(guarded, log) == before)
      break;
  }
  return found;
}

} // namespace troupe
