/// \file
/// Disks that stall or fail on demand: the other end of disk_shim.cpp.
#pragma once

#include "tests/process/program.hpp"

namespace troupe {

/// What can be done to the disk of each node that is started through `program()`, from now on or until it is undone.
/// The nodes know nothing of it: their calls to the C library are caught.
class disk_faults {
public:
  /// `directory` is to hold the control files.
  explicit disk_faults(std::string directory) : directory_{std::move(directory)} {
    // The third word is the node's id, as demo_cluster says it: troupe node --id N.
    std::ofstream{program()} << "#!/bin/sh\nexport DISK_FAULTS=\"" << directory_ << "/disk-$3\"\n"
                             << "LD_PRELOAD=\"" TROUPE_DISK_SHIM "\" exec \"" << troupe_program << "\" \"$@\"\n";
    std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
  }

  /// To be started in place of the program under test.
  [[nodiscard]] std::string program() const { return directory_ + "/troupe-on-bad-disks"; }

  /// Syncs do not return.
  void stall(peer_id node) const { std::ofstream{file(node, "stall")} << ""; }
  /// Nor do writes.
  void stall_writes_too(peer_id node) const {
    stall(node);
    std::ofstream{file(node, "stall-writes")} << "";
  }
  /// Syncs fail.
  void fail(peer_id node) const { std::ofstream{file(node, "fail")} << ""; }
  /// One sync fails: the `count`th of the next process, from 1.
  void fail_at(peer_id node, int count) const { std::ofstream{file(node, "fail-at")} << count; }

  /// Writes fail: no space is left.
  void fill(peer_id node) const { std::ofstream{file(node, "full")} << ""; }
  /// Each call writes only about half of what it is given.
  void write_short(peer_id node) const { std::ofstream{file(node, "short")} << ""; }

  /// From its next start on, what its files held before writes that are not synced is noted in the directory returned:
  /// for `lose_power`.
  [[nodiscard]] std::string note_unsynced_writes(peer_id node) const {
    std::filesystem::create_directories(file(node, "undo"));
    return file(node, "undo");
  }

  void mend(peer_id node) const {
    for (const auto* word : {"stall", "stall-writes", "fail", "fail-at", "full", "short"})
      std::filesystem::remove(file(node, word));
  }

private:
  [[nodiscard]] std::string file(peer_id node, const std::string& word) const {
    return directory_ + "/disk-" + std::to_string(node.value()) + "." + word;
  }

  std::string directory_;
};

} // namespace troupe
