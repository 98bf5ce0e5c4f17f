#include "persistence/hint_file.hpp"

#include "persistence/little_endian.hpp"
#include "troupe/entry.hpp"

#include <algorithm>
#include <string_view>

namespace troupe {

namespace {

constexpr std::string_view magic = "TROUPHNT";
constexpr std::uint32_t format_version = 1;
constexpr std::size_t copy_bytes = 512;
constexpr std::size_t checksum_at = copy_bytes - 4;
constexpr std::size_t copies = 2;
constexpr std::size_t distance_bytes = 4096;

std::string encode(const log_hint& says, std::uint64_t generation, const disk_identity& owner) {
  std::string bytes(copy_bytes, '\0');
  std::copy(magic.begin(), magic.end(), bytes.begin());
  put_le(bytes.data() + 8, format_version);
  put_le(bytes.data() + 12, format_version);
  put_le(bytes.data() + 16, generation);
  put_identity(bytes.data() + 24, owner);
  put_le(bytes.data() + 64, says.durable);
  put_le(bytes.data() + 72, std::uint64_t{says.first_segment});
  put_le(bytes.data() + 80, std::uint64_t{says.last_segment});
  put_le(bytes.data() + 88, says.cut_for);
  put_le(bytes.data() + 96, std::uint64_t{says.leaving});
  put_le(bytes.data() + checksum_at, crc32c({bytes.data(), checksum_at}));
  return bytes;
}

/// Nothing for a copy that is damaged.
std::optional<found_hint> decode(const std::string& path, std::size_t offset, std::string_view bytes,
                                 const disk_identity& owner) {
  const auto* at = bytes.data();
  if (bytes.size() < copy_bytes || !bytes.starts_with(magic)
      || crc32c({at, checksum_at}) != get_le<std::uint32_t>(at + checksum_at))
    return std::nullopt;
  if (get_le<std::uint32_t>(at + 12) > format_version)
    throw storage_error{path, offset,
                        "written in hint format " + std::to_string(get_le<std::uint32_t>(at + 8))
                            + "; this program reads format " + std::to_string(format_version)
                            + ": use the newer program",
                        damage::none};
  require_same_owner(path, get_identity(at + 24), owner);
  found_hint found;
  found.generation = get_le<std::uint64_t>(at + 16);
  found.says.durable = get_le<std::uint64_t>(at + 64);
  found.says.first_segment = static_cast<std::uint32_t>(get_le<std::uint64_t>(at + 72));
  found.says.last_segment = static_cast<std::uint32_t>(get_le<std::uint64_t>(at + 80));
  found.says.cut_for = get_le<std::uint64_t>(at + 88);
  found.says.leaving = static_cast<std::uint32_t>(get_le<std::uint64_t>(at + 96));
  return found;
}

} // namespace

std::string hint_path(const std::string& directory) {
  return directory + "/hint";
}

std::optional<found_hint> find_hint(file_system& files, const std::string& directory, const disk_identity& owner) {
  const auto path = hint_path(directory);
  if (!files.exists(path))
    return std::nullopt;
  const auto bytes = read_whole(files, path);
  std::optional<found_hint> newest;
  std::size_t bad = 0;
  for (std::size_t copy = 0; copy < copies; ++copy) {
    const auto offset = std::min(copy * distance_bytes, bytes.size());
    const auto found = decode(path, offset, std::string_view{bytes}.substr(offset, copy_bytes), owner);
    bad += found ? 0 : 1;
    if (found && (!newest || found->generation > newest->generation))
      newest = found;
  }
  if (!newest)
    throw storage_error{path, 0,
                        "damaged: both copies of what was durable, this and the one at offset "
                            + std::to_string(distance_bytes)
                            + ". Without them a log that lost its end would look whole. " + keep_the_directory};
  newest->bad_copies = bad;
  return newest;
}

void hint_file::create(file_system& files, const std::string& directory, const disk_identity& owner) {
  auto bytes = encode({}, 2, owner);
  bytes.resize(distance_bytes);
  bytes += encode({}, 1, owner);
  bytes.resize(copies * distance_bytes);
  replace_durably(files, hint_path(directory), bytes);
}

hint_file::hint_file(file_system& files, const std::string& directory, const disk_identity& owner,
                     std::uint64_t generation)
    : files_{files}, path_{hint_path(directory)}, owner_{owner}, file_{files.open(path_, open_mode::update)},
      generation_{generation} {}

void hint_file::note(const log_hint& says) {
  ++generation_;
  file_->write_at(generation_ % copies * distance_bytes, encode(says, generation_, owner_));
  ++unsynced_;
}

void hint_file::note_twice(const log_hint& says) {
  for (std::size_t copy = 0; copy < copies; ++copy)
    note(says);
}

void hint_file::sync() {
  if (unsynced_ == 0)
    return;
  file_->sync_data();
  unsynced_ = 0;
}

chore hint_file::plan_sync() {
  unsynced_ = 0;
  return [&files = files_, path = path_] { files.open(path, open_mode::update)->sync_data(); };
}

} // namespace troupe
