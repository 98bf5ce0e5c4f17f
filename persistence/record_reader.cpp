#include "persistence/record_reader.hpp"

#include "persistence/record.hpp"
#include "persistence/segment.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace troupe {

namespace {

/// Records that lie together are read together, up to this. Batches share what was read with them, so this is also what
/// one small batch can keep in memory.
constexpr std::uint64_t read_at_once_bytes = std::uint64_t{64} << 10;

std::uint64_t offset_of(const record_place& place) {
  return place.offset_units * std::uint64_t{record_alignment};
}

std::uint64_t end_of(const record_place& place) {
  return offset_of(place) + record_bytes(place.payload_bytes);
}

/// How many records from `from` on can be read together with it: at least that one.
std::size_t run_length(const std::vector<wanted_record>& records, std::size_t from) {
  auto to = from + 1;
  while (to < records.size() && records[to].place.segment == records[from].place.segment
         && offset_of(records[to].place) == end_of(records[to - 1].place)
         && end_of(records[to].place) - offset_of(records[from].place) <= read_at_once_bytes)
    ++to;
  return to - from;
}

/// The batch in a record's bytes. Throws unless it is the one that is wanted, and intact.
entry_batch check_record(const std::string& path, group_id group, const wanted_record& wanted,
                         const shared_bytes& bytes) {
  const auto refuse = [&](const char* why) { return storage_error{path, offset_of(wanted.place), why}; };
  const auto found = decode_header(bytes.view(), wanted.salt);
  if (!found)
    throw refuse("damaged: the record's header does not match its checksum");
  const auto& header = found->header;
  if (header.type != record_type::entries || header.group != group || header.first != wanted.place.first
      || header.term != wanted.term || header.payload_bytes != wanted.place.payload_bytes
      || header.count < wanted.place.count)
    throw refuse("damaged: another record than the one that was written there");
  auto batch = batch_of(header, bytes.part(record_header_bytes, header.payload_bytes));
  if (!batch)
    throw refuse("damaged: the entries do not match their checksum");
  return *std::move(batch);
}

/// A segment being read, a run of records at a time.
class segment_reader {
public:
  segment_reader(file_system& files, const resolved_read& what) : files_{files}, what_{what} {}

  /// The batch of the `i`th wanted record; called in order.
  entry_batch read(std::size_t i) {
    const auto& wanted = what_.records[i];
    if (i >= run_end_)
      read_run(i);
    const auto within = offset_of(wanted.place) - run_offset_;
    return check_record(file_->path(), what_.group, wanted,
                        run_.part(within, record_header_bytes + wanted.place.payload_bytes));
  }

private:
  void read_run(std::size_t i) {
    const auto& first = what_.records[i].place;
    if (!file_ || open_ != first.segment) {
      file_ = files_.open(what_.directory + "/" + segment_name(first.segment), open_mode::read);
      open_ = first.segment;
    }
    run_end_ = i + run_length(what_.records, i);
    run_offset_ = offset_of(first);
    std::string bytes(end_of(what_.records[run_end_ - 1].place) - run_offset_, '\0');
    if (file_->read_at(run_offset_, bytes) != bytes.size())
      throw storage_error{file_->path(), run_offset_, "damaged: the segment ends within a record"};
    run_ = shared_bytes{std::move(bytes)};
  }

  file_system& files_;
  const resolved_read& what_;
  std::unique_ptr<file> file_;
  std::uint32_t open_ = 0;
  shared_bytes run_;
  std::uint64_t run_offset_ = 0;
  std::size_t run_end_ = 0;
};

} // namespace

std::vector<entry_batch> read_records(file_system& files, const resolved_read& what) {
  std::vector<entry_batch> batches;
  segment_reader reader{files, what};
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < what.records.size(); ++i) {
    const auto& place = what.records[i].place;
    const auto to = std::min(what.last, place.last());
    const auto part = reader.read(i).slice(std::max(what.first, place.first), to).front_within(what.max_bytes - bytes);
    bytes = std::min(what.max_bytes, bytes + part.size_bytes());
    batches.push_back(part);
    if (part.last() != to || bytes == what.max_bytes)
      break;
  }
  return batches;
}

} // namespace troupe
