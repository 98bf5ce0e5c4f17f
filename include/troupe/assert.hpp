/// \file
/// Assertions of our own, on in every build: a peer that has found a bug in itself must stop, not guess.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace troupe {

/// What is to happen when an assertion fails, instead of the end of the process: the words, the condition, and where it
/// stands. It must not return. Set by simulators alone, for whom a node that stops is one node of many, and its bug a
/// finding to be told with its seed and its story; a real process has nothing better to do than to end. A variable of
/// the program for want of a way to reach every assertion; set before anything plays, on the one thread that plays.
inline void (*on_failed_assertion)(const char* why, const char* condition, const char* file, int line) = nullptr;

[[noreturn]] inline void assertion_failed(const char* condition, const char* why, const char* file, int line) {
  if (on_failed_assertion != nullptr)
    on_failed_assertion(why, condition, file, line);
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
