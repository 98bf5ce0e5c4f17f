#include "persistence/snapshot_store.hpp"

#include "messages/mutant.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view suffix = ".snap";
constexpr std::string_view draft_infix = ".snap.";
constexpr std::string_view draft_suffix = ".tmp";
constexpr std::size_t group_digits = 8;
constexpr std::size_t digits = 16;

std::string hex(std::uint64_t value, std::size_t width) {
  char text[digits];
  const auto end = std::to_chars(text, text + digits, value, 16).ptr;
  const auto used = static_cast<std::size_t>(end - text);
  return std::string(width - std::min(width, used), '0') + std::string(text, used);
}

/// Snapshots of one group in a directory, oldest first.
std::vector<snapshot_name> names_of(file_system& files, const std::string& directory, group_id group) {
  std::vector<snapshot_name> found;
  for (const auto& each : files.list(directory)) // Sorted, and so are the names: by index, then term.
    if (const auto name = to_snapshot_name(each); name && name->group == group)
      found.push_back(*name);
  return found;
}

} // namespace

std::string to_file_name(const snapshot_name& name) {
  return hex(name.group.value(), group_digits) + "-" + hex(name.at.index.value(), digits) + "-"
      + hex(name.at.term.value(), digits) + std::string{suffix};
}

std::optional<snapshot_name> to_snapshot_name(std::string_view file_name) {
  constexpr auto index_at = group_digits + 1;
  constexpr auto term_at = index_at + digits + 1;
  if (file_name.size() != term_at + digits + suffix.size())
    return std::nullopt;
  const auto number = [file_name](std::size_t at, std::size_t width) {
    std::uint64_t value = 0;
    std::from_chars(file_name.data() + at, file_name.data() + at + width, value, 16);
    return value;
  };
  const snapshot_name name{group_id{static_cast<std::uint32_t>(number(0, group_digits))},
                           {term_number{number(term_at, digits)}, log_index{number(index_at, digits)}}};
  if (to_file_name(name) != file_name)
    return std::nullopt;
  return name;
}

snapshot_mark read_snapshot(file_system& files, const std::string& directory, const snapshot_name& name,
                            const disk_identity& owner) {
  const auto path = directory + "/" + to_file_name(name);
  snapshot_file snapshot{files, path, owner};
  if (snapshot.group() != name.group || snapshot.mark().at != name.at)
    throw storage_error{path, 0,
                        "is the snapshot " + to_file_name({snapshot.group(), snapshot.mark().at})
                            + " by its header: renamed or copied"};
  snapshot.verify();
  return snapshot.mark();
}

snapshot_store::snapshot_store(file_system& files, std::string directory, const disk_identity& owner)
    : files_{files}, directory_{std::move(directory)}, owner_{owner} {}

const std::map<group_id, found_snapshots>& snapshot_store::read_all() {
  read_before_.clear();
  if (!files_.exists(directory_))
    return read_before_;
  for (const auto& each : files_.list(directory_))
    if (const auto name = to_snapshot_name(each); name && !read_before_.contains(name->group))
      read_before_.emplace(name->group, read(name->group));
  return read_before_;
}

std::vector<std::string> snapshot_store::open() {
  files_.make_directories(directory_);
  std::vector<std::string> removed;
  for (const auto& name : files_.list(directory_))
    if (name.ends_with(draft_suffix) && name.find(draft_infix) != name.npos) {
      files_.remove(directory_ + "/" + name);
      removed.push_back(name);
    }
  files_.sync_directory(directory_);
  return removed;
}

found_snapshots snapshot_store::find(group_id group) {
  auto before = read_before_.extract(group);
  return before ? std::move(before.mapped()) : read(group);
}

found_snapshots snapshot_store::read(group_id group) const {
  found_snapshots found;
  for (const auto& name : names_of(files_, directory_, group)) {
    const auto path = directory_ + "/" + to_file_name(name);
    try {
      found.whole.push_back(read_snapshot(files_, directory_, name, owner_));
    } catch (const damaged_snapshot& damage) {
      found.damaged.push_back({group, path, damage.offset().value_or(0), damage.why()});
    } catch (const io_error& error) {
      // What a device cannot read back is damage like any other.
      if (error.number() != EIO)
        throw;
      found.damaged.push_back({group, path, 0, error.what()});
    }
  }
  return found;
}

chore snapshot_store::removal_below(group_id group, log_index index) const {
  return [&files = files_, directory = directory_, group, index] {
    bool has_removed = false;
    for (const auto& name : names_of(files, directory, group)) {
      if (TROUPE_MUTANT(S6) ? name.at.index < index : name.at.index >= index)
        continue;
      files.remove(directory + "/" + to_file_name(name));
      has_removed = true;
    }
    if (has_removed)
      files.sync_directory(directory);
  };
}

snapshot_write_plan snapshot_store::plan_write(group_id group, const snapshot_mark& at) {
  read_before_.erase(group);
  const auto path = directory_ + "/" + to_file_name({group, at.at});
  return
      [&files = files_, path, draft = path + "." + std::to_string(++drafts_) + std::string{draft_suffix},
       header = snapshot_header{owner_, group, at.at, at.time}] { return write_snapshot(files, path, draft, header); };
}

snapshot_read_plan snapshot_store::plan_read(group_id group, log_index index) const {
  return [&files = files_, directory = directory_, owner = owner_, group, index]() -> std::unique_ptr<snapshot_reader> {
    std::optional<snapshot_name> wanted; // Of two terms, which no log agrees to, the later one.
    for (const auto& name : names_of(files, directory, group))
      if (name.at.index == index)
        wanted = name;
    const auto path = directory + "/" + to_file_name(wanted.value_or(snapshot_name{group, {{}, index}}));
    const storage_error missing{path, "there is no such snapshot (any more)"};
    if (!wanted)
      throw missing;
    try {
      auto snapshot = std::make_unique<snapshot_file>(files, path, owner);
      if (snapshot->group() != group || snapshot->mark().at != wanted->at)
        throw storage_error{path, 0, "is another snapshot by its header: renamed or copied"};
      return snapshot;
    } catch (const io_error& error) {
      if (error.number() != ENOENT)
        throw;
      throw missing; // Removed since the directory was read.
    }
  };
}

bool has_needed(const std::vector<snapshot_mark>& whole, log_index oldest) {
  return !whole.empty() && whole.back().at.index >= oldest;
}

void require_no_gap(const std::string& directory, group_id group, const log_start& start,
                    const found_snapshots& found) {
  const auto begins_behind = start.before.index;
  if (begins_behind == log_index{} || has_needed(found.whole, begins_behind) || TROUPE_MUTANT(P11))
    return;
  auto why = "the log of group " + std::to_string(group.value()) + " begins behind index "
      + std::to_string(begins_behind.value()) + ", and "
      + (found.whole.empty()
             ? "there is no whole snapshot"
             : "the newest whole snapshot is at index " + std::to_string(found.whole.back().at.index.value()))
      + ": what is between is gone";
  for (const auto& each : found.damaged)
    why += "; " + each.file + " at offset " + std::to_string(each.offset) + ": " + each.why;
  throw storage_error{directory, why + ". " + keep_the_directory};
}

} // namespace troupe
