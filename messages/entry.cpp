#include "troupe/entry.hpp"

#include "troupe/assert.hpp"

#include <isa-l/crc.h>

#include <cstring>

namespace troupe {

namespace {

std::uint32_t load_u32(const char* at) {
  unsigned char b[4];
  std::memcpy(b, at, 4);
  return static_cast<std::uint32_t>(b[0]) | static_cast<std::uint32_t>(b[1]) << 8
      | static_cast<std::uint32_t>(b[2]) << 16 | static_cast<std::uint32_t>(b[3]) << 24;
}

void store_u32(char* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i)
    at[i] = static_cast<char>(value >> (8 * i));
}

/// Bytes of the entry at the front of a well-formed payload, overhead included.
std::size_t front_bytes(std::string_view payload) {
  return entry_overhead_bytes + load_u32(payload.data());
}

bool is_known(std::uint8_t kind) {
  return kind >= static_cast<std::uint8_t>(entry_kind::command)
      && kind <= static_cast<std::uint8_t>(entry_kind::state_hash);
}

/// Counts the entries of a payload; nothing if it is not a whole number of well-formed ones.
std::optional<std::uint32_t> count_entries(std::string_view payload) {
  std::uint32_t count = 0;
  while (!payload.empty()) {
    if (payload.size() < entry_overhead_bytes)
      return std::nullopt;
    const auto size = front_bytes(payload);
    if (payload.size() < size || !is_known(static_cast<std::uint8_t>(payload[4])))
      return std::nullopt;
    payload.remove_prefix(size);
    ++count;
  }
  return count;
}

} // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  // ISA-L's function takes int lengths and the raw register; the inversions make it the usual CRC-32C.
  auto crc = ~seed;
  while (!bytes.empty()) {
    const auto step = bytes.substr(0, std::size_t{1} << 30);
    crc = crc32_iscsi(reinterpret_cast<unsigned char*>(const_cast<char*>(step.data())), static_cast<int>(step.size()),
                      crc);
    bytes.remove_prefix(step.size());
  }
  return ~crc;
}

void entry_block_builder::add(entry_kind kind, std::string_view content) {
  begin_entry(kind);
  payload_ += content;
  end_entry();
}

void entry_block_builder::begin_entry(entry_kind kind) {
  open_at_ = payload_.size();
  payload_.append(4, '\0');
  payload_ += static_cast<char>(kind);
}

void entry_block_builder::end_entry() {
  store_u32(payload_.data() + open_at_, static_cast<std::uint32_t>(payload_.size() - open_at_ - entry_overhead_bytes));
  ++count_;
}

entry_block entry_block_builder::take() {
  entry_block block{count_, shared_bytes{std::move(payload_)}};
  payload_.clear();
  count_ = 0;
  return block;
}

entry_view entry_iterator::operator*() const {
  return {index_, static_cast<entry_kind>(rest_[4]), rest_.substr(entry_overhead_bytes, load_u32(rest_.data()))};
}

entry_iterator& entry_iterator::operator++() {
  rest_.remove_prefix(front_bytes(rest_));
  index_ = index_.next();
  return *this;
}

entry_batch entry_batch::stamp(entry_block block, term_number term, log_index first, std::int64_t leader_time) {
  TROUPE_ASSERT(block.count > 0, "a batch has at least one entry");
  entry_batch batch;
  batch.term_ = term;
  batch.first_ = first;
  batch.count_ = block.count;
  batch.leader_time_ = leader_time;
  batch.checksum_ = crc32c(block.payload.view());
  batch.payload_ = std::move(block.payload);
  return batch;
}

std::optional<entry_batch> entry_batch::verify(term_number term, log_index first, std::uint32_t count,
                                               std::int64_t leader_time, std::uint32_t checksum, shared_bytes payload) {
  // An index of zero, or a run that passes the end of the index range, is of no log.
  if (count == 0 || first == log_index{} || first.value() + count < first.value())
    return std::nullopt;
  if (crc32c(payload.view()) != checksum || count_entries(payload.view()) != count)
    return std::nullopt;
  entry_batch batch;
  batch.term_ = term;
  batch.first_ = first;
  batch.count_ = count;
  batch.leader_time_ = leader_time;
  batch.checksum_ = checksum;
  batch.payload_ = std::move(payload);
  return batch;
}

entry_batch entry_batch::slice(log_index from, log_index to) const {
  TROUPE_ASSERT(first_ <= from && from <= to && to <= last(), "a slice lies within its batch");
  if (from == first_ && to == last())
    return *this;
  auto rest = payload_.view();
  std::size_t offset = 0;
  auto index = first_;
  for (; index < from; index = index.next()) {
    offset += front_bytes(rest);
    rest.remove_prefix(front_bytes(rest));
  }
  std::size_t size = 0;
  for (; index <= to; index = index.next()) {
    size += front_bytes(rest);
    rest.remove_prefix(front_bytes(rest));
  }
  auto part = *this;
  part.first_ = from;
  part.count_ = static_cast<std::uint32_t>(to - from) + 1;
  part.payload_ = payload_.part(offset, size);
  part.checksum_ = crc32c(part.payload_.view());
  return part;
}

entry_batch entry_batch::front_within(std::size_t max_bytes) const {
  if (payload_.size() <= max_bytes)
    return *this;
  auto rest = payload_.view();
  std::size_t size = front_bytes(rest);
  std::uint32_t fits = 1;
  for (rest.remove_prefix(size); fits < count_ && size + front_bytes(rest) <= max_bytes; ++fits) {
    size += front_bytes(rest);
    rest.remove_prefix(front_bytes(rest));
  }
  return slice(first_, first_ + (fits - 1));
}

} // namespace troupe
