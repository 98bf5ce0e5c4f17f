#include "guest/blob.hpp"

#include "bytes.hpp"

#include <optional>
#include <stdexcept>
#include <utility>

namespace guest {

using troupe::entry_batch;
using troupe::log_index;

namespace {

// The blobs, little-endian:
//
//     state:      u32 version | u32 groups | group ... | u32 CRC-32C of all before
//       group:    u32 id | u64 current term | u64 voted for | start | u32 batches | batch ...
//       start:    u64 term | u64 index | i64 time | u64 oldest snapshot
//       batch:    u64 term | u64 first index | u32 count | i64 leader time | u32 checksum | u32 bytes | payload
//     snapshots:  u32 version | snapshot ... | u32 CRC-32C of all before
//       snapshot: u32 group | u64 term | u64 index | i64 time | u32 bytes | content
constexpr std::uint32_t blob_version = 2;
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

void put(byte_writer& blob, const troupe::log_position& at) {
  blob.put(at.term.value()).put(at.index.value());
}

troupe::log_position take_position(byte_reader& blob) {
  const troupe::term_number term{blob.take<std::uint64_t>()};
  return {term, log_index{blob.take<std::uint64_t>()}};
}

[[noreturn]] void refuse(const char* what) {
  throw std::runtime_error{std::string{"the saved state cannot be trusted: "} + what};
}

std::string sealed(byte_writer& blob) {
  blob.put(troupe::crc32c(blob.so_far()));
  return blob.take();
}

// What is between the version and the checksum.
byte_reader unsealed(std::string_view blob) {
  if (blob.size() < checksum_bytes)
    refuse("it is cut off");
  const auto content = blob.substr(0, blob.size() - checksum_bytes);
  if (byte_reader{blob.substr(content.size())}.take<std::uint32_t>() != troupe::crc32c(content))
    refuse("its checksum does not match");
  byte_reader reader{content};
  if (reader.take<std::uint32_t>() != blob_version)
    refuse("it is of another version");
  return reader;
}

void take_group(byte_reader& blob, remembered& group) {
  group.vote.current_term = troupe::term_number{blob.take<std::uint64_t>()};
  group.vote.voted_for = troupe::peer_id{blob.take<std::uint64_t>()};
  group.start.before = take_position(blob);
  group.start.time = blob.take<std::int64_t>();
  group.start.oldest_snapshot = log_index{blob.take<std::uint64_t>()};
  for (auto batches = blob.take<std::uint32_t>(); batches > 0; --batches) {
    auto batch = take_batch(blob);
    if (!batch || batch->first() != group.last().next())
      refuse("its entries are damaged");
    group.log.push_back(std::move(*batch));
  }
}

void take_snapshot(byte_reader& blob, remembered_groups& groups) {
  auto& group = groups[troupe::group_id{blob.take<std::uint32_t>()}];
  const auto at = take_position(blob);
  const auto time = blob.take<std::int64_t>();
  auto content = std::make_shared<const std::string>(blob.take_sized());
  group.snapshots[at.index] = {{at, time, content->size()}, std::move(content)};
}

} // namespace

blobs encode(const remembered_groups& groups) {
  byte_writer state;
  byte_writer snapshots;
  state.put(blob_version).put(static_cast<std::uint32_t>(groups.size()));
  snapshots.put(blob_version);
  for (const auto& [id, group] : groups) {
    state.put(id.value()).put(group.vote.current_term.value()).put(group.vote.voted_for.value());
    put(state, group.start.before);
    state.put(group.start.time).put(group.start.oldest_snapshot.value());
    state.put(static_cast<std::uint32_t>(group.log.size()));
    for (const auto& batch : group.log)
      put(state, batch);
    for (const auto& [index, each] : group.snapshots) {
      snapshots.put(id.value());
      put(snapshots, each.mark.at);
      snapshots.put(each.mark.time).put_bytes(*each.content);
    }
  }
  return {sealed(state), sealed(snapshots)};
}

remembered_groups decode(const blobs& saved) {
  remembered_groups groups;
  if (saved.state.empty() && saved.snapshots.empty())
    return groups;
  auto state = unsealed(saved.state);
  for (auto count = state.take<std::uint32_t>(); count > 0 && state.is_whole(); --count)
    take_group(state, groups[troupe::group_id{state.take<std::uint32_t>()}]);
  auto snapshots = unsealed(saved.snapshots);
  while (!snapshots.is_at_end() && snapshots.is_whole())
    take_snapshot(snapshots, groups);
  if (!state.is_whole() || !state.is_at_end() || !snapshots.is_whole())
    refuse("it is cut off or has too much");
  return groups;
}

} // namespace guest
