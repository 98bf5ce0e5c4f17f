/// \file
/// A device with sectors that it cannot read any more. What was written to such a sector is gone; what is written to
/// one is not read either.
#pragma once

#include "persistence/file_system.hpp"

#include <cerrno>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

/// Passes all calls on to another file system, but reads that touch a bad sector.
class bad_sectors final : public file_system {
public:
  /// `files` must outlive it.
  explicit bad_sectors(file_system& files) : files_{files} {}

  /// The sector of 512 bytes that the byte is in.
  void lose(const std::string& path, std::uint64_t at) { lost_[path].insert(at / sector); }
  /// The device has changed its mind.
  void find_all_again() { lost_.clear(); }
  [[nodiscard]] bool has(const std::string& path) const { return lost_.contains(path) && !lost_.at(path).empty(); }

  [[nodiscard]] std::unique_ptr<file> open(const std::string& path, open_mode mode) override {
    if (mode == open_mode::create)
      lost_.erase(path); // Other sectors.
    return std::make_unique<handle>(files_.open(path, mode), lost_[path]);
  }
  void rename(const std::string& from, const std::string& to) override {
    files_.rename(from, to);
    lost_[to] = std::exchange(lost_[from], {});
    lost_.erase(from);
  }
  void remove(const std::string& path) override {
    files_.remove(path);
    lost_.erase(path);
  }
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) override { return files_.list(directory); }
  [[nodiscard]] bool exists(const std::string& path) override { return files_.exists(path); }
  void make_directories(const std::string& path) override { files_.make_directories(path); }
  void sync_directory(const std::string& path) override { files_.sync_directory(path); }
  [[nodiscard]] std::unique_ptr<file_lock> lock(const std::string& path) override { return files_.lock(path); }

private:
  static constexpr std::uint64_t sector = 512;

  class handle final : public file {
  public:
    handle(std::unique_ptr<file> whole, std::set<std::uint64_t> lost)
        : file_{std::move(whole)}, lost_{std::move(lost)} {}

    [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<char> into) override {
      const auto bad = lost_.lower_bound(offset / sector);
      if (bad != lost_.end() && *bad * sector < offset + into.size())
        throw io_error{"read", file_->path(), EIO};
      return file_->read_at(offset, into);
    }
    void write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
      file_->write_at(offset, parts);
    }
    void allocate(std::uint64_t size_bytes) override { file_->allocate(size_bytes); }
    void sync_data() override { file_->sync_data(); }
    [[nodiscard]] std::uint64_t size() const override { return file_->size(); }
    [[nodiscard]] const std::string& path() const override { return file_->path(); }

  private:
    std::unique_ptr<file> file_;
    std::set<std::uint64_t> lost_;
  };

  file_system& files_;
  std::map<std::string, std::set<std::uint64_t>> lost_;
};

} // namespace troupe::test
