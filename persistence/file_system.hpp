/// \file
/// What persistence asks of an operating system: the seam below Troupe's log. The real one is in
/// real_file_system.cpp; the stage has one in memory that loses power.
///
/// What is durable when: bytes after `sync_data` of their file; names (created, renamed, removed) after
/// `sync_directory` of the directory they are in. Nothing else is, whatever a file system happens to do.
///
/// Errors: every call throws `io_error`. Interrupted and short transfers are continued inside; any other failure of a
/// write or a sync is thrown and never retried, because after it nobody knows what the disk holds.
#pragma once

#include "persistence/errors.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// How to open a file.
enum class open_mode {
  read,   ///< Must exist; only read.
  update, ///< Must exist; read and written.
  /// A new, empty file, to be read and written, by its owner only (mode 0600). What has the name already loses it, and
  /// is untouched under its other names.
  create,
};

/// An open file. Closed when destroyed. One handle belongs to one thread; several handles of one file may be used by
/// several threads as long as they do not write where another reads.
class file {
public:
  virtual ~file() = default;

  /// Parts that one call of the operating system takes. Between two calls a sector can reach the disk half written.
  static constexpr std::size_t most_parts = 1024;

  /// Reads up to `into.size()` bytes; fewer only at the end of the file. Returns how many.
  [[nodiscard]] virtual std::size_t read_at(std::uint64_t offset, std::span<char> into) = 0;

  /// Writes all parts, one behind the other, as one gathered write if they are at most `most_parts`. Extends the file
  /// where it must. Not durable yet.
  virtual void write_at(std::uint64_t offset, std::span<const std::string_view> parts) = 0;

  /// Writes one run of bytes.
  void write_at(std::uint64_t offset, std::string_view bytes) { write_at(offset, std::span{&bytes, 1}); }

  /// Sets room aside up to `size_bytes`, so that writes up to there do not fail for lack of it; what was not written
  /// reads as zeros, and is not slower to sync than it must be. Extends the file. Throws `io_error`, with ENOSPC if
  /// there is no room; then nothing has changed that matters.
  virtual void allocate(std::uint64_t size_bytes) = 0;

  /// Makes everything written through any handle of this file durable, its length included.
  virtual void sync_data() = 0;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  [[nodiscard]] virtual const std::string& path() const = 0;
};

/// A lock on a path, held until destroyed or until its process ends, however it ends.
class file_lock {
public:
  virtual ~file_lock() = default;
};

/// Files and their names. Its calls may come from several threads at once, about different files.
class file_system {
public:
  virtual ~file_system() = default;

  [[nodiscard]] virtual std::unique_ptr<file> open(const std::string& path, open_mode mode) = 0;

  /// Gives a file another name in one step, taking the place of what had it.
  virtual void rename(const std::string& from, const std::string& to) = 0;

  /// Removes a file's name.
  virtual void remove(const std::string& path) = 0;

  /// Names in a directory, sorted, without the path.
  [[nodiscard]] virtual std::vector<std::string> list(const std::string& directory) = 0;

  [[nodiscard]] virtual bool exists(const std::string& path) = 0;

  /// Makes the directory and those above it that are missing, for their owner only (mode 0700). They are durable when
  /// this returns.
  virtual void make_directories(const std::string& path) = 0;

  /// Makes the names in a directory durable.
  virtual void sync_directory(const std::string& path) = 0;

  /// Locks a path, making the file if it is missing; it then holds the id of the locking process. Nothing if another
  /// process, or another part of this one, holds the lock.
  [[nodiscard]] virtual std::unique_ptr<file_lock> lock(const std::string& path) = 0;
};

/// The operating system's own files.
[[nodiscard]] std::unique_ptr<file_system> real_file_system();

/// Reads a whole file.
[[nodiscard]] std::string read_whole(file_system& files, const std::string& path);

/// Puts `bytes` at `path` in one durable step: whoever looks, after any crash, finds all of the old or all of the new.
/// Writes `path`.tmp, syncs it, renames it and syncs the directory. If there is no room, nothing is left of that file.
void replace_durably(file_system& files, const std::string& path, std::string_view bytes);

/// The directory a path is in; "." if it names none.
[[nodiscard]] std::string directory_of(const std::string& path);

} // namespace troupe
