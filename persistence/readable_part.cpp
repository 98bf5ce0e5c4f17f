#include "persistence/readable_part.hpp"

#include <algorithm>
#include <cerrno>
#include <span>

namespace troupe {

namespace {

/// What devices lose at once.
constexpr std::size_t block_bytes = 4096;

/// Nothing if the device cannot read it.
std::optional<std::size_t> read_if_readable(file& source, std::uint64_t offset, std::span<char> into) {
  try {
    return source.read_at(offset, into);
  } catch (const io_error& failure) {
    if (failure.number() != EIO)
      throw;
    return std::nullopt;
  }
}

} // namespace

readable_part read_readable(file_system& files, const std::string& path, std::uint64_t most_bytes) {
  const auto source = files.open(path, open_mode::read);
  readable_part part;
  part.size_bytes = source->size();
  part.bytes.resize(std::min(part.size_bytes, most_bytes));
  const std::span<char> all{part.bytes};
  if (const auto got = read_if_readable(*source, 0, all)) {
    part.bytes.resize(*got);
    return part;
  }
  for (std::size_t at = 0; at < all.size(); at += block_bytes)
    if (!read_if_readable(*source, at, all.subspan(at, std::min(block_bytes, all.size() - at)))) {
      part.unreadable_at = at;
      part.bytes.resize(at);
      break;
    }
  return part;
}

} // namespace troupe
