/// \file
/// How a story fails.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace troupe {

/// A promise was broken. The message says which; whoever runs the story adds the seed.
class story_failed : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Remembers the first broken promise. An actor would swallow an exception thrown from within a message it sends, so
/// observers write it down here and the runtime throws it at its next step.
class verdict {
public:
  void fail(std::string why) {
    if (why_.empty())
      why_ = std::move(why);
  }

  [[nodiscard]] bool failed() const { return !why_.empty(); }

  /// Throws `story_failed` if a promise was broken.
  void demand() const {
    if (failed())
      throw story_failed{why_};
  }

private:
  std::string why_;
};

} // namespace troupe
