/// \file
/// How a story fails.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// A promise was broken. The message says which; whoever runs the story adds the seed.
class story_failed : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// A promise that was broken, and what is known of it: a line each, for whoever looks for the cause.
struct broken_promise {
  std::string words; ///< One line.
  std::vector<std::string> details = {};
};

/// Remembers the first broken promise. An actor would swallow an exception thrown from within a message it sends, so
/// observers write it down here and the runtime throws it at its next step.
class verdict {
public:
  void fail(std::string why, std::vector<std::string> details = {}) {
    if (!failed())
      broken_ = {std::move(why), std::move(details)};
  }

  [[nodiscard]] bool failed() const { return !broken_.words.empty(); }
  /// More about it than its words, if somebody knows more.
  [[nodiscard]] const std::vector<std::string>& details() const { return broken_.details; }

  /// Throws `story_failed` if a promise was broken.
  void demand() const {
    if (failed())
      throw story_failed{broken_.words};
  }

private:
  broken_promise broken_;
};

} // namespace troupe
