// A log, whoever wrote it. Input: u8 what to mend | u8 segments | u8, u8, u8 what the hint says (durable, first
// segment, last one) | segments, each u16 length and that many bytes, with zeros behind them up to a multiple of 1024.
// Bits of the first: 1 identity, number and size in the segments' headers; 2 their checksums; 4 the records' checksums
// and trailers; 8 their lsns and chain, over all segments.
#include "persistence/log_dump.hpp"
#include "persistence/log_inspection.hpp"
#include "persistence/log_storage.hpp"
#include "tests/fuzz/disk.hpp"
#include "tests/fuzz/input.hpp"

#include <limits>
#include <sstream>
#include <vector>

using namespace troupe;

namespace {

constexpr std::uint8_t mends_headers = 1;
constexpr std::uint8_t mends_header_checksums = 2;
constexpr std::uint8_t mends_checksums = 4;
constexpr std::uint8_t mends_order = 8;
constexpr std::size_t record_header = 72;

/// Where the record before ended.
struct position {
  std::uint64_t lsn = 1;
  std::uint32_t chain = 0;
};

/// Goes over what looks like records, one behind the other, and puts right what the choices say.
void mend_records(std::string& bytes, std::uint8_t what, position& at) {
  const auto all = fuzz::bytes_of(bytes);
  const auto salt = fuzz::load(all.subspan(80));
  for (auto from = fuzz::sector; from + record_header <= bytes.size();) {
    const auto record = all.subspan(from);
    const std::size_t payload_bytes = fuzz::load(record.subspan(8));
    const auto size = (record_header + payload_bytes + 4 + 7) / 8 * 8;
    if (fuzz::load(record) != 0x4c525254 || size > record.size())
      return;
    if (what & mends_order) {
      fuzz::store(record.subspan(16), static_cast<std::uint32_t>(at.lsn++));
      fuzz::store(record.subspan(20), 0);
      fuzz::store(record.subspan(64), at.chain);
    }
    if (what & mends_checksums) {
      if (bytes[from + 4] != 2)
        fuzz::store(record.subspan(60), crc32c(fuzz::view(record.subspan(record_header, payload_bytes))));
      bytes.replace(from + record_header + payload_bytes, size - record_header - payload_bytes,
                    size - record_header - payload_bytes, '\x5a');
      fuzz::store(record.subspan(68), crc32c(fuzz::view(record.first(68)), salt));
    }
    at.chain = fuzz::load(record.subspan(68));
    from += size;
  }
}

std::string segment_from(fuzz::input& in, std::uint8_t what, std::uint32_t number, position& at) {
  std::string bytes{in.bytes(in.number(2))};
  bytes.resize(std::max<std::size_t>(bytes.size() + 1023, 1024) / 1024 * 1024);
  const auto all = fuzz::bytes_of(bytes);
  if (what & mends_headers) {
    fuzz::mend_identity(bytes, "TROUPLOG");
    bytes.replace(64, 16, 16, '\0');
    fuzz::store(all.subspan(64), number);
    fuzz::store(all.subspan(72), static_cast<std::uint32_t>(bytes.size()));
  }
  if (what & mends_order) {
    if (number == 1)
      at.lsn = std::max<std::uint64_t>(1, fuzz::load(all.subspan(88)) & 0xff);
    fuzz::store(all.subspan(84), at.chain);
    bytes.replace(88, 8, 8, '\0');
    fuzz::store(all.subspan(88), static_cast<std::uint32_t>(at.lsn));
  }
  if (what & mends_header_checksums)
    fuzz::mend_sector(bytes, 0);
  mend_records(bytes, what, at);
  return bytes;
}

struct group_facts {
  log_start start;
  log_index last;
  std::vector<term_run> terms;
  friend bool operator==(const group_facts&, const group_facts&) = default;
};

std::map<std::uint32_t, group_facts> facts_of(const recovered_log& log) {
  std::map<std::uint32_t, group_facts> all;
  for (const auto& [id, group] : log.groups)
    all[id.value()] = {group.start(), group.last(), group.terms()};
  return all;
}

/// A store that takes up the log reads all of it back, and goes on behind it.
void check_store(simulated_disk& disk, const recovered_log& log) {
  {
    vote_file votes{disk, fuzz::log_directory, fuzz::owner, true};
    for (const auto& [id, group] : log.groups)
      votes.put(id, {group.last_term(), nobody});
    votes.flush();
    votes.sync();
  }
  snapshot_store snapshots{disk, fuzz::log_directory + "/snapshots", fuzz::owner};
  snapshots.open();
  for (const auto& [id, group] : log.groups)
    if (group.start().before.index > log_index{})
      snapshots.plan_write(id, {group.start().before, group.start().time})()->finish();
  const log_options options{4096, false, fuzz::owner};
  std::map<std::uint32_t, log_index> ends;
  {
    log_storage store{disk, fuzz::log_directory, options};
    std::vector<log_write> writes;
    for (const auto& [id, group] : log.groups) {
      const auto found = store.recover(id, std::numeric_limits<std::size_t>::max());
      TROUPE_ASSERT(found.last == group.last() && found.start == group.start(), "a store takes up what was read");
      auto next = found.start.before.index.next();
      for (const auto& batch : found.tail) {
        TROUPE_ASSERT(batch.first() == next, "all entries can be read back, in order");
        next = batch.last().next();
      }
      TROUPE_ASSERT(next == found.last.next(), "up to the last");
      if (found.last.value() > std::numeric_limits<std::uint64_t>::max() / 2 || group.last_term() == term_number{})
        continue;
      entry_block_builder block;
      block.add(entry_kind::command, "x");
      writes.push_back({id,
                        std::nullopt,
                        std::nullopt,
                        {entry_batch::stamp(block.take(), group.last_term(), found.last.next(), 0)}});
      ends[id.value()] = found.last.next();
    }
    store.submit(writes, [] {});
  }
  disk.crash_losing_all();
  log_storage again{disk, fuzz::log_directory, options};
  for (const auto& [id, last] : ends)
    TROUPE_ASSERT(again.recover(group_id{id}, 0).last == last, "and goes on");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  fuzz::input in{input, size};
  const auto what = in.byte();
  const auto segments = 1u + in.byte() % 3;
  const auto durable = in.byte();
  const auto first = in.byte();
  const auto last = in.byte();
  simulated_disk disk{1};
  fuzz::place(disk, fuzz::log_directory + "/hint", fuzz::hint_bytes(durable, first, last));
  position at;
  for (auto number = 1u; number <= segments; ++number)
    fuzz::place(disk, fuzz::log_directory + "/" + segment_name(number), segment_from(in, what, number, at));
  const auto before = fuzz::look(disk, fuzz::log_directory);
  std::ostringstream printed;
  static_cast<void>(dump_log(disk, fuzz::data_directory, printed));
  static_cast<void>(verify_log(disk, fuzz::data_directory));
  std::optional<recovered_log> log;
  try {
    log = read_log(disk, fuzz::log_directory, fuzz::owner);
  } catch (const storage_error& refused) {
    TROUPE_ASSERT(refused.file().starts_with(fuzz::log_directory), "a refusal names a file");
  }
  TROUPE_ASSERT(fuzz::look(disk, fuzz::log_directory) == before, "reading changes nothing");
  if (!log)
    return 0;
  repair_log(disk, fuzz::log_directory, *log);
  disk.crash_losing_all();
  const auto again = read_log(disk, fuzz::log_directory, fuzz::owner);
  TROUPE_ASSERT(!again.report.cut && facts_of(again) == facts_of(*log), "what was believed once is believed again");
  if (log->end)
    check_store(disk, *log);
  return 0;
}
