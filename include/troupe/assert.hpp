/// \file
/// Assertions of our own, on in every build: a peer that has found a bug in itself must stop, not guess.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace troupe {

/// An assertion that did not hold.
struct failed_assertion {
  const char* why;       ///< In words, what ought to be true.
  const char* condition; ///< As it stands in the code.
  std::string values;    ///< What was there instead, in words; empty if nobody says.
  const char* file;
  int line;
};

/// What is to happen when an assertion fails, instead of the end of the process. It must not return. Set by simulators
/// alone, for whom a node that stops is one node of many, and its bug a finding to be told with its seed and its story;
/// a real process has nothing better to do than to end. A variable of the program for want of a way to reach every
/// assertion; set before anything plays, on the one thread that plays.
inline void (*on_failed_assertion)(const failed_assertion& what) = nullptr;

[[nodiscard]] inline std::string to_string(const failed_assertion& what) {
  return std::string{"bug: "} + what.why + (what.values.empty() ? "" : ", but " + what.values) + " (" + what.condition
      + ") at " + what.file + ":" + std::to_string(what.line);
}

[[noreturn]] inline void assertion_failed(const failed_assertion& what) {
  if (on_failed_assertion != nullptr)
    on_failed_assertion(what);
  std::fprintf(stderr, "troupe: %s\n", to_string(what).c_str());
  std::abort();
}

} // namespace troupe

/// Ends the process if `condition` does not hold. `why` says in words what ought to be true. A third argument makes a
/// string of what is there instead, and is looked at in that case only.
#define TROUPE_ASSERT(condition, why, ...)                                                                             \
  do {                                                                                                                 \
    if (!(condition)) [[unlikely]]                                                                                     \
      ::troupe::assertion_failed({why, #condition, std::string{__VA_ARGS__}, __FILE__, __LINE__});                     \
  } while (false)
