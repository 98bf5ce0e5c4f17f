#include "persistence/log_storage.hpp"

#include "messages/mutant.hpp"
#include "persistence/record_reader.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe {

namespace {

/// The hint is synced after so many syncs of the log, if no pause comes before.
constexpr std::uint64_t hint_sync_every = 64;
/// Without a spare, and without room for one, the store is full when this part of the current segment is used.
constexpr std::uint64_t full_after_part = 2;

} // namespace

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
  require_no_gap(directory_ + "/snapshots", group, found.start, snapshots);
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
  if (is_holding())
    done_ = std::move(done);
  else
    done();
}

void log_storage::write(std::vector<log_write> writes) {
  check_usable();
  TROUPE_ASSERT(!is_holding(), "nothing is written while writes are held");
  failed_ = true; // Until it turns out well.
  unwritten_ = std::move(writes);
  write_votes();
  write_records();
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

void log_storage::write_votes() {
  for (const auto& each : unwritten_)
    if (each.vote)
      votes_.put(each.group, *each.vote);
  try {
    votes_.flush();
  } catch (const io_error& failure) {
    // A file for more groups: made aside, so nothing has changed yet. Votes take little room and come first.
    if (!failure.is_lack_of_room() || !supply_.give_up_reserve())
      throw;
    votes_.flush();
  }
}

/// Puts the writes into the log, in order, up to the first record that there is no room for.
void log_storage::write_records() {
  for (; next_write_ < unwritten_.size(); ++next_write_) {
    if (!write_parts(unwritten_[next_write_]))
      return;
    next_batch_ = 0;
  }
  repeat_starts();
  flush();
  unwritten_.clear(); // Last: what is pending points into it.
  next_write_ = 0;
}

/// False if there is no room for the next of its parts; those before are done and gone.
bool log_storage::write_parts(log_write& write) {
  if (write.start && !begin(write.group, *write.start))
    return false;
  write.start.reset();
  if (write.truncate_from && !truncate(write.group, *write.truncate_from))
    return false;
  write.truncate_from.reset();
  for (; next_batch_ < write.append.size(); ++next_batch_)
    if (!append(write.group, write.append[next_batch_]))
      return false;
  return true;
}

bool log_storage::begin(group_id group, const log_start& start) {
  TROUPE_ASSERT(start.before.index > log_index{}, "entries begin at index 1");
  TROUPE_ASSERT(start.before.term <= votes_.of(group).current_term,
                "the term of an entry is remembered before the entry");
  auto& log = groups_[group];
  if (log.start() == start)
    return true;
  if (!make_room(record_bytes(start_payload_bytes)))
    return false;
  record_header header;
  header.group = group;
  header.voids = !log.has(start.before);
  log.begin(start, header.voids, tail_.add(start, header).segment);
  outdated_[group] = start.oldest_snapshot;
  may_retire_ = true;
  return true;
}

bool log_storage::truncate(group_id group, log_index from) {
  TROUPE_ASSERT(from > log_index{}, "entries begin at index 1");
  if (from > groups_[group].last())
    return true;
  if (!make_room(record_bytes(0)))
    return false;
  groups_[group].truncate(from);
  if (TROUPE_MUTANT(P12))
    return true;
  record_header header;
  header.type = record_type::truncation;
  header.group = group;
  header.first = from;
  tail_.add(header, {});
  return true;
}

bool log_storage::append(group_id group, const entry_batch& batch) {
  TROUPE_ASSERT(batch.payload().size() <= largest_segment_bytes, "a batch has at most 1 GiB");
  TROUPE_ASSERT(batch.term() <= votes_.of(group).current_term, "the term of an entry is remembered before the entry");
  if (!make_room(record_bytes(batch.payload().size())))
    return false;
  record_header header;
  header.group = group;
  header.term = batch.term();
  header.first = batch.first();
  header.leader_time = batch.leader_time();
  header.count = batch.count();
  header.payload_checksum = batch.checksum();
  groups_[group].append(tail_.add(header, batch.payload().view()), batch.term());
  return true;
}

/// Where entries alone would let segments go, writes the starts that lie in these again, further behind.
void log_storage::repeat_starts() {
  if (!may_retire_)
    return;
  auto needed = tail_.segment().number;
  for (const auto& [group, log] : groups_)
    if (!log.places().empty())
      needed = std::min(needed, log.places().front().segment);
  for (auto& [group, log] : groups_) {
    if (needed == segments_.begin()->first || log.start_segment() == 0 || log.start_segment() >= needed)
      continue;
    if (!make_room(record_bytes(start_payload_bytes)))
      return; // The segments stay a while.
    record_header header;
    header.group = group;
    const auto start = log.start();
    log.begin(start, false, tail_.add(start, header).segment);
  }
}

/// Makes sure that a record can come next. False if there is no room, now or later; everything before is then written.
bool log_storage::make_room(std::uint64_t record_bytes) {
  if (!tail_.has_room(record_bytes))
    return roll(record_bytes);
  if (tail_.must_flush())
    flush();
  return true;
}

/// Hands the records to the file, behind the terms they rest on.
void log_storage::flush() {
  if (!tail_.has_pending())
    return;
  votes_.sync();
  tail_.flush();
}

void log_storage::sync_segment() {
  if (!tail_.is_unsynced())
    return;
  tail_.sync();
  hint_->note(hint());
}

/// Leaves the current segment, durable as it is, for the next. False if there is no room for one.
bool log_storage::roll(std::uint64_t record_bytes) {
  flush();
  sync_segment();
  const auto needed = whole_blocks(segment_header_bytes + record_bytes);
  const auto header = next_header(tail_.segment().number + 1, std::max<std::uint64_t>(needed, options_.segment_bytes));
  auto segment = supply_.make_next(header);
  if (!segment)
    return false;
  enter(header, std::move(segment));
  // Before any record in it: a last segment that goes missing is missed.
  hint_->note_twice(hint());
  hint_->sync();
  return true;
}

segment_header log_storage::next_header(std::uint32_t number, std::uint64_t size_bytes) const {
  return {options_.identity,    number,           size_bytes, salt_of(options_.identity, number),
          tail_.end().next_lsn, tail_.end().chain};
}

void log_storage::enter(const segment_header& header, std::unique_ptr<file> segment) {
  tail_.enter(header, std::move(segment));
  segments_[header.number] = std::make_shared<segment_in_use>(segment_in_use{header.salt});
}

log_hint log_storage::hint() const {
  return {tail_.synced_upto(), segments_.begin()->first, tail_.segment().number, cut_for_};
}

read_plan log_storage::plan_read(const log_range& range) {
  check_usable();
  return [&files = files_, what = resolve(range)] { return read_records(files, what); };
}

resolved_read log_storage::resolve(const log_range& range) const {
  const auto found = groups_.find(range.group);
  TROUPE_ASSERT(found != groups_.end(), "the group has entries");
  const auto& log = found->second;
  resolved_read what{directory_, range.group, {}, {}, range.first, range.last, range.max_bytes};
  for (const auto& place : log.locate(range.first, range.last, range.max_bytes)) {
    if (what.records.empty() || what.records.back().place.segment != place.segment)
      what.segments.push_back(segments_.at(place.segment));
    what.records.push_back({place, log.term_at(std::max(place.first, log.start().before.index.next())),
                            segments_.at(place.segment)->salt});
  }
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
  if (chore_running_ || failed_)
    return std::nullopt;
  auto next = retire_prefix();
  if (!next && !removals_.empty()) {
    next = std::move(removals_.front());
    removals_.pop_front();
  }
  if (!next && hint_->unsynced() >= hint_sync_every)
    next = hint_->plan_sync();
  if (!next)
    next = supply_.next_chore(tail_.end().offset, is_full());
  if (!next && is_holding())
    next = [] {}; // There is room again for the usual, and what is held is larger: its end is the time to try.
  chore_running_ = next.has_value();
  return next;
}

void log_storage::chore_done() {
  TROUPE_ASSERT(chore_running_, "a chore was given out");
  chore_running_ = false;
  supply_.chore_done();
  if (!is_holding())
    return;
  check_usable();
  failed_ = true;
  write_records();
  failed_ = false;
  sync();
  if (!is_holding() && done_)
    std::exchange(done_, nullptr)();
}

bool log_storage::is_full() const {
  return is_holding()
      || (supply_.lacks_room()
          && (!supply_.has_reserve() || tail_.end().offset >= tail_.segment().size_bytes / full_after_part));
}

std::optional<chore> log_storage::when_idle() {
  if (failed_ || hint_->unsynced() == 0)
    return std::nullopt;
  hint_->note_twice(hint());
  return hint_->plan_sync();
}

/// The segments that no group needs any more leave the log: first the hint knows, durably, then their names go.
std::optional<chore> log_storage::retire_prefix() {
  if (!may_retire_ || tail_.is_unsynced())
    return std::nullopt;
  const auto first = segments_.begin()->first;
  const auto needed = oldest_needed();
  may_retire_ = needed > first;
  for (auto each = segments_.begin(); each->first < needed; ++each)
    if (each->second.use_count() > 1)
      return std::nullopt; // Somebody is going to read there.
  if (!may_retire_)
    return std::nullopt;
  segments_.erase(segments_.begin(), segments_.find(needed));
  may_retire_ = false;
  hint_->note_twice(hint());
  return [note = hint_->plan_sync(), retire = supply_.retire(first, needed)] {
    note();
    retire();
  };
}

std::uint32_t log_storage::oldest_needed() const {
  auto needed = tail_.segment().number;
  for (const auto& [group, log] : groups_)
    needed = log.oldest_segment(needed);
  return needed;
}

void log_storage::check_usable() const {
  if (failed_ && !TROUPE_MUTANT(P6))
    throw storage_error{directory_,
                        "an earlier write failed: what the disk holds is unknown until the node starts again"};
}

} // namespace troupe
