#include "persistence/segment.hpp"

#include "messages/mutant.hpp"
#include "persistence/little_endian.hpp"
#include "troupe/entry.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace troupe {

namespace {

constexpr std::string_view magic = "TROUPLOG";
constexpr std::string_view suffix = ".log";
constexpr std::size_t checksum_at = segment_header_bytes - 4;
constexpr std::size_t digits = 16;
constexpr std::string_view retired = "retired-";
constexpr std::string_view damaged = "damaged-";

/// Zeros go out in writes of this many bytes.
constexpr std::size_t zeros_at_once = std::size_t{1} << 20;
/// They are synced this often, so that a device's queue never holds all of them before a group commit.
constexpr std::uint64_t sync_every_bytes = std::uint64_t{8} << 20;

/// Does it, unless there is no room: then false.
template <class Call>
bool if_room(Call call) {
  try {
    call();
  } catch (const io_error& failure) {
    if (!failure.is_lack_of_room())
      throw;
    return false;
  }
  return true;
}

/// Writes zeros over the first `size_bytes`, and syncs them. False if there is no room.
bool write_zeros(file& target, std::uint64_t size_bytes) {
  const std::string zeros(static_cast<std::size_t>(std::min<std::uint64_t>(size_bytes, zeros_at_once)), '\0');
  std::uint64_t unsynced = 0;
  for (std::uint64_t at = 0; at < size_bytes;) {
    const auto step = std::min<std::uint64_t>(zeros.size(), size_bytes - at);
    const auto part = std::string_view{zeros}.substr(0, static_cast<std::size_t>(step));
    if (!if_room([&] { target.write_at(at, part); }))
      return false;
    at += step;
    unsynced += step;
    if (unsynced >= sync_every_bytes) {
      target.sync_data();
      unsynced = 0;
    }
  }
  target.sync_data();
  return true;
}

/// Makes a file with room for so many bytes, and lets `finish` do the rest. False, and nothing is left of it, if there
/// is no room.
template <class Finish>
bool make_draft(file_system& files, const std::string& draft, std::uint64_t size_bytes, Finish finish) {
  std::unique_ptr<file> target;
  const auto has_room = if_room([&] {
    target = files.open(draft, open_mode::create);
    target->allocate(size_bytes);
  });
  if (has_room && finish(*target))
    return true;
  target.reset(); // First: an open file keeps its room.
  if (files.exists(draft))
    files.remove(draft);
  return false;
}

} // namespace

std::string encode_segment_header(const segment_header& header) {
  std::string bytes(segment_header_bytes, '\0');
  std::copy(magic.begin(), magic.end(), bytes.begin());
  put_le(bytes.data() + 8, log_format_version);
  put_le(bytes.data() + 12, log_format_version);
  put_le(bytes.data() + 16, static_cast<std::uint32_t>(segment_header_bytes));
  put_identity(bytes.data() + 24, header.owner);
  put_le(bytes.data() + 64, static_cast<std::uint64_t>(header.number));
  put_le(bytes.data() + 72, header.size_bytes);
  put_le(bytes.data() + 80, header.salt);
  put_le(bytes.data() + 84, header.chain);
  put_le(bytes.data() + 88, header.first_lsn);
  put_le(bytes.data() + checksum_at, crc32c({bytes.data(), checksum_at}));
  return bytes;
}

segment_header decode_segment_header(const std::string& file, std::string_view bytes, const disk_identity& owner) {
  if (bytes.size() < segment_header_bytes)
    throw storage_error{file, 0, "damaged: the file is shorter than a segment's header"};
  const auto* at = bytes.data();
  const auto version = get_le<std::uint32_t>(at + 8);
  const auto oldest_reader = get_le<std::uint32_t>(at + 12);
  const auto is_whole = crc32c({at, checksum_at}) == get_le<std::uint32_t>(at + checksum_at);
  if (!bytes.starts_with(magic) || !is_whole)
    throw storage_error{file, 0, "damaged: the segment's header does not match its checksum"};
  if (oldest_reader > log_format_version)
    throw storage_error{file, 0,
                        "written in log format " + std::to_string(version) + "; this program reads format "
                            + std::to_string(log_format_version) + ": use the newer program",
                        damage::none};
  segment_header header;
  header.owner = get_identity(at + 24);
  header.number = static_cast<std::uint32_t>(get_le<std::uint64_t>(at + 64));
  header.size_bytes = get_le<std::uint64_t>(at + 72);
  header.salt = get_le<std::uint32_t>(at + 80);
  header.chain = get_le<std::uint32_t>(at + 84);
  header.first_lsn = get_le<std::uint64_t>(at + 88);
  require_same_owner(file, header.owner, owner);
  return header;
}

std::uint32_t salt_of(const disk_identity& owner, std::uint32_t number) {
  char bytes[disk_identity_bytes + 4];
  put_identity(bytes, owner);
  put_le(bytes + disk_identity_bytes, number);
  return crc32c({bytes, sizeof bytes});
}

std::string segment_name(std::uint32_t number) {
  char hex[digits];
  const auto end = std::to_chars(hex, hex + digits, number, 16).ptr;
  const auto used = static_cast<std::size_t>(end - hex);
  return std::string(digits - used, '0') + std::string(hex, used) + std::string{suffix};
}

std::optional<std::uint32_t> segment_number(const std::string& name) {
  if (name.size() != digits + suffix.size() || !name.ends_with(suffix))
    return std::nullopt;
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + digits, number, 16);
  if (parsed.ec != std::errc{} || parsed.ptr != name.data() + digits || segment_name(number) != name)
    return std::nullopt;
  return number;
}

std::string spare_path(const std::string& directory) {
  return directory + "/spare";
}

std::string reserve_path(const std::string& directory) {
  return directory + "/reserve";
}

std::string damaged_name(std::uint64_t loss, std::uint32_t number) {
  return std::string{damaged} + std::to_string(loss) + "-" + segment_name(number);
}

bool is_damaged_for(const std::string& name, std::uint64_t loss) {
  return name.starts_with(std::string{damaged} + std::to_string(loss) + "-") && !is_leftover(name);
}

std::string draft_of(const std::string& segment_path) {
  return segment_path + ".tmp";
}

std::string retired_name(std::uint32_t number) {
  const auto name = segment_name(number);
  return std::string{retired} + name.substr(0, digits);
}

bool is_leftover(const std::string& name) {
  return name.ends_with(".tmp") || (name.starts_with(retired) && name.size() == retired.size() + digits);
}

bool prepare_zeros(file_system& files, const std::string& path, std::uint64_t size_bytes) {
  const auto draft = path + ".tmp";
  if (!make_draft(files, draft, size_bytes, [&](file& target) { return write_zeros(target, size_bytes); }))
    return false;
  files.rename(draft, path);
  files.sync_directory(directory_of(path));
  return true;
}

bool holds_only_zeros(file_system& files, const std::string& path) {
  const auto source = files.open(path, open_mode::read);
  std::string part(std::min<std::uint64_t>(source->size(), zeros_at_once), '\0');
  for (std::uint64_t at = 0; at < source->size(); at += part.size()) {
    const auto read = source->read_at(at, part);
    if (read == 0 || part.find_first_not_of('\0') < read)
      return false;
  }
  return true;
}

bool recycle(file_system& files, const std::string& from, const std::string& to) {
  {
    const auto target = files.open(from, open_mode::update);
    if (!write_zeros(*target, target->size())) // Even bytes that are there can lack room, where nothing is overwritten.
      return false;
  }
  files.rename(from, to);
  files.sync_directory(directory_of(to));
  return true;
}

std::unique_ptr<file> make_segment(file_system& files, const std::string& directory, const segment_header& header,
                                   segment_source source) {
  const auto name = directory + "/" + segment_name(header.number);
  const auto put_header = [&](file& target) {
    if (!if_room([&] { target.write_at(0, encode_segment_header(header)); }))
      return false;
    target.sync_data();
    return true;
  };
  auto draft = name + ".tmp";
  switch (source) {
  case segment_source::prewritten:
    if (!make_draft(files, draft, header.size_bytes,
                    [&](file& target) { return write_zeros(target, header.size_bytes) && put_header(target); }))
      return nullptr;
    break;
  case segment_source::allocated:
    if (!make_draft(files, draft, header.size_bytes, put_header))
      return nullptr;
    break;
  case segment_source::spare:
  case segment_source::reserve:
    // Known by its name only: under any crash it is either still what it was, or a segment with a header.
    draft = source == segment_source::spare ? spare_path(directory) : reserve_path(directory);
    if (!put_header(*files.open(draft, open_mode::update)))
      throw io_error{"overwrite", draft, ENOSPC};
    break;
  }
  files.rename(draft, name);
  if (!TROUPE_MUTANT(P8))
    files.sync_directory(directory);
  return files.open(name, open_mode::update);
}

} // namespace troupe
