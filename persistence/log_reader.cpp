#include "persistence/log_reader.hpp"

#include "messages/mutant.hpp"
#include "persistence/record.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe {

namespace {

/// The unit a device writes as a whole.
constexpr std::uint64_t sector_bytes = 512;

bool is_zero(std::string_view bytes) {
  // Each byte equals its neighbour: as quick as memcmp, and whole segments are asked about.
  return bytes.empty() || (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

/// Is some sector's share of [from, to) all zero, as if that sector had never been written?
bool lacks_a_sector(std::string_view bytes, std::uint64_t from, std::uint64_t to) {
  for (auto at = from; at < to;) {
    const auto end = std::min(to, (at / sector_bytes + 1) * sector_bytes);
    if (is_zero(bytes.substr(at, end - at)))
      return true;
    at = end;
  }
  return false;
}

std::string unreadable_words(const readable_part& part) {
  return "the device cannot read it from offset " + std::to_string(*part.unreadable_at) + " on";
}

std::string records_words(const lsn_range& range) {
  return range.first == range.last
      ? "the record with lsn " + std::to_string(range.first)
      : "the records with lsn " + std::to_string(range.first) + " to " + std::to_string(range.last);
}

} // namespace

storage_error damage_at(std::string file, std::optional<std::uint64_t> offset, std::string reason,
                        std::optional<lsn_range> records, damage kind) {
  return {std::move(file), offset, std::move(reason), kind, records, keep_the_directory};
}

/// The segments of the log, in order.
std::vector<std::uint32_t> log_reader::find_segments() {
  // The hint first: a log that is in use meanwhile only gets ahead of it.
  log_.hint = find_hint(files_, directory_, owner_);
  const auto hint = log_.hint ? log_.hint->says : log_hint{};
  std::vector<std::uint32_t> numbers;
  for (const auto& name : files_.list(directory_)) {
    const auto number = segment_number(name);
    if (number && *number > hint.last_segment && *number <= hint.leaving)
      log_.leaving.push_back(*number);
    else if (number && *number >= hint.first_segment)
      numbers.push_back(*number);
    else if (number || is_leftover(name))
      log_.report.removed.push_back(name);
  }
  std::sort(numbers.begin(), numbers.end());
  if (!numbers.empty() && !log_.hint)
    throw damage_at(hint_path(directory_), {},
                    "missing, though there are segments beside it: without it a log that lost its end would look "
                    "whole");
  const auto last = numbers.empty() ? hint.last_segment : std::max(numbers.back(), hint.last_segment);
  for (auto number = hint.first_segment; number <= last; ++number)
    if (!std::binary_search(numbers.begin(), numbers.end(), number))
      throw damage_at(path_of(number), {},
                      "missing: the log goes from " + segment_name(hint.first_segment) + " to " + segment_name(last));
  if (last > hint.last_segment + 1)
    throw damage_at(hint_path(directory_), {},
                    "is older than the log: it knows no segment behind " + segment_name(hint.last_segment));
  durable_ = hint.durable;
  return numbers;
}

readable_part log_reader::read_segment(std::uint32_t number, const std::string& path) {
  auto part = read_readable(files_, path);
  const auto header = find_header(number, path, part);
  if (!header) {
    // It was whole before the segment had its name. What lies in the segment is lost, from where the log is now.
    const auto reason = part.unreadable_at ? "damaged: " + unreadable_words(part)
                                           : "damaged: the segment's header does not match its checksum";
    throw damage_at(path, 0, reason, log_.end ? std::optional{missing_records()} : std::nullopt);
  }
  require_next(*header, path);
  enter(*header);
  return part;
}

/// The header in a segment; nothing if bits of it went bad, or cannot be read. Throws if the segment is not this log's,
/// or not what its name says: that is no damage of bits, but somebody's work. Of `part` only the beginning counts.
std::optional<segment_header> log_reader::find_header(std::uint32_t number, const std::string& path,
                                                      const readable_part& part) const {
  if (part.bytes.size() < segment_header_bytes && part.unreadable_at)
    return std::nullopt;
  std::optional<segment_header> header;
  try {
    header = decode_segment_header(path, part.bytes, owner_);
  } catch (const storage_error& error) {
    if (error.kind() == damage::none || part.size_bytes < segment_header_bytes)
      throw;
    return std::nullopt;
  }
  if (header->number != number)
    throw damage_at(path, 0, "is segment " + std::to_string(header->number) + " by its header: renamed or copied");
  if (header->size_bytes != part.size_bytes)
    throw damage_at(path, std::min(header->size_bytes, part.size_bytes),
                    "has " + std::to_string(part.size_bytes) + " bytes, but its header declares "
                        + std::to_string(header->size_bytes) + ": cut or extended, which no crash does");
  return header;
}

/// Of the segment behind the one the walk is in, which must be there.
std::optional<segment_header> log_reader::find_next_header() const {
  const auto number = log_.end->segment.number + 1;
  const auto path = path_of(number);
  return find_header(number, path, read_readable(files_, path, segment_header_bytes));
}

/// Throws unless the segment begins where the one before it ended.
void log_reader::require_next(const segment_header& header, const std::string& path) const {
  if (!log_.end || is_continued_by(header))
    return;
  const auto& end = *log_.end;
  const auto lost = lsn_range{end.next_lsn, std::max(end.next_lsn, header.first_lsn) - 1};
  throw damage_at(path_of(end.segment.number), end.offset,
                  "damaged: it ends before lsn " + std::to_string(end.next_lsn) + ", but " + path + " goes on from lsn "
                      + std::to_string(header.first_lsn) + ", and was made when all before it was durable",
                  lost);
}

/// The walk goes on behind the header.
void log_reader::enter(const segment_header& header) {
  if (!log_.end)
    is_partial_ = header.first_lsn > 1;
  log_.end = log_end{header, segment_header_bytes, header.first_lsn, header.chain};
  log_.salts[header.number] = header.salt;
  durable_ = std::max(durable_, header.first_lsn - 1);
  ++log_.report.segments;
  log_.report.bytes += segment_header_bytes;
}

lsn_range log_reader::missing_records() const {
  return {log_.end->next_lsn, std::max(log_.end->next_lsn, durable_)};
}

std::optional<bad_record> log_reader::walk(const std::string& path, const readable_part& part) {
  auto& end = *log_.end;
  while (true) {
    const auto rest = std::string_view{part.bytes}.substr(end.offset);
    const auto found = decode_header(rest, end.segment.salt);
    if (!found && part.unreadable_at && (rest.size() < record_header_bytes || is_zero(rest)))
      return bad_record{end.offset, std::nullopt, unreadable_words(part)};
    if (!found && (is_zero(rest) || TROUPE_MUTANT(P4)))
      return std::nullopt;
    if (!found)
      return bad_record{end.offset, std::nullopt, "the record's header does not match its checksum"};
    if (auto bad = take(path, part, *found))
      return bad;
    const auto size = record_bytes(found->header.payload_bytes);
    end.offset += size;
    end.chain = found->checksum;
    ++end.next_lsn;
    durable_ = std::max(durable_, found->header.synced_upto);
    ++log_.report.records;
    log_.report.bytes += size;
  }
}

std::optional<bad_record> log_reader::take(const std::string& path, const readable_part& part,
                                           const decoded_header& found) {
  const std::string_view bytes{part.bytes};
  const auto& header = found.header;
  const auto& end = *log_.end;
  const auto size = record_bytes(header.payload_bytes);
  if (header.lsn != end.next_lsn || header.chain != end.chain)
    return bad_record{end.offset, size,
                      "an intact record, but lsn " + std::to_string(header.lsn) + " of the log in the place of lsn "
                          + std::to_string(end.next_lsn),
                      true};
  if (size > part.size_bytes - end.offset)
    return bad_record{end.offset, size, "the record passes the end of its segment", true};
  if (size > bytes.size() - end.offset)
    return bad_record{end.offset, size, unreadable_words(part)};
  const auto trailer = trailer_of(header.payload_bytes);
  if (bytes.substr(end.offset + size - trailer.size(), trailer.size()) != trailer)
    return bad_record{end.offset, size, "the record's trailer is not whole"};
  switch (header.type) {
  case record_type::entries: return take_entries(path, bytes, header);
  case record_type::truncation: take_truncation(path, header); return std::nullopt;
  case record_type::start: return take_start(path, bytes, header);
  }
  throw storage_error{path, end.offset,
                      "a record of type " + std::to_string(static_cast<int>(header.type))
                          + ", which this program does not know: use the program that wrote it",
                      damage::none};
}

std::optional<bad_record> log_reader::take_entries(const std::string& path, std::string_view bytes,
                                                   const record_header& header) {
  const auto& end = *log_.end;
  const auto payload = bytes.substr(end.offset + record_header_bytes, header.payload_bytes);
  // The bytes outlive the batch, which lives only here.
  if (!batch_of(header, shared_bytes{nullptr, payload}))
    return bad_record{end.offset, record_bytes(header.payload_bytes), "the entries do not match their checksum"};
  auto& group = this->group(header.group);
  if (!group.continues_with(header.first, header.term))
    throw storage_error{path, end.offset,
                        "entries from index " + std::to_string(header.first.value()) + " of term "
                            + std::to_string(header.term.value()) + " in group " + std::to_string(header.group.value())
                            + ", whose log ends at index " + std::to_string(group.last().value()) + " of term "
                            + std::to_string(group.last_term().value()) + ": the log has a hole"};
  group.append({header.first, end.segment.number, static_cast<std::uint32_t>(end.offset / record_alignment),
                header.payload_bytes, header.count},
               header.term);
  return std::nullopt;
}

std::optional<bad_record> log_reader::take_start(const std::string& path, std::string_view bytes,
                                                 const record_header& header) {
  const auto& end = *log_.end;
  const auto start = start_of(header, bytes.substr(end.offset + record_header_bytes, header.payload_bytes));
  if (!start)
    return bad_record{end.offset, record_bytes(header.payload_bytes), "the start does not match its checksum"};
  auto& group = this->group(header.group);
  // After a loss a log can begin anew where an older snapshot ends, or at its first entry.
  const auto goes_back = start->before.index < group.start().before.index;
  if (!header.voids && (goes_back || !group.may_keep_behind(start->before)))
    throw storage_error{path, end.offset,
                        "the log of group " + std::to_string(header.group.value()) + " is to begin behind index "
                            + std::to_string(start->before.index.value()) + " of term "
                            + std::to_string(start->before.term.value()) + ", which it does not have: it has a hole"};
  group.begin(*start, header.voids, end.segment.number);
  return std::nullopt;
}

void log_reader::take_truncation(const std::string& path, const record_header& header) {
  auto& group = this->group(header.group);
  if (header.first <= group.start().before.index)
    throw storage_error{path, log_.end->offset,
                        "the log of group " + std::to_string(header.group.value()) + " is to be void from index "
                            + std::to_string(header.first.value()) + " on, which a snapshot stands for"};
  group.truncate(header.first);
}

bool log_reader::is_continued_by(const segment_header& next) const {
  const auto& end = *log_.end;
  return next.number == end.segment.number + 1 && next.first_lsn == end.next_lsn && next.chain == end.chain;
}

/// Does the next segment begin where this one's records end?
bool log_reader::is_followed() const {
  if (!files_.exists(path_of(log_.end->segment.number + 1)))
    return false;
  const auto next = find_next_header();
  return next && is_continued_by(*next);
}

/// Returns what is to be undone if the record is a torn write; throws if it is damage. Nothing if it is no record at
/// all: behind the end of a segment that is full, as the next one proves, no bit matters. `last` is the last segment.
std::optional<torn_tail> log_reader::judge(const std::string& path, const readable_part& part, const bad_record& bad,
                                           std::uint32_t last) {
  const std::string_view bytes{part.bytes};
  const auto& end = *log_.end;
  const auto number = end.next_lsn;
  if (end.segment.number < last) {
    const auto next = find_next_header();
    if (next && is_continued_by(*next))
      return std::nullopt;
    durable_ = std::max(durable_, next ? next->first_lsn - 1 : 0);
    const auto lost = missing_records();
    throw damage_at(path, bad.offset,
                    "damaged: " + bad.why + "; " + records_words(lost) + " had been durable, or "
                        + path_of(end.segment.number + 1) + " would not be there",
                    lost);
  }
  for (auto at = bad.offset + record_alignment; at + record_header_bytes <= bytes.size(); at += record_alignment)
    if (const auto found = decode_header(bytes.substr(at), end.segment.salt))
      durable_ = std::max(durable_, found->header.synced_upto);
  if (number <= durable_ && !TROUPE_MUTANT(P3))
    throw damage_at(path, bad.offset,
                    "damaged: " + bad.why + "; " + records_words({number, durable_})
                        + " had been durable: a later record or the hint says so",
                    lsn_range{number, durable_});
  if (part.unreadable_at) // Nobody can say how it ends.
    throw damage_at(path, bad.offset,
                    "suspect: " + bad.why + ". Whether " + records_words({number, number})
                        + " was there, and durable, nothing says",
                    lsn_range{number, number}, damage::suspect);
  const auto torn = [&](const std::string& why) {
    const auto used = bytes.find_last_not_of('\0') + 1;
    TROUPE_ASSERT(used > bad.offset && used <= bytes.size(), "something is there to undo");
    return torn_tail{path, bad.offset, number, used - bad.offset, bad.why + why};
  };
  const auto known_bytes =
      bad.size_bytes.value_or(std::min<std::uint64_t>(record_header_bytes, bytes.size() - bad.offset));
  if (!bad.is_misplaced && lacks_a_sector(bytes, bad.offset, bad.offset + known_bytes))
    return torn("; a sector of it was never written");
  if (TROUPE_MUTANT(P3) || (!bad.is_misplaced && is_zero(bytes.substr(bad.offset + known_bytes - 1))))
    return torn("; its end was never written");
  throw damage_at(path, bad.offset,
                  "suspect: " + bad.why + " (" + records_words({number, number})
                      + "), and no torn write looks like this. Whether it had been durable, nothing says",
                  lsn_range{number, number}, damage::suspect);
}

/// Throws unless the log, all of which was believed, has all it must have. `path` is its last segment.
void log_reader::require_whole(const std::string& path) const {
  const auto& end = *log_.end;
  if (end.next_lsn <= durable_ && !TROUPE_MUTANT(P3) && !TROUPE_MUTANT(P4)) {
    const auto lost = lsn_range{end.next_lsn, durable_};
    throw damage_at(path, end.offset,
                    "damaged: the log ends here, but " + records_words(lost) + " had been durable, as the hint says",
                    lost);
  }
  // The number of a segment is in the hint, synced, before the first record is in the segment.
  if (end.segment.number > log_.hint->says.last_segment && end.offset > segment_header_bytes)
    throw damage_at(hint_path(directory_), {},
                    "is older than the log: it knows no segment behind " + segment_name(log_.hint->says.last_segment));
}

std::uint64_t log_reader::count_good() {
  std::vector<std::uint32_t> numbers;
  try {
    numbers = find_segments();
  } catch (const std::runtime_error&) {
    const auto first = log_.hint ? log_.hint->says.first_segment : 0;
    for (const auto& name : files_.list(directory_)) // Sorted, and so are the numbers.
      if (const auto number = segment_number(name); number && *number >= first)
        numbers.push_back(*number);
    if (log_.hint && (numbers.empty() || numbers.front() != first))
      return 0;
  }
  try {
    for (const auto number : numbers) {
      const auto path = path_of(number);
      if (walk(path, read_segment(number, path)))
        break;
    }
  } catch (const std::runtime_error&) {
    // So far, and no further.
  }
  return log_.report.records;
}

recovered_log log_reader::read() {
  const auto numbers = find_segments();
  for (const auto number : numbers) {
    const auto path = path_of(number);
    const auto part = read_segment(number, path);
    if (const auto bad = walk(path, part))
      log_.report.cut = judge(path, part, *bad, numbers.back());
  }
  if (!log_.end)
    return std::move(log_);
  const auto last = path_of(log_.end->segment.number);
  require_whole(last);
  require_beginnings(path_of(numbers.front()));
  log_.report.healed_hints = log_.hint->bad_copies;
  return std::move(log_);
}

/// Throws unless each group's log begins somewhere. `path` is the first segment.
void log_reader::require_beginnings(const std::string& path) {
  for (auto& [id, group] : log_.groups)
    if (!group.complete())
      throw damage_at(path, segment_header_bytes,
                      "the log of group " + std::to_string(id.value()) + " has entries from index "
                          + std::to_string(group.places().front().first.value()) + " on, but nothing says that it "
                          + "begins behind index " + std::to_string(group.places().front().first.value() - 1)
                          + ": the log has a hole");
}

} // namespace troupe
