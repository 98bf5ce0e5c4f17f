// Loaded into a node before its C library (LD_PRELOAD), this makes its disk misbehave while files say so. The variable
// DISK_FAULTS names them: with DISK_FAULTS=/tmp/d,
//
//   /tmp/d.stall         while it exists, fdatasync and fsync do not return
//   /tmp/d.stall-writes  while it exists, pwrite and pwritev do not return
//   /tmp/d.fail          while it exists, fdatasync and fsync fail with EIO
//   /tmp/d.fail-at       holds a number: that fdatasync or fsync of the process, counted from 1, fails with EIO
//   /tmp/d.full          while it exists, pwrite and pwritev fail with ENOSPC
//   /tmp/d.short         while it exists, pwrite and pwritev write about half of what they are given
//   /tmp/d.undo          a directory: what files held before writes that are not synced is noted there
//
// disk_faults.hpp and power_failure.hpp are the other end.

#include "tests/process/undo_journal.hpp"

#include <dlfcn.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <vector>

namespace {

struct control_file {
  explicit control_file(const char* word) {
    const char* prefix = std::getenv("DISK_FAULTS");
    std::snprintf(path, sizeof path, "%s.%s", prefix == nullptr ? "/nonexistent" : prefix, word);
  }

  [[nodiscard]] bool exists() const { return ::access(path, F_OK) == 0; }

  [[nodiscard]] long number() const {
    long result = 0;
    if (auto* file = std::fopen(path, "re")) {
      if (std::fscanf(file, "%ld", &result) != 1)
        result = 0;
      std::fclose(file);
    }
    return result;
  }

  char path[4096];
};

void wait_while(const char* word) {
  const control_file stalled{word};
  const timespec moment{0, 1'000'000};
  while (stalled.exists())
    ::nanosleep(&moment, nullptr);
}

bool is_to_fail() {
  static std::atomic<long> syncs{0};
  const auto count = ++syncs;
  return control_file{"fail"}.exists() || control_file{"fail-at"}.number() == count;
}

// Held while a write is noted and done, and while a sync is noted: a sync covers either both or neither.
std::mutex noting;

// The journal of a file; nothing (-1) if none is kept.
class journal {
public:
  explicit journal(int file) {
    const control_file directory{"undo"};
    if (!directory.exists())
      return;
    const auto path = directory.path + ("/" + troupe::undo::journal_name(file));
    number_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
  journal(const journal&) = delete;
  ~journal() {
    if (number_ >= 0)
      ::close(number_);
  }

  void note_write(int file, std::uint64_t offset, std::uint64_t length) const {
    if (number_ < 0)
      return;
    std::vector<char> before(length);
    ssize_t got = 1;
    std::uint64_t kept = 0;
    for (; got > 0 && kept < length; kept += static_cast<std::uint64_t>(got))
      got = ::pread(file, before.data() + kept, length - kept, static_cast<off_t>(offset + kept));
    add({troupe::undo::entry::kind::write, offset, length, kept}, before.data());
  }

  [[nodiscard]] std::uint64_t size() const {
    return number_ < 0 ? 0 : static_cast<std::uint64_t>(::lseek(number_, 0, SEEK_END));
  }

  // All entries before `size` are durable.
  void note_sync(std::uint64_t size_at_sync) const {
    if (number_ < 0)
      return;
    if (size() != size_at_sync)
      add({troupe::undo::entry::kind::synced, size_at_sync, 0, 0}, nullptr);
    else if (::ftruncate(number_, 0) != 0)
      std::abort();
  }

private:
  void add(troupe::undo::entry what, char* before) const {
    const iovec parts[] = {{&what, sizeof what}, {before, what.kept}};
    if (::writev(number_, parts, 2) != static_cast<ssize_t>(sizeof what + what.kept))
      std::abort(); // A test's disk is full: nothing it says after this would count.
  }

  int number_ = -1;
};

template <class Call>
Call next(const char* name) {
  return reinterpret_cast<Call>(::dlsym(RTLD_NEXT, name));
}

int sync(const char* name, int file) {
  wait_while("stall");
  if (is_to_fail()) {
    errno = EIO;
    return -1;
  }
  const journal undo{file};
  std::unique_lock lock{noting};
  const auto size = undo.size();
  lock.unlock();
  const auto result = next<int (*)(int)>(name)(file);
  lock.lock();
  if (result == 0)
    undo.note_sync(size);
  return result;
}

std::size_t length_of(const std::vector<iovec>& parts) {
  std::size_t sum = 0;
  for (const auto& part : parts)
    sum += part.iov_len;
  return sum;
}

// Leaves about half of what there is to write, and all of a single byte.
void halve(std::vector<iovec>& parts) {
  auto left = (length_of(parts) + 1) / 2;
  for (auto& part : parts)
    left -= part.iov_len = std::min(part.iov_len, left);
}

ssize_t write(int file, std::vector<iovec> parts, off_t offset) {
  wait_while("stall-writes");
  if (control_file{"full"}.exists()) {
    errno = ENOSPC;
    return -1;
  }
  if (control_file{"short"}.exists())
    halve(parts);
  const std::scoped_lock lock{noting};
  journal{file}.note_write(file, static_cast<std::uint64_t>(offset), length_of(parts));
  return next<ssize_t (*)(int, const iovec*, int, off_t)>("pwritev")(file, parts.data(), static_cast<int>(parts.size()),
                                                                     offset);
}

ssize_t write(int file, const void* from, std::size_t size, off_t offset) {
  return write(file, {{const_cast<void*>(from), size}}, offset);
}

ssize_t write(int file, const iovec* from, int count, off_t offset) {
  return write(file, {from, from + count}, offset);
}

} // namespace

extern "C" {

int fdatasync(int file) {
  return sync("fdatasync", file);
}

int fsync(int file) {
  return sync("fsync", file);
}

ssize_t pwrite(int file, const void* from, size_t size, off_t offset) {
  return write(file, from, size, offset);
}

ssize_t pwrite64(int file, const void* from, size_t size, off_t offset) {
  return write(file, from, size, offset);
}

ssize_t pwritev(int file, const iovec* from, int count, off_t offset) {
  return write(file, from, count, offset);
}

ssize_t pwritev64(int file, const iovec* from, int count, off_t offset) {
  return write(file, from, count, offset);
}
}
