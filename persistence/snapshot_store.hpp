/// \file
/// The snapshots of all groups of a node: a directory of snapshot files (snapshot_file.hpp).
///
/// A file is called by group, index and term, in 8, 16 and 16 hexadecimal digits: `GROUP-INDEX-TERM.snap`; while it is
/// written, with a number and ".tmp" behind that: one that a leader sends may be of the same place as one of our own.
/// What has another name is left alone.
#pragma once

#include "persistence/snapshot_file.hpp"
#include "troupe/storage.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A snapshot that cannot be used. It is left as it is.
struct unusable_snapshot {
  group_id group;
  std::string file;
  std::uint64_t offset = 0;
  std::string why;
};

/// What of a group's snapshots is whole, and what is not. Oldest first.
struct found_snapshots {
  std::vector<snapshot_mark> whole;
  std::vector<unusable_snapshot> damaged;
};

/// Is one of those snapshots, oldest first, not outdated?
[[nodiscard]] bool has_needed(const std::vector<snapshot_mark>& whole, log_index oldest);

/// What a log does not have any more, a snapshot must stand for: throws `storage_error` if none does. `directory` is
/// where they are.
void require_no_gap(const std::string& directory, group_id group, const log_start& start, const found_snapshots& found);

/// Which snapshot a file name stands for.
struct snapshot_name {
  group_id group;
  log_position at;
};

[[nodiscard]] std::string to_file_name(const snapshot_name& name);
/// Nothing if no snapshot is called so.
[[nodiscard]] std::optional<snapshot_name> to_snapshot_name(std::string_view file_name);

/// Reads all of one snapshot, checksum by checksum; changes nothing. Throws `damaged_snapshot` if it is damaged, and
/// another `storage_error` if it is not ours, of an unknown format, or another by its header than by its name.
[[nodiscard]] snapshot_mark read_snapshot(file_system& files, const std::string& directory, const snapshot_name& name,
                                          const disk_identity& owner);

/// A directory of snapshots. Calls come from one thread; plans may be carried out on others.
class snapshot_store {
public:
  /// Touches nothing yet. `files` must outlive this, the plans, and what they make.
  snapshot_store(file_system& files, std::string directory, const disk_identity& owner);

  /// Reads every snapshot of every group, checksum by checksum; changes nothing. Throws `storage_error` for a file that
  /// is not ours, of an unknown format, or under the name of another.
  [[nodiscard]] const std::map<group_id, found_snapshots>& read_all();

  /// Once, before what is there is told to anybody: makes the directory if it is missing, removes what was being
  /// written when the node ended, and makes the rest durable, for what an ended process has renamed looks like any
  /// other. Returns the names it removed.
  std::vector<std::string> open();

  /// The group's snapshots. Reads them as `read_all` does; unless that has been done, and this asks for the first time.
  [[nodiscard]] found_snapshots find(group_id group);

  /// Removes the group's snapshots below `index`, oldest first. After a crash meanwhile some may be there, whole.
  void remove_below(group_id group, log_index index) { removal_below(group, index)(); }

  /// The same, to be carried out later and elsewhere.
  [[nodiscard]] chore removal_below(group_id group, log_index index) const;

  [[nodiscard]] snapshot_write_plan plan_write(group_id group, const snapshot_mark& at);
  [[nodiscard]] snapshot_read_plan plan_read(group_id group, log_index index) const;

private:
  [[nodiscard]] found_snapshots read(group_id group) const;

  file_system& files_;
  std::string directory_;
  disk_identity owner_;
  std::uint64_t drafts_ = 0;
  /// What `read_all` has found, until somebody asks.
  std::map<group_id, found_snapshots> read_before_;
};

} // namespace troupe
