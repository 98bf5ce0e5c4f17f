/// \file
/// What goes wrong below the storage seam. Thrown inside persistence only; whoever catches one ends the node.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace troupe {

/// A call of the operating system failed. `what()` reads "cannot sync /a/b: Input/output error".
class io_error : public std::runtime_error {
public:
  /// `operation` is a verb with what belongs to it ("read", "write 512 bytes at 4096 of"); `number` is an errno value.
  io_error(std::string operation, std::string path, int number);

  [[nodiscard]] const std::string& operation() const { return operation_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int number() const { return number_; }

private:
  std::string operation_;
  std::string path_;
  int number_;
};

/// What lies on the disk cannot be trusted, or is not ours. `what()` names the file, the place in it, the reason and,
/// where there is one, the remedy.
class storage_error : public std::runtime_error {
public:
  storage_error(std::string file, std::uint64_t offset, std::string why);
  storage_error(std::string file, std::string why);

  [[nodiscard]] const std::string& file() const { return file_; }
  /// Byte offset within the file; nothing if the whole file or directory is meant.
  [[nodiscard]] std::optional<std::uint64_t> offset() const { return offset_; }
  [[nodiscard]] const std::string& why() const { return why_; }

private:
  std::string file_;
  std::optional<std::uint64_t> offset_;
  std::string why_;
};

} // namespace troupe
