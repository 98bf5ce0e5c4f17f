#include "tests/process/power_failure.hpp"

#include "tests/process/undo_journal.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace troupe {

namespace {

constexpr std::uint64_t sector_bytes = 512;

struct noted_write {
  std::uint64_t offset = 0;
  std::string before; // Zeros where the file ended.
};

// Writes that no sync covers, oldest first. What was killed while it noted a write has not written.
std::vector<noted_write> unsynced_writes(const std::string& journal) {
  std::ostringstream text;
  text << std::ifstream{journal, std::ios::binary}.rdbuf();
  const auto bytes = text.str();
  std::vector<std::pair<std::uint64_t, noted_write>> noted;
  std::uint64_t durable = 0;
  undo::entry next;
  for (std::uint64_t at = 0; at + sizeof next <= bytes.size(); at += sizeof next + next.kept) {
    std::memcpy(&next, bytes.data() + at, sizeof next);
    if (next.what == undo::entry::kind::synced) {
      durable = std::max(durable, next.offset);
      continue;
    }
    if (next.what != undo::entry::kind::write || next.kept > next.length)
      throw std::runtime_error{journal + " is no journal of writes"};
    if (at + sizeof next + next.kept > bytes.size())
      break;
    auto before = bytes.substr(at + sizeof next, next.kept);
    before.resize(next.length);
    noted.push_back({at, {next.offset, std::move(before)}});
  }
  std::vector<noted_write> left;
  for (auto& [at, write] : noted)
    if (at >= durable)
      left.push_back(std::move(write));
  return left;
}

void lose_in(const std::string& path, const std::vector<noted_write>& writes, const std::function<bool()>& survives,
             power_loss& sum) {
  std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
  std::set<std::uint64_t> surviving;
  for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
    ++sum.writes;
    const auto end = write->offset + write->before.size();
    for (auto at = write->offset; at < end;) {
      const auto sector = at / sector_bytes;
      const auto next = std::min(end, (sector + 1) * sector_bytes);
      ++sum.sectors;
      if (!surviving.contains(sector) && survives())
        surviving.insert(sector);
      if (!surviving.contains(sector)) {
        ++sum.lost;
        file.seekp(static_cast<std::streamoff>(at));
        file.write(write->before.data() + (at - write->offset), static_cast<std::streamsize>(next - at));
      }
      at = next;
    }
  }
  file.close();
  if (!file)
    throw std::runtime_error{"cannot bring back what was in " + path};
}

} // namespace

power_loss& power_loss::operator+=(const power_loss& other) {
  writes += other.writes;
  sectors += other.sectors;
  lost += other.lost;
  return *this;
}

power_loss lose_power(const std::string& data_directory, const std::string& journals,
                      const std::function<bool()>& survives) {
  power_loss sum;
  for (const auto& each : std::filesystem::recursive_directory_iterator{data_directory}) {
    const auto name = undo::journal_name(AT_FDCWD, each.path().c_str(), 0);
    const auto journal = journals + "/" + name;
    if (each.is_regular_file() && !name.empty() && std::filesystem::exists(journal))
      lose_in(each.path(), unsynced_writes(journal), survives, sum);
  }
  std::filesystem::remove_all(journals);
  std::filesystem::create_directories(journals);
  return sum;
}

} // namespace troupe
