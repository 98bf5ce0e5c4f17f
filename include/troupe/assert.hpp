/// \file
/// Assertions of our own, on in every build: a peer that has found a bug in itself must stop, not guess.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace troupe {

[[noreturn]] inline void assertion_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "troupe: bug: %s (%s) at %s:%d\n", why, condition, file, line);
  std::abort();
}

} // namespace troupe

/// Ends the process if `condition` does not hold. `why` says in words what ought to be true.
#define TROUPE_ASSERT(condition, why)                                                                                  \
  do {                                                                                                                 \
    if (!(condition)) [[unlikely]]                                                                                     \
      ::troupe::assertion_failed(#condition, why, __FILE__, __LINE__);                                                 \
  } while (false)
