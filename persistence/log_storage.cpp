#include "persistence/log_storage.hpp"

#include "persistence/record_reader.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe {

namespace {

constexpr std::size_t smallest_segment_bytes = std::size_t{4} << 10;
constexpr std::size_t largest_segment_bytes = std::size_t{1} << 30;
/// Segments are a multiple of this, so that no two files share a device's block.
constexpr std::uint64_t block_bytes = 4096;
/// Header, payload, trailer.
constexpr std::size_t parts_of_record = 3;
/// The next segment is prepared when this part of the current one is used.
constexpr std::uint64_t prepare_after_part = 4;

std::uint64_t whole_blocks(std::uint64_t bytes) {
  return (bytes + block_bytes - 1) / block_bytes * block_bytes;
}

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

/// Votes are synced before the entries of their terms are written: an entry of a later term than the remembered one
/// proves that a term was lost.
void require_remembered_terms(const std::string& directory, const std::unordered_map<group_id, group_log>& groups,
                              const vote_file& votes) {
  for (const auto& [group, log] : groups)
    if (log.last_term() > votes.of(group).current_term)
      throw storage_error{directory + "/votes",
                          "damaged: group " + std::to_string(group.value()) + " is said to be in term "
                              + std::to_string(votes.of(group).current_term.value())
                              + ", but its log has an entry of term " + std::to_string(log.last_term().value())
                              + ". A vote may be lost: replace the node by a new one with an empty directory"};
}

/// Is one of those snapshots, oldest first, not outdated?
bool has_needed(const std::vector<snapshot_mark>& whole, log_index oldest) {
  return !whole.empty() && whole.back().at.index >= oldest;
}

} // namespace

log_storage::log_storage(file_system& files, std::string directory, log_options options)
    : files_{files}, directory_{made(files, std::move(directory), options.must_exist)}, options_{options},
      votes_{files_, directory_, options_.identity, !options.must_exist && !has_segments(files_, directory_)},
      snapshots_{files_, directory_ + "/snapshots", options_.identity} {
  TROUPE_ASSERT(options_.segment_bytes >= smallest_segment_bytes && options_.segment_bytes <= largest_segment_bytes,
                "a segment has 4 KiB to 1 GiB");
  options_.segment_bytes = whole_blocks(options_.segment_bytes);
  auto log = recover_log(files_, directory_, options_.identity);
  if (!log.end && !votes_.groups().empty())
    throw storage_error{directory_ + "/" + segment_name(1),
                        "missing, though the file `votes` shows that there was a log. "
                        "Restore it, or replace the node by a new one"};
  require_remembered_terms(directory_, log.groups, votes_);
  groups_ = std::move(log.groups);
  salts_ = std::move(log.salts);
  report_ = std::move(log.report);
  report_.healed_votes = votes_.healed();
  recover_snapshots();
  if (log.end) {
    end_ = *log.end;
    pending_at_ = end_.offset;
    segment_ = files_.open(directory_ + "/" + segment_name(end_.segment.number), open_mode::update);
    // A process that was killed leaves writes in the machine's memory that look like any other. From here on they count
    // as durable, so they must be.
    segment_->sync_data();
    votes_.sync_all();
    files_.sync_directory(directory_);
  } else {
    report_.created = true;
    open_segment(1, options_.segment_bytes, options_.prewrite ? segment_source::prewritten : segment_source::sparse);
  }
  synced_upto_ = end_.next_sequence - 1;
}

log_storage::~log_storage() = default;

void log_storage::recover_snapshots() {
  static const found_snapshots none;
  const auto& all = snapshots_.read_all();
  for (const auto& [group, log] : groups_) {
    const auto at = all.find(group);
    require_no_gap(group, at == all.end() ? none : at->second);
  }
  for (const auto& [group, found] : all) {
    report_.damaged_snapshots.insert(report_.damaged_snapshots.end(), found.damaged.begin(), found.damaged.end());
    // A crash may have come between a start and the removal of what it had no use for. Unless they are all there is.
    const auto oldest = start_of(group).oldest_snapshot;
    if (has_needed(found.whole, oldest))
      snapshots_.remove_below(group, oldest);
  }
  for (auto& name : snapshots_.open())
    report_.removed.push_back("snapshots/" + std::move(name));
}

/// What a log does not have any more, a snapshot must stand for.
void log_storage::require_no_gap(group_id group, const found_snapshots& found) const {
  const auto begins_behind = start_of(group).before.index;
  if (begins_behind == log_index{} || has_needed(found.whole, begins_behind))
    return;
  auto why = "the log of group " + std::to_string(group.value()) + " begins behind index "
      + std::to_string(begins_behind.value()) + ", and "
      + (found.whole.empty()
             ? "there is no whole snapshot"
             : "the newest whole snapshot is at index " + std::to_string(found.whole.back().at.index.value()))
      + ": what is between is gone";
  for (const auto& each : found.damaged)
    why += "; " + each.file + " at offset " + std::to_string(each.offset) + ": " + each.why;
  throw storage_error{directory_ + "/snapshots",
                      why + ". Restore the snapshot, or replace the node by a new one with an empty directory"};
}

log_start log_storage::start_of(group_id group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? log_start{} : found->second.start();
}

std::vector<group_id> log_storage::groups() const {
  auto all = votes_.groups();
  for (const auto& [group, log] : groups_)
    if (votes_.of(group) == hard_state{} && log.last() > log_index{})
      all.push_back(group);
  return all;
}

recovered_group log_storage::recover(group_id group, std::size_t tail_bytes) {
  check_usable();
  recovered_group found;
  found.vote = votes_.of(group);
  found.start = start_of(group);
  auto snapshots = snapshots_.find(group);
  require_no_gap(group, snapshots);
  found.snapshots = std::move(snapshots.whole);
  if (has_needed(found.snapshots, found.start.oldest_snapshot))
    std::erase_if(found.snapshots, [&](const auto& each) { return each.at.index < found.start.oldest_snapshot; });
  const auto at = groups_.find(group);
  if (at == groups_.end())
    return found;
  const auto& log = at->second;
  found.terms = log.terms();
  found.last = log.last();
  std::size_t bytes = 0;
  auto first = log.last().next();
  for (auto place = log.places().rbegin(); place != log.places().rend() && bytes < tail_bytes; ++place) {
    bytes += place->payload_bytes;
    if (bytes > tail_bytes && first <= log.last())
      break;
    first = std::max(place->first, log.start().before.index.next());
  }
  if (first <= log.last())
    found.tail = read_records(files_, resolve({group, first, log.last(), std::numeric_limits<std::size_t>::max()}));
  return found;
}

void log_storage::submit(std::vector<log_write> writes, std::function<void()> done) {
  write(std::move(writes));
  sync();
  done();
}

void log_storage::write(std::vector<log_write> writes) {
  check_usable();
  failed_ = true; // Until it turns out well.
  write_votes(writes);
  write_records(writes);
  failed_ = false;
}

void log_storage::sync() {
  check_usable();
  failed_ = true;
  votes_.sync();
  sync_segment();
  // Now, and not before: these are what the log before the start may still need.
  for (const auto& [group, index] : std::exchange(outdated_, {}))
    removals_.push_back(snapshots_.removal_below(group, index));
  failed_ = false;
}

void log_storage::write_votes(const std::vector<log_write>& writes) {
  for (const auto& each : writes)
    if (each.vote)
      votes_.put(each.group, *each.vote);
  votes_.flush();
}

void log_storage::write_records(const std::vector<log_write>& writes) {
  for (const auto& each : writes) {
    if (each.start)
      begin(each.group, *each.start);
    if (each.truncate_from)
      truncate(each.group, *each.truncate_from);
    for (const auto& batch : each.append)
      append(each.group, batch);
  }
  flush();
}

void log_storage::begin(group_id group, const log_start& start) {
  TROUPE_ASSERT(start.before.index > log_index{}, "entries begin at index 1");
  TROUPE_ASSERT(start.before.term <= votes_.of(group).current_term,
                "the term of an entry is remembered before the entry");
  auto& log = groups_[group];
  if (log.start() == start)
    return;
  record_header header;
  header.group = group;
  header.voids = !log.has(start.before);
  make_room(record_bytes(start_payload_bytes)); // First: what is pending is forgotten with it.
  const auto& payload = pending_starts_.emplace_back(encode_start(start, header));
  const auto place = add_record(header, {payload.data(), payload.size()});
  log.begin(start, header.voids, place.segment);
  outdated_[group] = start.oldest_snapshot;
}

void log_storage::truncate(group_id group, log_index from) {
  TROUPE_ASSERT(from > log_index{}, "entries begin at index 1");
  if (!groups_[group].truncate(from))
    return;
  record_header header;
  header.type = record_type::truncation;
  header.group = group;
  header.first = from;
  add_record(header, {});
}

void log_storage::append(group_id group, const entry_batch& batch) {
  TROUPE_ASSERT(batch.term() <= votes_.of(group).current_term, "the term of an entry is remembered before the entry");
  record_header header;
  header.group = group;
  header.term = batch.term();
  header.first = batch.first();
  header.leader_time = batch.leader_time();
  header.count = batch.count();
  header.payload_checksum = batch.checksum();
  groups_[group].append(add_record(header, batch.payload().view()), batch.term());
}

/// Makes sure that a record can come next.
void log_storage::make_room(std::uint64_t record_bytes) {
  if (end_.offset + record_bytes > end_.segment.size_bytes)
    roll(record_bytes);
  else if (pending_parts_.size() + parts_of_record > file::most_parts)
    flush(); // Here and not within a record: recovery relies on a sector holding all of its share of a record, or none.
}

/// Gives a record its place in the log; it reaches the file with the next `flush`, until when `payload` must stay.
record_place log_storage::add_record(record_header header, std::string_view payload) {
  TROUPE_ASSERT(payload.size() <= largest_segment_bytes, "a batch has at most 1 GiB");
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  const auto size = record_bytes(payload.size());
  make_room(size);
  header.sequence = end_.next_sequence++;
  header.synced_upto = synced_upto_;
  header.chain = end_.chain;
  auto& bytes = pending_headers_.emplace_back();
  end_.chain = encode_header(header, end_.segment.salt, bytes.data());
  pending_parts_.emplace_back(bytes.data(), bytes.size());
  pending_parts_.push_back(payload);
  pending_parts_.push_back(trailer_of(payload.size()));
  const record_place place{header.first, end_.segment.number,
                           static_cast<std::uint32_t>(end_.offset / record_alignment), header.payload_bytes,
                           header.count};
  end_.offset += size;
  return place;
}

void log_storage::flush() {
  if (pending_parts_.empty())
    return;
  votes_.sync();
  segment_->write_at(pending_at_, pending_parts_);
  pending_parts_.clear();
  pending_headers_.clear();
  pending_starts_.clear();
  pending_at_ = end_.offset;
  unsynced_ = true;
}

void log_storage::sync_segment() {
  if (!unsynced_)
    return;
  segment_->sync_data();
  unsynced_ = false;
  synced_upto_ = end_.next_sequence - 1;
}

/// Leaves the current segment, durable as it is, for the next.
void log_storage::roll(std::size_t record_bytes) {
  flush();
  sync_segment();
  const auto number = end_.segment.number + 1;
  const auto needed = whole_blocks(segment_header_bytes + record_bytes);
  if (needed > options_.segment_bytes)
    open_segment(number, needed, segment_source::sparse);
  else
    // Without a spare there is no time to write zeros: those who wait for this write would wait for them.
    open_segment(number, options_.segment_bytes,
                 std::exchange(spare_ready_, false) ? segment_source::spare : segment_source::sparse);
}

void log_storage::open_segment(std::uint32_t number, std::uint64_t size_bytes, segment_source source) {
  end_.segment = {options_.identity, number, size_bytes, salt_of(options_.identity, number)};
  end_.offset = segment_header_bytes;
  segment_ = make_segment(files_, directory_, end_.segment, source);
  salts_[number] = end_.segment.salt;
  pending_at_ = end_.offset;
}

read_plan log_storage::plan_read(const log_range& range) {
  check_usable();
  return [&files = files_, what = resolve(range)] { return read_records(files, what); };
}

resolved_read log_storage::resolve(const log_range& range) const {
  const auto found = groups_.find(range.group);
  TROUPE_ASSERT(found != groups_.end(), "the group has entries");
  const auto& log = found->second;
  resolved_read what{directory_, range.group, {}, range.first, range.last, range.max_bytes};
  for (const auto& place : log.locate(range.first, range.last, range.max_bytes))
    what.records.push_back(
        {place, log.term_at(std::max(place.first, log.start().before.index.next())), salts_.at(place.segment)});
  return what;
}

snapshot_write_plan log_storage::plan_snapshot(group_id group, const snapshot_mark& at) {
  check_usable();
  return snapshots_.plan_write(group, at);
}

snapshot_read_plan log_storage::plan_snapshot_read(group_id group, log_index index) {
  check_usable();
  return snapshots_.plan_read(group, index);
}

std::optional<chore> log_storage::next_chore() {
  if (chore_running_)
    return std::nullopt;
  if (!removals_.empty()) {
    chore_running_ = true;
    auto next = std::move(removals_.front());
    removals_.pop_front();
    return next;
  }
  const auto is_due = end_.offset >= end_.segment.size_bytes / prepare_after_part;
  if (!options_.prewrite || spare_ready_ || !is_due)
    return std::nullopt;
  chore_running_ = spare_under_way_ = true;
  return [&files = files_, directory = directory_, size_bytes = std::uint64_t{options_.segment_bytes}] {
    prepare_spare(files, directory, size_bytes);
  };
}

void log_storage::chore_done() {
  TROUPE_ASSERT(chore_running_, "a chore was given out");
  chore_running_ = false;
  spare_ready_ = std::exchange(spare_under_way_, false) || spare_ready_;
}

void log_storage::check_usable() const {
  if (failed_)
    throw storage_error{directory_,
                        "an earlier write failed: what the disk holds is unknown until the node starts again"};
}

} // namespace troupe
