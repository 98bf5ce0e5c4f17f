// How a log is opened and closed. See log_storage.hpp.
#include "persistence/log_storage.hpp"

#include "persistence/loss.hpp"
#include "persistence/new_beginning.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace troupe {

namespace {

/// Is there a segment, or what a start that was cut short would have made one?
bool has_segments(file_system& files, const std::string& directory) {
  const auto names = files.list(directory);
  const auto is_draft = [](const std::string& name) {
    return is_leftover(name) && segment_number(name.substr(0, segment_name(1).size()));
  };
  return std::any_of(names.begin(), names.end(),
                     [&](const auto& name) { return segment_number(name) || is_draft(name); });
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

recovered_log read(file_system& files, const std::string& directory, const log_options& options) {
  return options.may_lose ? read_log_or_good_part(files, directory, options.identity)
                          : read_log(files, directory, options.identity);
}

} // namespace

log_storage::log_storage(file_system& files, std::string directory, log_options options)
    : log_storage{files, directory, options, read(files, made(files, directory, options.must_exist), options)} {}

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
  judge(log);
  // All is read and trusted: only now is anything changed.
  report_.healed_votes = votes_.heal();
  if (log.end)
    hint_.emplace(files_, directory_, options_.identity, log.hint->generation);
  if (auto& lost = report_.lost; lost && lost->loss == 0)
    lost->loss = votes_.declare_loss();
  repair_log(files_, directory_, log); // What is left over goes first: it takes room.
  if (report_.lost)
    cut_log(files_, directory_, log, *hint_, *report_.lost);
  tidy_snapshots();
  if (log.end)
    adopt(std::move(log));
  else
    create();
  begin_anew();
  // Last: from now on the loss may be told, and whatever is missing is not of its making.
  cut_for_ = std::max(cut_for_, votes_.newest_loss());
  hint_->note_twice(hint());
  hint_->sync();
}

/// Takes what was read, if it can be trusted; changes nothing on the disk.
void log_storage::judge(recovered_log& log) {
  report_ = log.report;
  if (const auto unfinished = unfinished_loss(votes_, log.hint); unfinished != 0) {
    if (!report_.lost) // All that is left to do are steps that do not show in the records.
      report_.lost.emplace(
          storage_error{directory_ + "/" + segment_name(log.end->segment.number), log.end->offset,
                        "the log was cut here by an earlier start, which ended before it could say so"});
    report_.lost->loss = unfinished;
  }
  try {
    require_remembered_terms(directory_, log.groups, votes_);
    groups_ = std::move(log.groups);
    judge_snapshots();
  } catch (const storage_error& besides) {
    if (!report_.lost)
      throw;
    throw refusal(report_.lost->cause, besides);
  }
}

/// Takes up a log that was read.
void log_storage::adopt(recovered_log log) {
  cut_for_ = log.hint->says.cut_for;
  for (const auto& [number, salt] : log.salts)
    segments_[number] = std::make_shared<segment_in_use>(segment_in_use{salt});
  auto segment = files_.open(directory_ + "/" + segment_name(log.end->segment.number), open_mode::update);
  // A process that was killed leaves writes in the machine's memory that look like any other. From here on they count
  // as durable, so they must be.
  segment->sync_data();
  votes_.sync_all();
  files_.sync_directory(directory_);
  tail_.take_up(*log.end, std::move(segment));
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
    const auto& found = at == all.end() ? none : at->second;
    if (report_.lost && (is_without_beginning(group) || lacks_damaged_snapshot(log, found)))
      if (const auto start = new_beginning(log, found, votes_.of(group).current_term)) {
        beginnings_[group] = *start;
        report_.begun_anew[group] = start->before.index;
        continue;
      }
    if (is_without_beginning(group))
      throw storage_error{directory_ + "/snapshots",
                          "the log of group " + std::to_string(group.value()) + " has entries from index "
                              + std::to_string(log.places().front().first.value())
                              + " on before what is bad, and there is no snapshot of what they follow",
                          damage::corrupt,
                          {},
                          keep_the_directory};
    require_no_gap(directory_ + "/snapshots", group, log.start(), found);
  }
  for (const auto& [group, found] : all) {
    report_.damaged_snapshots.insert(report_.damaged_snapshots.end(), found.damaged.begin(), found.damaged.end());
    if (!beginnings_.contains(group) && has_needed(found.whole, start_of(group).oldest_snapshot))
      outdated_[group] = start_of(group).oldest_snapshot;
  }
}

/// Is what damage has left of the group's log none?
bool log_storage::is_without_beginning(group_id group) const {
  return report_.lost
      && std::count(report_.lost->without_beginning.begin(), report_.lost->without_beginning.end(), group) > 0;
}

/// Writes down, durably, where groups begin anew.
void log_storage::begin_anew() {
  for (const auto& [group, start] : std::exchange(beginnings_, {})) {
    if (!make_room(record_bytes(start_payload_bytes)))
      throw io_error{"make a segment of the log in", directory_, ENOSPC};
    record_header header;
    header.group = group;
    header.voids = true;
    groups_[group].begin(start, true, tail_.add(start, header).segment);
  }
  flush();
  sync_segment();
}

/// A crash may have come between a start and the removal of what it had no use for. Unless they are all there is.
void log_storage::tidy_snapshots() {
  for (const auto& [group, oldest] : std::exchange(outdated_, {}))
    snapshots_.remove_below(group, oldest);
  for (auto& name : snapshots_.open())
    report_.removed.push_back("snapshots/" + std::move(name));
}

} // namespace troupe
