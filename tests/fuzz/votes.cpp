// A vote file, whoever wrote it. Input: u8 what to mend | 512 bytes of header | slots of 512 bytes, first copies, then
// second ones. Bits of the first: 1 magic, version and owner; 2 as many slots as there are; 4 the header's checksum;
// 8 the slots' checksums; 16 the numbers of the slots; 32 second copies like the first.
#include "persistence/vote_file.hpp"
#include "tests/fuzz/disk.hpp"
#include "tests/fuzz/input.hpp"

#include <map>

using namespace troupe;

namespace {

constexpr std::size_t header_bytes = 4096;

std::string file_from(fuzz::input& in) {
  const auto what = in.byte();
  std::string bytes{in.bytes(fuzz::sector)};
  bytes.resize(header_bytes);
  bytes += in.rest();
  const auto slots = (bytes.size() - header_bytes) / fuzz::sector / 2;
  const auto slot_at = [&](std::size_t copy, std::size_t i) {
    return header_bytes + (copy * slots + i) * fuzz::sector;
  };
  if (what & 1)
    fuzz::mend_identity(bytes, "TROUPVOT");
  if (what & 2) {
    bytes.resize(slot_at(2, 0));
    fuzz::store(fuzz::bytes_of(bytes).subspan(16), static_cast<std::uint32_t>(slots));
  }
  if (what & 4)
    fuzz::mend_sector(bytes, 0);
  for (std::size_t i = 0; i < 2 * slots; ++i) {
    if (what & 16)
      fuzz::store(fuzz::bytes_of(bytes).subspan(slot_at(0, i) + 8), static_cast<std::uint32_t>(i % slots));
    bytes[slot_at(0, i) + 7] = 0; // No vote file lives to see generations that large.
    if (what & 8)
      fuzz::mend_sector(bytes, slot_at(0, i));
  }
  if (what & 32)
    bytes.replace(slot_at(1, 0), slots * fuzz::sector, bytes, slot_at(0, 0), slots * fuzz::sector);
  return bytes;
}

using votes = std::map<std::uint32_t, hard_state>;

votes all_of(const vote_file& file) {
  votes all;
  for (const auto group : file.groups())
    all[group.value()] = file.of(group);
  return all;
}

/// What was believed is there the next time, and a new vote is too.
void check_remembers(simulated_disk& disk, vote_file& file) {
  auto all = all_of(file);
  static_cast<void>(file.heal());
  file.sync_all();
  disk.crash_losing_all();
  vote_file again{disk, fuzz::log_directory, fuzz::owner, false};
  TROUPE_ASSERT(again.heal() == 0 && all_of(again) == all, "what was believed was healed, and stays");
  const auto group = all.empty() ? group_id{7} : group_id{all.begin()->first};
  const auto term = again.of(group).current_term;
  if (term.value() == ~std::uint64_t{})
    return;
  all[group.value()] = {term.next(), peer_id{3}};
  again.put(group, all[group.value()]);
  again.flush();
  again.sync();
  disk.crash_losing_all();
  TROUPE_ASSERT(all_of(vote_file{disk, fuzz::log_directory, fuzz::owner, false}) == all, "a vote is remembered");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  fuzz::input in{input, size};
  const auto bytes = file_from(in);
  const auto path = fuzz::log_directory + "/votes";
  simulated_disk disk{1};
  fuzz::place(disk, path, bytes);
  std::optional<vote_file> file;
  try {
    file.emplace(disk, fuzz::log_directory, fuzz::owner, false);
  } catch (const storage_error&) {
  }
  TROUPE_ASSERT(disk.contents(path) == bytes, "reading changes nothing");
  if (file)
    check_remembers(disk, *file);
  return 0;
}
