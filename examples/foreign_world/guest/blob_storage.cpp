#include "guest/blob_storage.hpp"

#include "bytes.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace guest {

using troupe::entry_batch;
using troupe::log_index;

namespace {

// The blob, little-endian:
//
//     u32 version | u32 groups | group ... | u32 CRC-32C of all before
//     group:  u32 id | u64 current term | u64 voted for | u32 batches | batch ...
//     batch:  u64 term | u64 first index | u32 count | i64 leader time | u32 checksum | u32 bytes | payload
constexpr std::uint32_t blob_version = 1;
constexpr std::size_t checksum_bytes = 4;

void put(byte_writer& blob, const entry_batch& batch) {
  blob.put(batch.term().value())
      .put(batch.first().value())
      .put(batch.count())
      .put(batch.leader_time())
      .put(batch.checksum())
      .put_bytes(batch.payload().view());
}

// `verify` vouches for the entries: their bytes are those that the leader stamped, whichever way they went.
std::optional<entry_batch> take_batch(byte_reader& blob) {
  const troupe::term_number term{blob.take<std::uint64_t>()};
  const log_index first{blob.take<std::uint64_t>()};
  const auto count = blob.take<std::uint32_t>();
  const auto leader_time = blob.take<std::int64_t>();
  const auto checksum = blob.take<std::uint32_t>();
  troupe::shared_bytes payload{std::string{blob.take_sized()}};
  if (!blob.is_whole())
    return std::nullopt;
  return entry_batch::verify(term, first, count, leader_time, checksum, std::move(payload));
}

log_index last_of(const std::vector<entry_batch>& log) {
  return log.empty() ? log_index{0} : log.back().last();
}

[[noreturn]] void refuse(const char* what) {
  throw std::runtime_error{std::string{"the saved state cannot be trusted: "} + what};
}

} // namespace

blob_storage::blob_storage(std::string_view blob, save_function save) : save_{std::move(save)} {
  if (!blob.empty())
    decode(blob);
}

void blob_storage::submit(std::vector<troupe::log_write> writes, std::function<void()> done) {
  for (const auto& write : writes)
    apply(write, groups_[write.group]);
  // One save for all of them. The persister calls `done`, whenever it is; until then Troupe submits nothing more, and
  // promises nothing to anybody that rests on these writes.
  save_(encode(), std::move(done));
}

// The parts take effect in this order: hard state, truncation, entries.
void blob_storage::apply(const troupe::log_write& write, remembered& group) {
  auto& log = group.log;
  if (write.vote)
    group.vote = *write.vote;
  if (write.truncate_from) {
    const auto from = *write.truncate_from;
    while (!log.empty() && log.back().first() >= from)
      log.pop_back();
    if (!log.empty() && log.back().last() >= from)
      log.back() = log.back().slice(log.back().first(), from.before());
  }
  log.insert(log.end(), write.append.begin(), write.append.end());
}

troupe::recovered_group blob_storage::recover(troupe::group_id id, std::size_t tail_bytes) {
  const auto& group = groups_[id];
  troupe::recovered_group found;
  found.vote = group.vote;
  found.last = last_of(group.log);
  for (const auto& batch : group.log)
    if (found.terms.empty() || found.terms.back().term != batch.term())
      found.terms.push_back({batch.first(), batch.term()});
  // Batches from the back, as long as there is room.
  auto begin = group.log.end();
  for (std::size_t room = tail_bytes; begin != group.log.begin() && room > 0;) {
    --begin;
    room -= std::min(room, begin->size_bytes());
  }
  found.tail.assign(begin, group.log.end());
  return found;
}

// May be carried out on another thread, later, while this store goes on: so it holds what it will return. Batches are
// immutable, and holding one copies nothing.
troupe::read_plan blob_storage::plan_read(const troupe::log_range& range) {
  std::vector<entry_batch> found;
  std::size_t bytes = 0;
  for (const auto& batch : groups_[range.group].log) {
    if (batch.last() < range.first)
      continue;
    if (batch.first() > range.last || (!found.empty() && bytes >= range.max_bytes))
      break; // But at least one entry is read.
    const auto wanted = batch.slice(std::max(batch.first(), range.first), std::min(batch.last(), range.last));
    found.push_back(wanted.front_within(range.max_bytes - bytes));
    bytes += found.back().size_bytes();
    if (found.back().last() != wanted.last())
      break;
  }
  return [found = std::move(found), first = range.first] {
    if (found.empty() || found.front().first() != first)
      throw std::runtime_error{"entry " + std::to_string(first.value()) + " was asked for and is not there"};
    return found;
  };
}

std::string blob_storage::encode() const {
  byte_writer blob;
  blob.put(blob_version).put(static_cast<std::uint32_t>(groups_.size()));
  for (const auto& [id, group] : groups_) {
    blob.put(id.value()).put(group.vote.current_term.value()).put(group.vote.voted_for.value());
    blob.put(static_cast<std::uint32_t>(group.log.size()));
    for (const auto& batch : group.log)
      put(blob, batch);
  }
  blob.put(troupe::crc32c(blob.so_far()));
  return blob.take();
}

void blob_storage::decode(std::string_view blob) {
  if (blob.size() < checksum_bytes)
    refuse("it is cut off");
  const auto content = blob.substr(0, blob.size() - checksum_bytes);
  if (byte_reader{blob.substr(content.size())}.take<std::uint32_t>() != troupe::crc32c(content))
    refuse("its checksum does not match");
  byte_reader reader{content};
  if (reader.take<std::uint32_t>() != blob_version)
    refuse("it is of another version");
  for (auto groups = reader.take<std::uint32_t>(); groups > 0 && reader.is_whole(); --groups) {
    auto& group = groups_[troupe::group_id{reader.take<std::uint32_t>()}];
    group.vote.current_term = troupe::term_number{reader.take<std::uint64_t>()};
    group.vote.voted_for = troupe::peer_id{reader.take<std::uint64_t>()};
    for (auto batches = reader.take<std::uint32_t>(); batches > 0; --batches) {
      auto batch = take_batch(reader);
      if (!batch || batch->first() != last_of(group.log).next())
        refuse("its entries are damaged");
      group.log.push_back(std::move(*batch));
    }
  }
  if (!reader.is_whole() || !reader.is_at_end())
    refuse("it is cut off or has too much");
}

} // namespace guest
