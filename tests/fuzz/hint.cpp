// A hint file, whoever wrote it. Input: u8 what to mend | two copies of 512 bytes. Bits of the first: 1 magic, version
// and owner; 2 the first copy's checksum; 4 the second's; 8 nothing is missing of the file.
#include "persistence/hint_file.hpp"
#include "tests/fuzz/disk.hpp"
#include "tests/fuzz/input.hpp"

#include <optional>

using namespace troupe;

namespace {

std::string file_from(fuzz::input& in) {
  const auto what = in.byte();
  std::string bytes;
  for (const std::size_t copy : {0, 1}) {
    std::string text{in.bytes(fuzz::sector)};
    const auto is_there = !text.empty() || (what & 8) != 0;
    if (is_there)
      text.resize(fuzz::hint_copy_bytes);
    if (is_there && (what & 1))
      fuzz::mend_identity(text, "TROUPHNT");
    if (is_there && (what & (2u << copy)))
      fuzz::mend_sector(text, 0);
    bytes += text;
  }
  return bytes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  fuzz::input in{input, size};
  const auto bytes = file_from(in);
  const auto path = hint_path(fuzz::log_directory);
  simulated_disk disk{1};
  fuzz::place(disk, path, bytes);
  std::optional<found_hint> found;
  try {
    found = find_hint(disk, fuzz::log_directory, fuzz::owner);
    TROUPE_ASSERT(found, "the file is there");
  } catch (const storage_error&) {
  }
  TROUPE_ASSERT(disk.contents(path) == bytes, "reading changes nothing");
  if (!found)
    return 0;
  TROUPE_ASSERT(found->bad_copies < 2, "one copy was whole");
  if (found->generation > ~std::uint64_t{} / 2)
    return 0; // No hint file lives to see generations that large.
  hint_file hint{disk, fuzz::log_directory, fuzz::owner, found->generation};
  const log_hint later{found->says.durable / 2 + 7, 3, 4};
  hint.note_twice(later);
  hint.sync();
  disk.crash_losing_all();
  const auto again = find_hint(disk, fuzz::log_directory, fuzz::owner);
  TROUPE_ASSERT(again && again->says == later && again->bad_copies == 0, "a note is found again, in both copies");
  return 0;
}
