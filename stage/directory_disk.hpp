/// \file
/// A node's whole disk, as production lays it out: data directory, log, snapshots, by production's own code. And what
/// may happen to a disk.
#pragma once

#include "persistence/data_directory.hpp"
#include "persistence/log_storage.hpp"
#include "stage/node_disk.hpp"
#include "stage/simulated_disk.hpp"
#include "troupe/dice.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

class directory_disk final : public node_disk {
public:
  directory_disk(dice chance, peer_id node, std::vector<peer_id> members, std::size_t segment_bytes);

  /// Opens the directory, which counts as a boot, and the log. Throws `storage_error` if they cannot be trusted.
  [[nodiscard]] std::unique_ptr<two_step_storage> open() override;
  void lose_power(dice& chance) override;

  /// Who the directory says it is, as peers hear it. Once it was opened.
  [[nodiscard]] const uuid& disk() const { return disk_; }
  [[nodiscard]] std::uint64_t boot() const { return boot_; }
  [[nodiscard]] const last_lives& lives() const { return lives_; }

  /// Whether the last start found a torn write, and undid it.
  [[nodiscard]] bool was_torn() const { return was_torn_; }

  /// How many whole snapshots lie on it.
  [[nodiscard]] std::size_t snapshots() const;

  // What may happen to a disk.
  /// An empty one takes its place. The node must not be alive.
  void wipe();
  /// A copy of all that is on it is put aside.
  void back_up();
  [[nodiscard]] bool has_backup() const { return backup_ != nullptr; }
  /// The copy comes back in its place. The node must not be alive.
  void put_back();
  /// Files may take so many bytes more than they take now; nothing: as many as they like.
  void limit_to(std::optional<std::uint64_t> more_bytes);
  /// Has the next sync of a file fail, or not any more.
  void fail_sync(bool fails);
  /// Has syncs succeed and make nothing durable, or be honest again. Of what was lied about, a loss of power leaves
  /// what chance decides, or nothing. A disk that takes this one's place is honest.
  void lie(bool lies) { files_->lie(lies); }
  /// Flips one bit somewhere in its files. Says where; nothing if there is no file.
  std::optional<std::string> rot(dice& chance);

  /// What recovery would find if power went now in one of the ways chance can think of: production's own recovery, on a
  /// copy. Throws as `open` does.
  [[nodiscard]] recovered_group recover_copy(group_id group, std::uint64_t seed) const;

  /// As whom the node would introduce itself if it were refused and started again so many times: production's own notes
  /// of that, on a copy, which has room. Throws `storage_error` if a bit of them has flipped since its last start.
  struct introduction {
    std::uint64_t boot = 0;
    last_lives lives;
  };
  [[nodiscard]] introduction after_refusals(std::size_t starts) const;

private:
  [[nodiscard]] log_options options_of(const data_directory& directory) const;

  dice chance_;
  peer_id node_;
  std::vector<peer_id> members_;
  std::size_t segment_bytes_;
  std::unique_ptr<simulated_disk> files_;
  std::unique_ptr<simulated_disk> backup_;
  std::unique_ptr<data_directory> directory_;
  uuid disk_;
  std::uint64_t boot_ = 0;
  last_lives lives_;
  bool was_torn_ = false;
};

} // namespace troupe
