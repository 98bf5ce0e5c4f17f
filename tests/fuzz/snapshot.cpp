// A snapshot's file, whoever wrote it. Input: u8 what to mend | u8 where to read | the file. Bits of the first: 1
// magic, version and owner; 2 the checksums, in their order; 4 what the footer counts, and the header at the end.
#include "persistence/snapshot_store.hpp"
#include "tests/fuzz/disk.hpp"
#include "tests/fuzz/input.hpp"

using namespace troupe;

namespace {

constexpr std::uint8_t mends_identity = 1;
constexpr std::uint8_t mends_checksums = 2;
constexpr std::uint8_t mends_counts = 4;
constexpr std::size_t ends = 3 * fuzz::sector;
constexpr std::size_t chunk_header = 16;

std::size_t chunk_bytes_of(std::string& bytes) {
  return std::clamp<std::size_t>(fuzz::load(fuzz::bytes_of(bytes).subspan(20)), 512, std::size_t{1} << 20);
}

/// Gives chunks and footer of a file the checksums they should have, as its header's chunk size has them lie.
void mend(std::string& bytes, std::uint8_t what) {
  if (bytes.size() < ends)
    return;
  if (what & mends_identity)
    fuzz::mend_identity(bytes, "TROUPSNP");
  if (!(what & mends_checksums))
    return;
  const auto all = fuzz::bytes_of(bytes);
  const auto seed = fuzz::mend_sector(bytes, 0);
  const auto chunk_bytes = chunk_bytes_of(bytes);
  const auto footer = bytes.size() - 2 * fuzz::sector;
  auto whole = seed;
  std::uint32_t chunks = 0;
  std::size_t content_bytes = 0;
  for (auto at = fuzz::sector; at + chunk_header < footer;) {
    const auto size = std::min(chunk_bytes, footer - at - chunk_header);
    auto checksum = crc32c(fuzz::view(all.subspan(at, 12)), seed);
    checksum = crc32c(fuzz::view(all.subspan(at + chunk_header, size)), checksum);
    fuzz::store(all.subspan(at + 12), checksum);
    whole = crc32c(fuzz::view(all.subspan(at + 12, 4)), whole);
    ++chunks;
    content_bytes += size;
    at += chunk_header + size;
  }
  if (what & mends_counts) {
    bytes.replace(footer, 8, "TROUPEND");
    bytes.replace(footer + 8, 16, 16, '\0');
    fuzz::store(all.subspan(footer + 8), static_cast<std::uint32_t>(content_bytes));
    fuzz::store(all.subspan(footer + 16), chunks);
    fuzz::store(all.subspan(footer + 24), whole);
    bytes.replace(footer + fuzz::sector, fuzz::sector, bytes, 0, fuzz::sector);
  }
  fuzz::mend_sector(bytes, footer, seed);
}

/// The content that the chunks of a whole file have.
std::string content_of(std::string& bytes) {
  std::string content;
  const auto footer = bytes.size() - 2 * fuzz::sector;
  for (auto at = fuzz::sector; at < footer; at += chunk_header + chunk_bytes_of(bytes))
    content += bytes.substr(at + chunk_header, std::min(chunk_bytes_of(bytes), footer - at - chunk_header));
  return content;
}

/// What is read is what is there, from anywhere.
void check_reads(snapshot_reader& snapshot, const std::string& content, std::uint8_t where) {
  TROUPE_ASSERT(snapshot.mark().size_bytes == content.size(), "the footer counts what is there");
  TROUPE_ASSERT(snapshot.read(0, content.size() + 1) == content, "the whole is the chunks");
  for (const std::size_t step : {1 + where % 97, 512 + where})
    for (std::size_t at = where; at < content.size(); at += 3 * step)
      TROUPE_ASSERT(snapshot.read(at, step) == content.substr(at, step), "a part is a part of the whole");
  TROUPE_ASSERT(snapshot.read(content.size(), 1).empty(), "behind the end there is nothing");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  fuzz::input in{input, size};
  const auto what = in.byte();
  const auto where = in.byte();
  std::string bytes{in.rest()};
  mend(bytes, what);
  // Under its own name, where it has one.
  snapshot_name name{group_id{1}, {term_number{2}, log_index{3}}};
  if (bytes.size() >= fuzz::sector) {
    const auto number = [&](std::size_t at) {
      return fuzz::load(fuzz::bytes_of(bytes).subspan(at))
          | std::uint64_t{fuzz::load(fuzz::bytes_of(bytes).subspan(at + 4))} << 32;
    };
    name = {group_id{static_cast<std::uint32_t>(number(64))}, {term_number{number(80)}, log_index{number(72)}}};
  }
  const auto directory = fuzz::log_directory + "/snapshots";
  simulated_disk disk{1};
  fuzz::place(disk, directory + "/" + to_file_name(name), bytes);

  snapshot_store store{disk, directory, fuzz::owner};
  bool is_whole = false;
  try {
    const auto found = store.find(name.group);
    TROUPE_ASSERT(found.whole.size() + found.damaged.size() == 1, "it is whole or damaged");
    is_whole = !found.whole.empty();
    TROUPE_ASSERT(!is_whole || found.whole.front().at == name.at, "it is the one it is called by");
    store.open();
  } catch (const storage_error&) {
  }
  try {
    const auto snapshot = store.plan_read(name.group, name.at.index)();
    // Its ends are whole, so it is as long as they say; its chunks may still be refused, each for itself.
    if (is_whole)
      check_reads(*snapshot, content_of(bytes), where);
    else
      static_cast<void>(snapshot->read(where, std::size_t{1} << 60));
  } catch (const storage_error&) {
    TROUPE_ASSERT(!is_whole, "what was read back whole is not refused later");
  }
  TROUPE_ASSERT(disk.contents(directory + "/" + to_file_name(name)) == bytes, "reading changes nothing");
  return 0;
}
