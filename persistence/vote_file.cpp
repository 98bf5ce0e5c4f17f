#include "persistence/vote_file.hpp"

#include "messages/mutant.hpp"
#include "persistence/little_endian.hpp"
#include "troupe/assert.hpp"
#include "troupe/entry.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view magic = "TROUPVOT";
constexpr std::uint32_t format_version = 1;
constexpr std::size_t sector_bytes = 512;
constexpr std::size_t checksum_at = sector_bytes - 4;
constexpr std::size_t copies = 2;
/// The header takes a block, and so does any number of slots that is a multiple of `first_capacity`.
constexpr std::size_t header_bytes = 4096;
constexpr std::size_t first_capacity = header_bytes / sector_bytes;

void seal(std::string& sector) {
  put_le(sector.data() + checksum_at, crc32c({sector.data(), checksum_at}));
}

bool is_sealed(std::string_view sector) {
  return crc32c(sector.substr(0, checksum_at)) == get_le<std::uint32_t>(sector.data() + checksum_at);
}

std::string encode_sector(std::uint32_t slot, std::uint64_t generation, group_id group, const hard_state& state) {
  std::string sector(sector_bytes, '\0');
  put_le(sector.data(), generation);
  put_le(sector.data() + 8, slot);
  put_le(sector.data() + 12, group.value());
  put_le(sector.data() + 16, state.current_term.value());
  put_le(sector.data() + 24, TROUPE_MUTANT(E1) ? nobody.value() : state.voted_for.value());
  put_le(sector.data() + 32, state.lost);
  seal(sector);
  return sector;
}

struct sector_content {
  std::uint64_t generation;
  group_id group;
  hard_state state;
};

/// Nothing for a sector that is damaged, or in the wrong place.
std::optional<sector_content> decode_sector(std::string_view sector, std::uint32_t slot) {
  if (!is_sealed(sector) || get_le<std::uint32_t>(sector.data() + 8) != slot)
    return std::nullopt;
  return sector_content{get_le<std::uint64_t>(sector.data()),
                        group_id{get_le<std::uint32_t>(sector.data() + 12)},
                        {term_number{get_le<std::uint64_t>(sector.data() + 16)},
                         peer_id{get_le<std::uint64_t>(sector.data() + 24)},
                         get_le<std::uint64_t>(sector.data() + 32)}};
}

} // namespace

vote_file::vote_file(file_system& files, std::string directory, disk_identity owner, bool may_create)
    : files_{files}, directory_{std::move(directory)}, owner_{owner} {
  if (files_.exists(path())) {
    read();
    return;
  }
  if (!may_create)
    throw storage_error{path(),
                        "missing, but there is a log beside it: without its terms and votes this node could vote "
                        "twice. "
                            + keep_the_directory};
  create(first_capacity);
}

hard_state vote_file::of(group_id group) const {
  const auto found = slot_of_.find(group);
  return found == slot_of_.end() ? hard_state{} : slots_[found->second].state;
}

std::vector<group_id> vote_file::groups() const {
  std::vector<group_id> all;
  for (const auto& each : slots_)
    if (each.used)
      all.push_back(each.group);
  return all;
}

void vote_file::put(group_id group, const hard_state& state) {
  const auto remembered = of(group);
  if (remembered == state)
    return;
  const auto both = [&] {
    const auto words = [](const hard_state& of) {
      return "term " + std::to_string(of.current_term.value())
          + (of.voted_for == nobody ? " without a vote" : " with a vote for " + std::to_string(of.voted_for.value()));
    };
    return words(state) + " is to follow " + words(remembered);
  };
  TROUPE_ASSERT(state.current_term >= remembered.current_term, "a term never goes back", both());
  TROUPE_ASSERT(state.current_term > remembered.current_term || remembered.voted_for == nobody
                    || state.voted_for == remembered.voted_for,
                "there is one vote in a term", both());
  const auto number = take_slot(group);
  slots_[number].state = state;
  if (!std::exchange(slots_[number].changed, true))
    changed_.push_back(number);
}

std::uint64_t vote_file::declare_loss() {
  static_cast<void>(heal());
  sync(); // Of the vote as it was there are two good copies before either is written over.
  std::uint64_t number = 0;
  for (const auto& each : slots_)
    number = std::max(number, each.generation + 1);
  for (std::uint32_t at = 0; at < slots_.size(); ++at) {
    auto& mine = slots_[at];
    if (!mine.used)
      continue;
    mine.state.lost = number;
    mine.generation = number - 1; // The number is that of every sector that says so: no other loss will be called so.
    if (!std::exchange(mine.changed, true))
      changed_.push_back(at);
  }
  flush();
  sync();
  return number;
}

std::uint64_t vote_file::newest_loss() const {
  std::uint64_t newest = 0;
  for (const auto& each : slots_)
    newest = std::max(newest, each.used ? each.state.lost : 0);
  return newest;
}

bool vote_file::have_all_lost(std::uint64_t number) const {
  return std::all_of(slots_.begin(), slots_.end(),
                     [number](const slot& each) { return !each.used || each.state.lost == number; });
}

std::uint32_t vote_file::take_slot(group_id group) {
  if (const auto found = slot_of_.find(group); found != slot_of_.end())
    return found->second;
  auto number = static_cast<std::uint32_t>(slots_.size());
  if (holes_.empty()) {
    slots_.emplace_back();
  } else {
    number = holes_.back();
    holes_.pop_back();
  }
  slots_[number].group = group;
  slots_[number].used = true;
  slot_of_.emplace(group, number);
  return number;
}

void vote_file::flush() {
  if (changed_.empty())
    return;
  if (slots_.size() > capacity_) {
    sync();
    auto capacity = std::max(capacity_, first_capacity);
    while (capacity < slots_.size())
      capacity *= 2;
    create(capacity);
    return;
  }
  for (const auto number : changed_) {
    auto& mine = slots_[number];
    ++mine.generation;
    const auto sector = encode_sector(number, mine.generation, mine.group, mine.state);
    for (std::size_t copy = 0; copy < copies; ++copy) {
      const auto offset = offset_of(number, copy);
      file_->write_at(offset, sector);
      std::erase_if(stale_, [offset](const auto& each) { return each.first == offset; }); // This is newer.
    }
    unsynced_ = true;
  }
  // Not before all are written: a flush that found no room may be tried again.
  for (const auto number : std::exchange(changed_, {}))
    slots_[number].changed = false;
}

std::size_t vote_file::heal() {
  for (const auto& [offset, sector] : stale_)
    file_->write_at(offset, sector);
  unsynced_ = unsynced_ || !stale_.empty();
  return std::exchange(stale_, {}).size();
}

void vote_file::sync() {
  if (unsynced_)
    sync_all();
}

void vote_file::sync_all() {
  file_->sync_data();
  unsynced_ = false;
}

std::uint64_t vote_file::offset_of(std::uint32_t number, std::size_t copy) const {
  return header_bytes + (copy * capacity_ + number) * sector_bytes;
}

void vote_file::create(std::size_t capacity) {
  std::string bytes(sector_bytes, '\0');
  std::copy(magic.begin(), magic.end(), bytes.begin());
  put_le(bytes.data() + 8, format_version);
  put_le(bytes.data() + 12, format_version);
  put_le(bytes.data() + 16, static_cast<std::uint32_t>(capacity));
  put_identity(bytes.data() + 24, owner_);
  seal(bytes);
  bytes.resize(header_bytes);
  for (std::size_t copy = 0; copy < copies; ++copy)
    for (std::uint32_t number = 0; number < capacity; ++number) {
      const auto mine = number < slots_.size() ? slots_[number] : slot{};
      bytes += encode_sector(number, mine.generation + (mine.changed ? 1 : 0), mine.group, mine.state);
    }
  replace_durably(files_, path(), bytes);
  stale_.clear();
  file_ = files_.open(path(), open_mode::update);
  capacity_ = capacity;
  for (const auto number : std::exchange(changed_, {})) {
    ++slots_[number].generation;
    slots_[number].changed = false;
  }
}

void vote_file::read() {
  const auto bytes = read_whole(files_, path());
  if (bytes.size() < header_bytes || !bytes.starts_with(magic)
      || !is_sealed(std::string_view{bytes}.substr(0, sector_bytes)))
    throw storage_error{path(), 0, "damaged: the header does not match its checksum"};
  if (get_le<std::uint32_t>(bytes.data() + 12) > format_version)
    throw storage_error{path(), 0,
                        "written in vote format " + std::to_string(get_le<std::uint32_t>(bytes.data() + 8))
                            + "; this program reads format " + std::to_string(format_version)
                            + ": use the newer program",
                        damage::none};
  require_same_owner(path(), get_identity(bytes.data() + 24), owner_);
  capacity_ = get_le<std::uint32_t>(bytes.data() + 16);
  if (bytes.size() != offset_of(0, copies))
    throw storage_error{path(),
                        "damaged: it has " + std::to_string(bytes.size()) + " bytes, and should have "
                            + std::to_string(offset_of(0, copies))};
  file_ = files_.open(path(), open_mode::update);
  for (std::uint32_t number = 0; number < capacity_; ++number) {
    const auto found = read_slot(bytes, number);
    slots_.push_back(found);
    if (found.used && !slot_of_.emplace(found.group, number).second)
      throw storage_error{path(), offset_of(number, 0),
                          "damaged: a second slot of group " + std::to_string(found.group.value())};
  }
  while (!slots_.empty() && !slots_.back().used)
    slots_.pop_back();
  for (std::uint32_t number = 0; number < slots_.size(); ++number)
    if (!slots_[number].used)
      holes_.push_back(number);
}

vote_file::slot vote_file::read_slot(std::string_view file_bytes, std::uint32_t number) {
  std::optional<sector_content> newest;
  for (std::size_t copy = 0; copy < copies; ++copy) {
    const auto content = decode_sector(file_bytes.substr(offset_of(number, copy), sector_bytes), number);
    if (content && (!newest || content->generation > newest->generation))
      newest = content;
  }
  if (!newest)
    throw storage_error{path(), offset_of(number, 0),
                        "damaged: both copies of a term and vote, this and the one at offset "
                            + std::to_string(offset_of(number, 1))
                            + ". Without them this node could vote twice in a term. " + keep_the_directory};
  // From now on the vote may be told: it must not hang on one copy.
  const auto sector = encode_sector(number, newest->generation, newest->group, newest->state);
  for (std::size_t copy = 0; copy < copies; ++copy)
    if (file_bytes.substr(offset_of(number, copy), sector_bytes) != sector)
      stale_.emplace_back(offset_of(number, copy), sector);
  return {newest->group, newest->generation, newest->state, newest->generation > 0, false};
}

} // namespace troupe
