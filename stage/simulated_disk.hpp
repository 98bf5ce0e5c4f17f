/// \file
/// A disk in memory that loses power. The real log and recovery code run on it.
///
/// It keeps to the letter of what a file system promises, and to nothing beyond: written bytes are durable after a sync
/// of their file, names after a sync of their directory. Whatever is neither may or may not survive `crash`, each
/// 512-byte sector and each name for itself, by the seed. A sector that was written several times since the last sync
/// comes back in any of its versions.
///
/// Deterministic: the same calls after the same seed give the same bytes. One thread only. Zeros over zeros cost
/// nothing, so a prewritten segment takes no memory.
#pragma once

#include "persistence/file_system.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

class simulated_disk final : public file_system {
public:
  /// What was asked of the disk.
  enum class operation { open, read, write, sync, rename, remove, list, make_directories, sync_directory, lock };

  /// One call, as a hook sees it, before it is carried out.
  struct call {
    operation what;
    const std::string& path;
    /// Calls so far, this one included, reads and look-ups too.
    std::uint64_t number;
    /// Calls so far that change what is, or would be, on the disk: write, sync, rename, remove, sync_directory, and
    /// open with `create`. This one included if it does.
    std::uint64_t change;
    bool is_change;
  };

  /// Decides about a call: an errno to fail it with, or nothing. What it throws goes to the caller.
  using hook = std::function<std::optional<int>(const call&)>;

  /// What the disk has done since it was made.
  struct counters {
    std::uint64_t writes = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t reads = 0;
    std::uint64_t read_bytes = 0;
    std::uint64_t syncs = 0;
    std::uint64_t directory_syncs = 0;
  };

  explicit simulated_disk(std::uint64_t seed);
  ~simulated_disk() override;

  [[nodiscard]] std::unique_ptr<file> open(const std::string& path, open_mode mode) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) override;
  [[nodiscard]] bool exists(const std::string& path) override;
  void make_directories(const std::string& path) override;
  void sync_directory(const std::string& path) override;
  [[nodiscard]] std::unique_ptr<file_lock> lock(const std::string& path) override;

  /// The power goes: what is not synced is lost, torn or kept, as the seed has it. Handles and locks from before are
  /// dead; a call on a dead handle throws.
  void crash();

  /// Picks, of `versions` that a sector of a file had since its last sync, the one that survives: 1 is the oldest,
  /// `versions` the newest, 0 what was synced.
  using survival = std::function<std::size_t(const std::string& path, std::uint64_t sector, std::size_t versions)>;

  /// The power goes, names and lengths are kept, and sectors survive as told.
  void crash_keeping(const survival& pick);

  /// The power goes, and nothing unsynced survives.
  void crash_losing_all();

  /// Every process on the machine ends, the machine goes on: all that was written is there, locks and handles are gone.
  void end_processes();

  /// A copy with the same content, synced and not, and the same randomness to come. It has no hook, locks or handles,
  /// and does not lie.
  [[nodiscard]] std::unique_ptr<simulated_disk> clone() const;

  /// Has the randomness of crashes to come start anew.
  void reseed(std::uint64_t seed) { random_.seed(seed); }

  void on_call(hook decide) { hook_ = std::move(decide); }
  /// Fails the `nth` call of that kind from now on (1: the next), once, with an errno.
  void fail(operation what, std::uint64_t nth, int error);

  /// Whether syncs, of files and of directories, succeed and make nothing durable. What was synced before is not
  /// touched, and a reader sees what was written; the first sync behind the last lie makes durable what it should, with
  /// all that was lied about.
  void lie(bool lies) { lies_ = lies; }
  [[nodiscard]] bool lies() const { return lies_; }

  /// Files may take so many bytes together, by their lengths, from now on: what would take more fails with ENOSPC, and
  /// changes nothing. Bytes that are there can be overwritten. Without a call: as many as they like.
  void limit_to(std::uint64_t capacity_bytes) { capacity_bytes_ = capacity_bytes; }
  /// What they take now. Files that have no name any more count for nothing.
  [[nodiscard]] std::uint64_t used_bytes() const;

  [[nodiscard]] const counters& count() const { return counters_; }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

  /// Damages what lies on the disk behind everyone's back: overwrites bytes of a file, as if they had always been so.
  void corrupt(const std::string& path, std::uint64_t offset, std::string_view bytes);
  /// Gives a file another length in the same way.
  void resize(const std::string& path, std::uint64_t size_bytes);

  /// All files, in order of their names.
  [[nodiscard]] std::vector<std::string> paths() const;
  /// A file as a reader would see it now.
  [[nodiscard]] std::string contents(const std::string& path) const;

private:
  class simulated_file;
  class simulated_lock;
  struct inode;
  using names = std::map<std::string, std::shared_ptr<inode>>;

  void require_room(const inode& content, std::uint64_t size_bytes, const std::string& path) const;
  void about_to(operation what, const std::string& path);
  [[nodiscard]] const std::shared_ptr<inode>& find(const char* purpose, const std::string& path) const;
  void lose_names(bool all);
  void forget_processes();
  [[nodiscard]] bool coin() { return (random_() >> 32 & 1) != 0; }

  std::mt19937_64 random_;
  names live_;
  names durable_;
  std::set<std::string> directories_{"", "/", "."};
  std::shared_ptr<std::set<std::string>> locks_ = std::make_shared<std::set<std::string>>();
  /// Handles of another era are dead.
  std::uint64_t era_ = 0;
  hook hook_;
  bool lies_ = false;
  counters counters_;
  std::uint64_t capacity_bytes_ = ~std::uint64_t{0};
  std::uint64_t calls_ = 0;
  std::uint64_t changes_ = 0;
};

} // namespace troupe
