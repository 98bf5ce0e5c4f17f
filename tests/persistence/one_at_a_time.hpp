/// \file
/// Lets several threads use a file system that is made for one, such as the simulated disk: one call at a time.
#pragma once

#include "persistence/file_system.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace troupe::test {

class one_at_a_time final : public file_system {
public:
  /// `files` must outlive it.
  explicit one_at_a_time(file_system& files) : files_{files} {}

  [[nodiscard]] std::unique_ptr<file> open(const std::string& path, open_mode mode) override {
    const std::lock_guard alone{*turn_};
    return std::make_unique<handle>(files_.open(path, mode), turn_);
  }
  void rename(const std::string& from, const std::string& to) override {
    const std::lock_guard alone{*turn_};
    files_.rename(from, to);
  }
  void remove(const std::string& path) override {
    const std::lock_guard alone{*turn_};
    files_.remove(path);
  }
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) override {
    const std::lock_guard alone{*turn_};
    return files_.list(directory);
  }
  [[nodiscard]] bool exists(const std::string& path) override {
    const std::lock_guard alone{*turn_};
    return files_.exists(path);
  }
  void make_directories(const std::string& path) override {
    const std::lock_guard alone{*turn_};
    files_.make_directories(path);
  }
  void sync_directory(const std::string& path) override {
    const std::lock_guard alone{*turn_};
    files_.sync_directory(path);
  }
  [[nodiscard]] std::unique_ptr<file_lock> lock(const std::string& path) override {
    const std::lock_guard alone{*turn_};
    return files_.lock(path);
  }

private:
  class handle final : public file {
  public:
    handle(std::unique_ptr<file> whole, std::shared_ptr<std::mutex> turn)
        : file_{std::move(whole)}, turn_{std::move(turn)} {}
    ~handle() override {
      const std::lock_guard alone{*turn_};
      file_.reset();
    }
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;

    [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<char> into) override {
      const std::lock_guard alone{*turn_};
      return file_->read_at(offset, into);
    }
    void write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
      const std::lock_guard alone{*turn_};
      file_->write_at(offset, parts);
    }
    void allocate(std::uint64_t size_bytes) override {
      const std::lock_guard alone{*turn_};
      file_->allocate(size_bytes);
    }
    void sync_data() override {
      const std::lock_guard alone{*turn_};
      file_->sync_data();
    }
    [[nodiscard]] std::uint64_t size() const override {
      const std::lock_guard alone{*turn_};
      return file_->size();
    }
    [[nodiscard]] const std::string& path() const override { return file_->path(); }

  private:
    std::unique_ptr<file> file_;
    std::shared_ptr<std::mutex> turn_;
  };

  file_system& files_;
  std::shared_ptr<std::mutex> turn_ = std::make_shared<std::mutex>();
};

} // namespace troupe::test
