#include "persistence/file_system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace troupe {

namespace {

/// A file descriptor and the duty to close it.
class descriptor {
public:
  explicit descriptor(int number) : number_{number} {}
  descriptor(descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }

  [[nodiscard]] int number() const { return number_; }

private:
  int number_;
};

/// Calls again what a signal interrupted before it did anything.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR)
    result = call();
  return result;
}

descriptor open_descriptor(const char* purpose, const std::string& path, int flags) {
  const auto number = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR); });
  if (number < 0)
    throw io_error{purpose, path, errno};
  return descriptor{number};
}

std::string transfer(const char* verb, std::size_t bytes, std::uint64_t offset, const char* preposition) {
  return std::string{verb} + " " + std::to_string(bytes) + " bytes at offset " + std::to_string(offset) + " "
      + preposition;
}

static_assert(file::most_parts <= IOV_MAX);

/// Moves past `done` bytes of the parts from `at` on; returns the first part with bytes left.
std::size_t skip(std::vector<iovec>& parts, std::size_t at, std::size_t done) {
  while (at < parts.size() && done >= parts[at].iov_len)
    done -= parts[at++].iov_len;
  if (done > 0) {
    parts[at].iov_base = static_cast<char*>(parts[at].iov_base) + done;
    parts[at].iov_len -= done;
  }
  return at;
}

/// A call may write less than it is given: then the rest is written by another (P7).
void write_whole(const descriptor& handle, const std::string& path, std::uint64_t offset,
                 std::span<const std::string_view> parts) {
  std::vector<iovec> rest;
  rest.reserve(parts.size());
  for (const auto part : parts)
    if (!part.empty())
      rest.push_back({const_cast<char*>(part.data()), part.size()});
  for (std::size_t at = 0; at < rest.size();) {
    const auto count = static_cast<int>(std::min(rest.size() - at, file::most_parts));
    const auto put =
        uninterrupted([&] { return ::pwritev(handle.number(), rest.data() + at, count, static_cast<off_t>(offset)); });
    if (put <= 0)
      throw io_error{transfer("write", rest[at].iov_len, offset, "of"), path, put < 0 ? errno : EIO};
    offset += static_cast<std::uint64_t>(put);
    at = skip(rest, at, static_cast<std::size_t>(put));
  }
}

class real_file final : public file {
public:
  real_file(std::string path, descriptor handle) : path_{std::move(path)}, handle_{std::move(handle)} {}

  std::size_t read_at(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto got = uninterrupted([&] {
        return ::pread(handle_.number(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      });
      if (got < 0)
        throw io_error{transfer("read", into.size(), offset, "of"), path_, errno};
      if (got == 0)
        break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  void write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    write_whole(handle_, path_, offset, parts);
  }

  void allocate(std::uint64_t size_bytes) override {
    // Not posix_fallocate: where a file system cannot, that reads and writes block by block behind our back.
    const auto failed =
        uninterrupted([&] { return ::fallocate(handle_.number(), 0, 0, static_cast<off_t>(size_bytes)); }) != 0;
    if (!failed)
      return;
    if (errno != EOPNOTSUPP)
      throw io_error{"allocate " + std::to_string(size_bytes) + " bytes for", path_, errno};
    const std::string zeros(std::size_t{1} << 20, '\0');
    for (auto at = size(); at < size_bytes; at += zeros.size())
      file::write_at(at, std::string_view{zeros}.substr(0, static_cast<std::size_t>(size_bytes - at)));
  }

  void sync_data() override {
    // Never tried again after a failure: the kernel may have dropped the pages and would then report success. An
    // interrupted fdatasync is a failure too.
    if (::fdatasync(handle_.number()) != 0)
      throw io_error{"sync", path_, errno};
  }

  std::uint64_t size() const override {
    struct stat facts {};
    if (::fstat(handle_.number(), &facts) != 0)
      throw io_error{"find the size of", path_, errno};
    return static_cast<std::uint64_t>(facts.st_size);
  }

  const std::string& path() const override { return path_; }

private:
  std::string path_;
  descriptor handle_;
};

class real_lock final : public file_lock {
public:
  explicit real_lock(descriptor handle) : handle_{std::move(handle)} {}

private:
  descriptor handle_; // The kernel frees the lock when this is closed.
};

class operating_system final : public file_system {
public:
  std::unique_ptr<file> open(const std::string& path, open_mode mode) override {
    switch (mode) {
    case open_mode::read: return std::make_unique<real_file>(path, open_descriptor("open", path, O_RDONLY));
    case open_mode::update: return std::make_unique<real_file>(path, open_descriptor("open", path, O_RDWR));
    case open_mode::create: break;
    }
    // Never what has the name already: after half a rename that may be another's content, too.
    constexpr int flags = O_RDWR | O_CREAT | O_EXCL;
    try {
      return std::make_unique<real_file>(path, open_descriptor("create", path, flags));
    } catch (const io_error& failure) {
      if (failure.number() != EEXIST)
        throw;
    }
    remove(path);
    return std::make_unique<real_file>(path, open_descriptor("create", path, flags));
  }

  void rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      throw io_error{"rename to " + to, from, errno};
  }

  void remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0)
      throw io_error{"remove", path, errno};
  }

  std::vector<std::string> list(const std::string& directory) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream{::opendir(directory.c_str()), &::closedir};
    if (!stream)
      throw io_error{"list", directory, errno};
    std::vector<std::string> names;
    errno = 0;
    while (const auto* entry = ::readdir(stream.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..")
        names.push_back(name);
    }
    if (errno != 0)
      throw io_error{"list", directory, errno};
    std::sort(names.begin(), names.end());
    return names;
  }

  bool exists(const std::string& path) override {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) == 0)
      return true;
    if (errno != ENOENT && errno != ENOTDIR)
      throw io_error{"look for", path, errno};
    return false;
  }

  void make_directories(const std::string& path) override {
    if (path.empty() || exists(path))
      return;
    const auto above = directory_of(path);
    make_directories(above);
    if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST)
      throw io_error{"make directory", path, errno};
    sync_directory(above);
  }

  void sync_directory(const std::string& path) override {
    const auto handle = open_descriptor("open directory", path, O_RDONLY | O_DIRECTORY);
    if (::fsync(handle.number()) != 0)
      throw io_error{"sync directory", path, errno};
  }

  std::unique_ptr<file_lock> lock(const std::string& path) override {
    auto handle = open_descriptor("open", path, O_RDWR | O_CREAT);
    if (uninterrupted([&] { return ::flock(handle.number(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK)
        return nullptr;
      throw io_error{"lock", path, errno};
    }
    const auto holder = std::to_string(::getpid()) + "\n";
    const std::string_view parts[] = {holder};
    if (::ftruncate(handle.number(), 0) != 0)
      throw io_error{"truncate", path, errno};
    try {
      write_whole(handle, path, 0, parts);
    } catch (const io_error& failure) {
      if (!failure.is_lack_of_room()) // Only a courtesy to whoever finds the file locked.
        throw;
    }
    return std::make_unique<real_lock>(std::move(handle));
  }
};

} // namespace

std::unique_ptr<file_system> real_file_system() {
  return std::make_unique<operating_system>();
}

} // namespace troupe
