#include "persistence/log_tail.hpp"

#include "messages/mutant.hpp"
#include "troupe/assert.hpp"

#include <utility>

namespace troupe {

namespace {

/// Header, payload, trailer.
constexpr std::size_t parts_of_record = 3;

} // namespace

void log_tail::take_up(const log_end& end, std::unique_ptr<file> segment) {
  end_ = end;
  pending_at_ = end_.offset;
  segment_ = std::move(segment);
  synced_upto_ = end_.next_lsn - 1;
}

void log_tail::enter(const segment_header& header, std::unique_ptr<file> segment) {
  TROUPE_ASSERT(!has_pending(), "a segment is left as it will be");
  end_.segment = header;
  end_.offset = segment_header_bytes;
  pending_at_ = end_.offset;
  segment_ = std::move(segment);
}

bool log_tail::must_flush() const {
  return pending_parts_.size() + parts_of_record > file::most_parts;
}

record_place log_tail::add(record_header header, std::string_view payload) {
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  const auto size = record_bytes(payload.size());
  TROUPE_ASSERT(has_room(size), "there is room for the record");
  header.lsn = end_.next_lsn++;
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

record_place log_tail::add(const log_start& start, record_header header) {
  const auto& payload = pending_starts_.emplace_back(encode_start(start, header));
  return add(header, {payload.data(), payload.size()});
}

void log_tail::flush() {
  if (!has_pending())
    return;
  segment_->write_at(pending_at_, pending_parts_);
  pending_parts_.clear();
  pending_headers_.clear();
  pending_starts_.clear();
  pending_at_ = end_.offset;
  unsynced_ = true;
}

void log_tail::sync() {
  if (!unsynced_)
    return;
  if (!TROUPE_MUTANT(P1_log))
    segment_->sync_data();
  unsynced_ = false;
  synced_upto_ = end_.next_lsn - 1;
}

} // namespace troupe
