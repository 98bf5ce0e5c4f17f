/// \file
/// What goes wrong below the storage seam. Thrown inside persistence only; whoever catches one ends the node.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace troupe {

/// What an operator is told where nothing can be undone. An older copy is the one thing that must not be put back: it
/// has forgotten votes and entries that the others count on.
inline const std::string keep_the_directory =
    "Nothing of the log was changed. Keep the directory, and put back what was moved or changed, if anything was; an "
    "older copy of it is no remedy, for it lacks what was promised since. A member whose disk is lost cannot be "
    "replaced yet: the others go on without it";

/// A call of the operating system failed. `what()` reads "cannot sync /a/b: Input/output error".
class io_error : public std::runtime_error {
public:
  /// `operation` is a verb with what belongs to it ("read", "write 512 bytes at 4096 of"); `number` is an errno value.
  io_error(std::string operation, std::string path, int number);

  [[nodiscard]] const std::string& operation() const { return operation_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int number() const { return number_; }
  /// Is the disk, or what the user may have of it, full?
  [[nodiscard]] bool is_lack_of_room() const;

private:
  std::string operation_;
  std::string path_;
  int number_;
};

/// What a `storage_error` says about what lies on the disk.
enum class damage {
  none,    ///< Sound as far as it was read, but not to be used: somebody else's, in use, or of a newer format.
  corrupt, ///< Something that was durable is lost, or is not what was written.
  suspect, ///< No crash leaves it like this, and nothing tells whether what is bad had been durable.
};

/// Records of the log, by their lsn (log sequence number: 1, 2, 3 ... over all groups and segments); both included.
struct lsn_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  friend bool operator==(const lsn_range&, const lsn_range&) = default;
};

/// What lies on the disk cannot be trusted, or is not ours. `what()` names the file, the place in it, the reason and,
/// where there is one, the remedy. Nothing was changed on the disk.
class storage_error : public std::runtime_error {
public:
  /// `remedy`: sentences on what the operator can do, where the reason does not say it. They hold if this ends the
  /// node.
  storage_error(std::string file, std::optional<std::uint64_t> offset, std::string reason,
                damage kind = damage::corrupt, std::optional<lsn_range> records = {}, const std::string& remedy = {});
  storage_error(std::string file, std::uint64_t offset, std::string reason, damage kind = damage::corrupt,
                std::optional<lsn_range> records = {}, const std::string& remedy = {});
  storage_error(std::string file, std::string reason, damage kind = damage::corrupt,
                std::optional<lsn_range> records = {}, const std::string& remedy = {});

  [[nodiscard]] const std::string& file() const { return file_; }
  /// Byte offset within the file; nothing if the whole file or directory is meant.
  [[nodiscard]] std::optional<std::uint64_t> offset() const { return offset_; }
  /// What is wrong, without the remedy.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  /// The reason, and the remedy if there is one.
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] damage kind() const { return kind_; }
  /// The records that are bad or missing, as far as that is known; nothing if it is about something else.
  [[nodiscard]] const std::optional<lsn_range>& records() const { return records_; }

private:
  std::string file_;
  std::optional<std::uint64_t> offset_;
  std::string reason_;
  std::string why_;
  damage kind_;
  std::optional<lsn_range> records_;
};

} // namespace troupe
