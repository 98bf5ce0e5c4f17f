/// \file
/// The files of a data directory, for those who only look: log_inspection.hpp, log_dump.hpp.
#pragma once

#include "persistence/disk_identity.hpp"
#include "persistence/file_system.hpp"
#include "persistence/log_inspection.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Lets nothing through that could change anything.
class only_reading final : public file_system {
public:
  explicit only_reading(file_system& files) : files_{files} {}

  [[nodiscard]] std::unique_ptr<file> open(const std::string& path, open_mode mode) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) override { return files_.list(directory); }
  [[nodiscard]] bool exists(const std::string& path) override { return files_.exists(path); }
  void make_directories(const std::string& path) override;
  void sync_directory(const std::string& path) override;
  [[nodiscard]] std::unique_ptr<file_lock> lock(const std::string& path) override;

private:
  file_system& files_;
};

/// Every header has its owner here.
inline constexpr std::uint64_t owner_at = 24;

/// Whose a file says it is; nothing if it is too short, or not there.
[[nodiscard]] std::optional<disk_identity> owner_in(file_system& files, const std::string& path);

/// The names of the segments in a log's directory, in order. None if it is not there.
[[nodiscard]] std::vector<std::string> segments_in(file_system& files, const std::string& log);

/// A snapshot file as a start sees it.
struct judged_snapshot {
  inspected_snapshot what;
  /// It is only damaged, so that a start may do without it. Else a start refuses it.
  bool may_be_passed_over = false;
};

/// Reads all snapshots in a log's directory, by group, oldest first. What is removed meanwhile is left out. Without an
/// `owner` each is taken for its own.
[[nodiscard]] std::vector<judged_snapshot> snapshots_in(file_system& files, const std::string& log,
                                                        const std::optional<disk_identity>& owner);

/// May this user not read that? It says nothing about what lies there.
[[nodiscard]] bool is_forbidden(const io_error& error);

} // namespace troupe
