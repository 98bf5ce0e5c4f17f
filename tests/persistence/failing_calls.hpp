/// \file
/// System calls that go wrong on purpose. The test program defines those that real_file_system.cpp uses, and so stands
/// before the C library: each is passed on, unless it is its turn to fail.
#pragma once

#include <cstddef>
#include <vector>

namespace troupe::test {

enum class system_call {
  open,
  create, ///< `open` of a file that may not be there yet.
  read,
  write,
  sync_data,
  sync_directory,
  allocate,
  rename,
  unlink,
  mkdir,
  stat,
  list,
};

enum class fault {
  io_error,    ///< EIO, and nothing is done.
  no_space,    ///< ENOSPC, and nothing is done.
  interrupted, ///< EINTR, and nothing is done.
  cut_short,   ///< About half of it is done, which is no error.
  torn,        ///< About half of it is done, and the next call of its kind fails with EIO.
};

[[nodiscard]] const char* name_of(system_call which);
[[nodiscard]] const char* name_of(fault what);

/// What can happen to a call.
[[nodiscard]] std::vector<fault> faults_of(system_call which);

/// From now on this thread's calls are noted.
void note_calls();
/// Of which, so far, these were made.
[[nodiscard]] const std::vector<system_call>& noted_calls();
/// Notes no more, and lets no call fail.
void leave_calls_alone();

/// From now on this thread's calls are counted, and the `nth` (from 1) goes wrong, once.
void fail_call(std::size_t nth, fault what);
/// Did it?
[[nodiscard]] bool has_failed();

} // namespace troupe::test
