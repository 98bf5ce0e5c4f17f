#include "persistence/record_reader.hpp"

#include "persistence/record.hpp"
#include "persistence/segment.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <memory>
#include <optional>

namespace troupe {

namespace {

/// Reads one record: header and payload in one call, into one buffer that the batch then shares.
entry_batch read_record(file& segment, group_id group, const wanted_record& wanted) {
  const auto offset = wanted.place.offset_units * std::uint64_t{record_alignment};
  const auto refuse = [&](const char* why) { return storage_error{segment.path(), offset, why}; };
  std::string bytes(record_header_bytes + wanted.place.payload_bytes, '\0');
  if (segment.read_at(offset, bytes) != bytes.size())
    throw refuse("damaged: the segment ends within a record");
  const shared_bytes whole{std::move(bytes)};
  const auto found = decode_header(whole.view(), wanted.salt);
  if (!found)
    throw refuse("damaged: the record's header does not match its checksum");
  const auto& header = found->header;
  if (header.type != record_type::entries || header.group != group || header.first != wanted.place.first
      || header.term != wanted.term || header.payload_bytes != wanted.place.payload_bytes
      || header.count < wanted.place.count)
    throw refuse("damaged: another record than the one that was written there");
  auto batch = batch_of(header, whole.part(record_header_bytes, header.payload_bytes));
  if (!batch)
    throw refuse("damaged: the entries do not match their checksum");
  return *std::move(batch);
}

} // namespace

std::vector<entry_batch> read_records(file_system& files, const resolved_read& what) {
  std::vector<entry_batch> batches;
  std::unique_ptr<file> segment;
  std::optional<std::uint32_t> open;
  std::size_t bytes = 0;
  for (const auto& wanted : what.records) {
    if (open != wanted.place.segment) {
      segment = files.open(what.directory + "/" + segment_name(wanted.place.segment), open_mode::read);
      open = wanted.place.segment;
    }
    const auto batch = read_record(*segment, what.group, wanted);
    const auto from = std::max(what.first, wanted.place.first);
    const auto to = std::min(what.last, wanted.place.last());
    const auto part = batch.slice(from, to).front_within(what.max_bytes - std::min(bytes, what.max_bytes));
    bytes += part.size_bytes();
    batches.push_back(part);
    if (part.last() != to || bytes >= what.max_bytes)
      break;
  }
  return batches;
}

} // namespace troupe
