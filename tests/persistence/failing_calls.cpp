#include "failing_calls.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <numeric>
#include <optional>

namespace troupe::test {

namespace {

/// What one thread's calls meet.
struct plan {
  bool notes = false;
  std::vector<system_call> noted;
  std::size_t left = 0; ///< Calls until the one that goes wrong, it included; 0: none will.
  fault what = fault::io_error;
  bool has_failed = false;
  /// The next call of this kind fails with EIO.
  std::optional<system_call> also;
};

thread_local plan mine;

/// The fault that this call meets; nothing if it is to be passed on.
std::optional<fault> turn_of(system_call which) {
  if (mine.notes)
    mine.noted.push_back(which);
  if (mine.also == which) {
    mine.also.reset();
    return fault::io_error;
  }
  if (mine.left == 0 || --mine.left > 0)
    return std::nullopt;
  mine.has_failed = true;
  if (mine.what == fault::torn)
    mine.also = which;
  return mine.what;
}

int number_of(fault what) {
  switch (what) {
  case fault::no_space: return ENOSPC;
  case fault::interrupted: return EINTR;
  default: return EIO;
  }
}

bool does_half(std::optional<fault> what) {
  return what == fault::cut_short || what == fault::torn;
}

template <class Call>
Call* next(const char* name) {
  return reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, name));
}

/// Fails, or passes on.
template <class Result, class Forward>
Result meet(system_call which, Result failure, Forward forward) {
  if (const auto what = turn_of(which)) {
    errno = number_of(*what);
    return failure;
  }
  return forward();
}

ssize_t write(int file, const iovec* from, int count, off_t offset) {
  const auto forward = next<ssize_t(int, const iovec*, int, off_t)>("pwritev");
  const auto what = turn_of(system_call::write);
  if (!what)
    return forward(file, from, count, offset);
  if (!does_half(what)) {
    errno = number_of(*what);
    return -1;
  }
  std::vector<iovec> parts(from, from + count);
  auto left = std::accumulate(parts.begin(), parts.end(), std::size_t{1},
                              [](std::size_t sum, const iovec& part) { return sum + part.iov_len; })
      / 2;
  for (auto& part : parts)
    left -= part.iov_len = std::min(part.iov_len, left);
  return forward(file, parts.data(), count, offset);
}

ssize_t read(int file, void* into, std::size_t size, off_t offset) {
  const auto forward = next<ssize_t(int, void*, std::size_t, off_t)>("pread");
  const auto what = turn_of(system_call::read);
  if (what && !does_half(what)) {
    errno = number_of(*what);
    return -1;
  }
  return forward(file, into, what ? (size + 1) / 2 : size, offset);
}

int open(const char* path, int flags, mode_t mode) {
  return meet((flags & O_CREAT) != 0 ? system_call::create : system_call::open, -1,
              [&] { return next<int(const char*, int, ...)>("open")(path, flags, mode); });
}

} // namespace

const char* name_of(system_call which) {
  switch (which) {
  case system_call::open: return "open";
  case system_call::create: return "create";
  case system_call::read: return "pread";
  case system_call::write: return "pwritev";
  case system_call::sync_data: return "fdatasync";
  case system_call::sync_directory: return "fsync";
  case system_call::allocate: return "fallocate";
  case system_call::rename: return "rename";
  case system_call::unlink: return "unlink";
  case system_call::mkdir: return "mkdir";
  case system_call::stat: return "stat";
  case system_call::list: return "readdir";
  }
  return "?";
}

const char* name_of(fault what) {
  switch (what) {
  case fault::io_error: return "EIO";
  case fault::no_space: return "ENOSPC";
  case fault::interrupted: return "EINTR";
  case fault::cut_short: return "cut short";
  case fault::torn: return "half done, then EIO";
  }
  return "?";
}

std::vector<fault> faults_of(system_call which) {
  switch (which) {
  case system_call::open: return {fault::io_error, fault::interrupted};
  case system_call::read: return {fault::io_error, fault::interrupted, fault::cut_short};
  case system_call::write: return {fault::io_error, fault::no_space, fault::interrupted, fault::cut_short, fault::torn};
  case system_call::create:
  case system_call::allocate:
  case system_call::sync_data: return {fault::io_error, fault::no_space, fault::interrupted};
  case system_call::sync_directory:
  case system_call::rename:
  case system_call::mkdir: return {fault::io_error, fault::no_space};
  case system_call::unlink:
  case system_call::stat:
  case system_call::list: return {fault::io_error};
  }
  return {};
}

void note_calls() {
  mine = {};
  mine.notes = true;
}

const std::vector<system_call>& noted_calls() {
  return mine.noted;
}

void leave_calls_alone() {
  mine.notes = false;
  mine.left = 0;
  mine.also.reset();
}

void fail_call(std::size_t nth, fault what) {
  mine = {};
  mine.left = nth;
  mine.what = what;
}

bool has_failed() {
  return mine.has_failed;
}

} // namespace troupe::test

// The C library's names, which the linker finds here first.
extern "C" {

using namespace troupe::test;

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : mode_t{0};
  va_end(rest);
  return troupe::test::open(path, flags, mode);
}

ssize_t pwritev(int file, const iovec* from, int count, off_t offset) {
  return troupe::test::write(file, from, count, offset);
}

ssize_t pread(int file, void* into, size_t size, off_t offset) {
  return troupe::test::read(file, into, size, offset);
}

int fdatasync(int file) {
  return meet(system_call::sync_data, -1, [&] { return next<int(int)>("fdatasync")(file); });
}

int fsync(int file) {
  return meet(system_call::sync_directory, -1, [&] { return next<int(int)>("fsync")(file); });
}

int fallocate(int file, int mode, off_t offset, off_t size) {
  return meet(system_call::allocate, -1,
              [&] { return next<int(int, int, off_t, off_t)>("fallocate")(file, mode, offset, size); });
}

int rename(const char* from, const char* to) noexcept {
  return meet(system_call::rename, -1, [&] { return next<int(const char*, const char*)>("rename")(from, to); });
}

int unlink(const char* path) noexcept {
  return meet(system_call::unlink, -1, [&] { return next<int(const char*)>("unlink")(path); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  return meet(system_call::mkdir, -1, [&] { return next<int(const char*, mode_t)>("mkdir")(path, mode); });
}

int stat(const char* path, struct stat* facts) noexcept {
  return meet(system_call::stat, -1, [&] { return next<int(const char*, struct stat*)>("stat")(path, facts); });
}

int fstat(int file, struct stat* facts) noexcept {
  return meet(system_call::stat, -1, [&] { return next<int(int, struct stat*)>("fstat")(file, facts); });
}

DIR* opendir(const char* path) {
  return meet(system_call::list, static_cast<DIR*>(nullptr), [&] { return next<DIR*(const char*)>("opendir")(path); });
}

dirent* readdir(DIR* directory) {
  return meet(system_call::list, static_cast<dirent*>(nullptr),
              [&] { return next<dirent*(DIR*)>("readdir")(directory); });
}
}
