#include "persistence/recovery.hpp"

#include "persistence/record.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
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

/// The first record that cannot be believed.
struct bad_record {
  std::uint64_t offset;
  /// Its bytes, if its header is intact.
  std::optional<std::uint64_t> size_bytes;
  std::string why;
  /// Intact, but of another place: no torn write makes this.
  bool is_misplaced = false;
};

class log_reader {
public:
  log_reader(file_system& files, std::string directory, const disk_identity& owner)
      : files_{files}, directory_{std::move(directory)}, owner_{owner} {}

  recovered_log read();

private:
  [[nodiscard]] std::vector<std::uint32_t> find_segments();
  [[nodiscard]] std::string read_segment(std::uint32_t number, const std::string& path);
  [[nodiscard]] std::optional<bad_record> walk(const std::string& path, std::string_view bytes);
  [[nodiscard]] std::optional<bad_record> take(const std::string& path, std::string_view bytes,
                                               const decoded_header& found);
  [[nodiscard]] std::optional<bad_record> take_entries(const std::string& path, std::string_view bytes,
                                                       const record_header& header);
  [[nodiscard]] std::string judge(const std::string& path, std::string_view bytes, const bad_record& bad,
                                  const std::vector<std::uint32_t>& later);
  [[nodiscard]] std::optional<bad_record> take_start(const std::string& path, std::string_view bytes,
                                                     const record_header& header);
  void take_truncation(const std::string& path, const record_header& header);
  void cut(const std::string& path, std::string_view bytes, const bad_record& bad, std::string why);

  file_system& files_;
  std::string directory_;
  disk_identity owner_;
  recovered_log log_;
  /// The highest "synced up to" of any intact record.
  std::uint64_t synced_upto_ = 0;
};

std::vector<std::uint32_t> log_reader::find_segments() {
  std::vector<std::uint32_t> numbers;
  for (const auto& name : files_.list(directory_)) {
    if (const auto number = segment_number(name)) {
      numbers.push_back(*number);
    } else if (name.ends_with(".tmp") || directory_ + "/" + name == spare_path(directory_)) {
      files_.remove(directory_ + "/" + name);
      log_.report.removed.push_back(name);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i] != i + 1)
      throw storage_error{
          directory_ + "/" + segment_name(static_cast<std::uint32_t>(i + 1)),
          "missing, though segments behind it are there: the log has a hole. Restore the file, or replace "
          "the node by a new one with an empty directory"};
  return numbers;
}

std::string log_reader::read_segment(std::uint32_t number, const std::string& path) {
  auto bytes = read_whole(files_, path);
  const auto header = decode_segment_header(path, bytes, owner_);
  if (header.number != number)
    throw storage_error{path, 0, "is segment " + std::to_string(header.number) + " by its header: renamed or copied"};
  if (header.size_bytes != bytes.size())
    throw storage_error{path,
                        "has " + std::to_string(bytes.size()) + " bytes, but its header declares "
                            + std::to_string(header.size_bytes) + ": cut or extended, which no crash does"};
  auto& end = log_.end.emplace(log_.end.value_or(log_end{}));
  end.segment = header;
  end.offset = segment_header_bytes;
  log_.salts[number] = header.salt;
  ++log_.report.segments;
  log_.report.bytes += segment_header_bytes;
  return bytes;
}

std::optional<bad_record> log_reader::walk(const std::string& path, std::string_view bytes) {
  auto& end = *log_.end;
  while (true) {
    const auto rest = bytes.substr(end.offset);
    const auto found = decode_header(rest, end.segment.salt);
    if (!found && is_zero(rest))
      return std::nullopt;
    if (!found)
      return bad_record{end.offset, std::nullopt, "the record's header does not match its checksum"};
    if (auto bad = take(path, bytes, *found))
      return bad;
    const auto size = record_bytes(found->header.payload_bytes);
    end.offset += size;
    end.chain = found->checksum;
    ++end.next_sequence;
    synced_upto_ = std::max(synced_upto_, found->header.synced_upto);
    ++log_.report.records;
    log_.report.bytes += size;
  }
}

std::optional<bad_record> log_reader::take(const std::string& path, std::string_view bytes,
                                           const decoded_header& found) {
  const auto& header = found.header;
  const auto& end = *log_.end;
  const auto size = record_bytes(header.payload_bytes);
  if (header.sequence != end.next_sequence || header.chain != end.chain)
    return bad_record{end.offset, size,
                      "an intact record, but number " + std::to_string(header.sequence)
                          + " of the log in the place of number " + std::to_string(end.next_sequence),
                      true};
  if (size > bytes.size() - end.offset)
    return bad_record{end.offset, size, "the record passes the end of its segment", true};
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
                          + ", which this program does not know: use the program that wrote it"};
}

std::optional<bad_record> log_reader::take_entries(const std::string& path, std::string_view bytes,
                                                   const record_header& header) {
  const auto& end = *log_.end;
  const auto payload = bytes.substr(end.offset + record_header_bytes, header.payload_bytes);
  // The bytes outlive the batch, which lives only here.
  if (!batch_of(header, shared_bytes{nullptr, payload}))
    return bad_record{end.offset, record_bytes(header.payload_bytes), "the entries do not match their checksum"};
  auto& group = log_.groups[header.group];
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
  auto& group = log_.groups[header.group];
  const auto goes_back = start->before.index < group.start().before.index;
  if (goes_back || (!header.voids && !group.may_keep_behind(start->before)))
    throw storage_error{path, end.offset,
                        "the log of group " + std::to_string(header.group.value()) + " is to begin behind index "
                            + std::to_string(start->before.index.value()) + " of term "
                            + std::to_string(start->before.term.value()) + ", which it does not have: it has a hole"};
  group.begin(*start, header.voids, end.segment.number);
  return std::nullopt;
}

void log_reader::take_truncation(const std::string& path, const record_header& header) {
  auto& group = log_.groups[header.group];
  if (header.first <= group.start().before.index)
    throw storage_error{path, log_.end->offset,
                        "the log of group " + std::to_string(header.group.value()) + " is to be void from index "
                            + std::to_string(header.first.value()) + " on, which a snapshot stands for"};
  group.truncate(header.first);
}

/// Returns why the record is a torn write; throws if it is damage. `later` are the segments behind this one.
std::string log_reader::judge(const std::string& path, std::string_view bytes, const bad_record& bad,
                              const std::vector<std::uint32_t>& later) {
  const auto& end = *log_.end;
  const auto damage = [&](const std::string& why) {
    return storage_error{path, bad.offset,
                         "damaged: " + bad.why + " (record number " + std::to_string(end.next_sequence) + "), and "
                             + why + ". Nothing was changed. Restore the directory, or replace the node by a new one"};
  };
  if (bad.is_misplaced)
    throw damage("no crash does that");
  for (const auto number : later) {
    const auto file = directory_ + "/" + segment_name(number);
    if (!is_zero(std::string_view{read_whole(files_, file)}.substr(segment_header_bytes)))
      throw damage("a later segment, " + file + ", is in use: this record was synced before");
  }
  auto proven = synced_upto_;
  for (auto at = bad.offset + record_alignment; at + record_header_bytes <= bytes.size(); at += record_alignment)
    if (const auto found = decode_header(bytes.substr(at), end.segment.salt))
      proven = std::max(proven, found->header.synced_upto);
  if (proven >= end.next_sequence)
    throw damage("a later record says that everything up to number " + std::to_string(proven) + " was synced");
  const auto known_bytes =
      bad.size_bytes.value_or(std::min<std::uint64_t>(record_header_bytes, bytes.size() - bad.offset));
  if (lacks_a_sector(bytes, bad.offset, bad.offset + known_bytes))
    return bad.why + "; a sector of it was never written";
  if (is_zero(bytes.substr(bad.offset + known_bytes - 1)))
    return bad.why + "; its end was never written";
  throw damage("no torn write looks like this");
}

void log_reader::cut(const std::string& path, std::string_view bytes, const bad_record& bad, std::string why) {
  const auto used = bytes.find_last_not_of('\0') + 1;
  TROUPE_ASSERT(used > bad.offset && used <= bytes.size(), "something is there to undo");
  const auto target = files_.open(path, open_mode::update);
  target->write_at(bad.offset, std::string(used - bad.offset, '\0'));
  target->sync_data();
  log_.report.cut = torn_tail{path, bad.offset, log_.end->next_sequence, used - bad.offset, std::move(why)};
}

recovered_log log_reader::read() {
  const auto numbers = find_segments();
  // The last used segment is where the log goes on; unused ones may lie behind it.
  std::optional<log_end> used;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto path = directory_ + "/" + segment_name(numbers[i]);
    const auto bytes = read_segment(numbers[i], path);
    if (const auto bad = walk(path, bytes)) {
      auto why = judge(path, bytes, *bad, {numbers.begin() + static_cast<std::ptrdiff_t>(i) + 1, numbers.end()});
      cut(path, bytes, *bad, std::move(why));
    }
    if (!used || log_.end->offset > segment_header_bytes)
      used = log_.end;
  }
  log_.end = used;
  return std::move(log_);
}

} // namespace

recovered_log recover_log(file_system& files, const std::string& directory, const disk_identity& owner) {
  return log_reader{files, directory, owner}.read();
}

} // namespace troupe
