/// \file
/// What the tests of snapshots share.
#pragma once

#include "support.hpp"

#include "persistence/snapshot_store.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace troupe::test {

/// Bytes without a pattern, except for a run of zeros: lost writes must be told from content.
inline std::string noise(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random{seed};
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = i / 1024 % 8 == 3 ? '\0' : static_cast<char>(random());
  return bytes;
}

inline snapshot_mark mark_at(std::uint64_t index, std::uint64_t term = 1, std::uint64_t size_bytes = 0) {
  return {{term_number{term}, log_index{index}}, static_cast<std::int64_t>(index * 10), size_bytes};
}

/// Writes all of it, in pieces of about a third of a chunk.
inline void write_all(snapshot_sink& sink, std::string_view content) {
  constexpr std::size_t piece_bytes = 20'001;
  for (; !content.empty(); content.remove_prefix(std::min(content.size(), piece_bytes)))
    sink.append(content.substr(0, piece_bytes));
}

inline void save(const snapshot_write_plan& plan, std::string_view content) {
  const auto sink = plan();
  write_all(*sink, content);
  sink->finish();
}

inline void save(storage& store, std::uint32_t group, const snapshot_mark& at, std::string_view content) {
  save(store.plan_snapshot(group_id{group}, at), content);
}

/// All of the content, in steps that do not fit the chunks.
inline std::string content_of(snapshot_reader& reader, std::size_t step = 30'000) {
  std::string all;
  for (auto part = reader.read(0, step); !part.empty(); part = reader.read(all.size(), step))
    all += part;
  return all;
}

inline std::string content_of(storage& store, std::uint32_t group, std::uint64_t index) {
  return content_of(*store.plan_snapshot_read(group_id{group}, log_index{index})());
}

inline std::string snapshot_path(std::uint32_t group, std::uint64_t index, std::uint64_t term = 1) {
  return "d/log/snapshots/" + to_file_name({group_id{group}, {term_number{term}, log_index{index}}});
}

} // namespace troupe::test
