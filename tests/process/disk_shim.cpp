// Loaded into a node before its C library (LD_PRELOAD), this makes its disk misbehave while files say so. The variable
// DISK_FAULTS names them: with DISK_FAULTS=/tmp/d,
//
//   /tmp/d.stall         while it exists, fdatasync and fsync do not return
//   /tmp/d.stall-writes  while it exists, pwrite and pwritev do not return
//   /tmp/d.fail          while it exists, fdatasync and fsync fail with EIO
//   /tmp/d.fail-at       holds a number: that fdatasync or fsync of the process, counted from 1, fails with EIO
//
// disk_faults.hpp is the other end.

#include <dlfcn.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

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
  return next<int (*)(int)>(name)(file);
}

template <class Buffer, class Size>
ssize_t write(const char* name, int file, Buffer from, Size size, off_t offset) {
  wait_while("stall-writes");
  return next<ssize_t (*)(int, Buffer, Size, off_t)>(name)(file, from, size, offset);
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
  return write("pwrite", file, from, size, offset);
}

ssize_t pwrite64(int file, const void* from, size_t size, off_t offset) {
  return write("pwrite64", file, from, size, offset);
}

ssize_t pwritev(int file, const iovec* from, int count, off_t offset) {
  return write("pwritev", file, from, count, offset);
}

ssize_t pwritev64(int file, const iovec* from, int count, off_t offset) {
  return write("pwritev64", file, from, count, offset);
}
}
