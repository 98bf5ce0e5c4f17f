// How a log is opened and closed. See log_storage.hpp.
#include "persistence/log_storage.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace troupe {

namespace {

bool has_segments(file_system& files, const std::string& directory) {
  const auto names = files.list(directory);
  return std::any_of(names.begin(), names.end(), [](const auto& name) { return segment_number(name).has_value(); });
}

/// Makes the directory before the members that need it.
std::string made(file_system& files, std::string directory, bool must_exist) {
  if (must_exist && (!files.exists(directory) || !has_segments(files, directory)))
    throw storage_error{directory,
                        "missing, though this node has had a log: its votes and what it has acknowledged are gone. "
                        "Restore the directory; if it is lost, this member cannot come back"};
  files.make_directories(directory);
  return directory;
}

/// Is there a loss that was declared and is not repaired? Its declaration may be all that a crash has left done of it.
bool declares_loss(file_system& files, const std::string& directory, const disk_identity& owner) {
  return files.exists(directory + "/votes") && vote_file{files, directory, owner, false}.declares_loss();
}

/// All of the log; or, if bits of it went bad and it `may_lose`, what is good.
recovered_log read_log_or_good_part(file_system& files, const std::string& directory, const log_options& options) {
  try {
    return read_log(files, directory, options.identity);
  } catch (const storage_error& refused) {
    if (!options.may_lose || (!refused.records() && !declares_loss(files, directory, options.identity)))
      throw;
    return read_good_part(files, directory, options.identity, refused.what());
  }
}

} // namespace

log_storage::log_storage(file_system& files, std::string directory, log_options options)
    : log_storage{files, directory, options,
                  read_log_or_good_part(files, made(files, directory, options.must_exist), options)} {}

log_storage::log_storage(file_system& files, std::string directory, log_options options, recovered_log log)
    : files_{files}, directory_{std::move(directory)}, options_{options}, votes_{files_, directory_, options_.identity,
                                                                                 !options.must_exist && !log.end},
      snapshots_{files_, directory_ + "/snapshots", options_.identity}, supply_{files_, directory_,
                                                                                whole_blocks(options.segment_bytes),
                                                                                options.prewrite} {
  TROUPE_ASSERT(options_.segment_bytes >= smallest_segment_bytes && options_.segment_bytes <= largest_segment_bytes,
                "a segment has 4 KiB to 1 GiB");
  options_.segment_bytes = whole_blocks(options_.segment_bytes);
  if (!log.end && !votes_.groups().empty())
    throw storage_error{directory_ + "/" + segment_name(1),
                        "missing, though the file `votes` shows that there was a log. " + keep_the_directory};
  require_remembered_terms(directory_, log.groups, votes_);
  groups_ = std::move(log.groups);
  report_ = log.report;
  judge_snapshots();
  // All is read and trusted: only now is anything changed.
  report_.healed_votes = votes_.heal();
  if (log.report.lost) {
    votes_.declare_loss();
    const auto declared = votes_.groups();
    set_aside_lost(files_, directory_, log, declared.empty() ? 0 : votes_.of(declared.front()).lost);
  }
  repair_log(files_, directory_, log);
  tidy_snapshots();
  if (log.end)
    adopt(std::move(log));
  else
    create();
  hint_->note_twice(hint());
  hint_->sync();
}

/// Takes up a log that was read.
void log_storage::adopt(recovered_log log) {
  for (const auto& [number, salt] : log.salts)
    segments_[number] = std::make_shared<segment_in_use>(segment_in_use{salt});
  auto segment = files_.open(directory_ + "/" + segment_name(log.end->segment.number), open_mode::update);
  // A process that was killed leaves writes in the machine's memory that look like any other. From here on they count
  // as durable, so they must be.
  segment->sync_data();
  votes_.sync_all();
  files_.sync_directory(directory_);
  tail_.take_up(*log.end, std::move(segment));
  hint_.emplace(files_, directory_, options_.identity, log.hint->generation);
  supply_.take_stock();
}

void log_storage::create() {
  report_.created = true;
  // Before the first segment: from then on a missing hint is damage.
  hint_file::create(files_, directory_, options_.identity);
  const auto first = next_header(1, options_.segment_bytes);
  auto segment = supply_.make_first(first);
  if (!segment)
    throw io_error{"make the first segment of the log in", directory_, ENOSPC};
  enter(first, std::move(segment));
  hint_.emplace(files_, directory_, options_.identity, 2);
}

log_storage::~log_storage() {
  if (failed_)
    return;
  try {
    hint_->note_twice(hint());
    hint_->sync();
  } catch (const io_error&) {
    // Nobody is told anything any more; the next start finds out what the disk holds.
  }
}

/// Reads all snapshots. Throws if one is missing that is needed; changes nothing.
void log_storage::judge_snapshots() {
  static const found_snapshots none;
  const auto& all = snapshots_.read_all();
  for (const auto& [group, log] : groups_) {
    const auto at = all.find(group);
    require_no_gap(directory_ + "/snapshots", group, log.start(), at == all.end() ? none : at->second);
  }
  for (const auto& [group, found] : all) {
    report_.damaged_snapshots.insert(report_.damaged_snapshots.end(), found.damaged.begin(), found.damaged.end());
    if (has_needed(found.whole, start_of(group).oldest_snapshot))
      outdated_[group] = start_of(group).oldest_snapshot;
  }
}

/// A crash may have come between a start and the removal of what it had no use for. Unless they are all there is.
void log_storage::tidy_snapshots() {
  for (const auto& [group, oldest] : std::exchange(outdated_, {}))
    snapshots_.remove_below(group, oldest);
  for (auto& name : snapshots_.open())
    report_.removed.push_back("snapshots/" + std::move(name));
}

} // namespace troupe
