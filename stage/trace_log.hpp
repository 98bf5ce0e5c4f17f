/// \file
/// Takes in what happens: always as a hash, and word by word while somebody wants to be told.
#pragma once

#include "stage/trace.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

class trace_log {
public:
  /// Words are made only while they are wanted.
  explicit trace_log(bool wants_words) : wants_words_{wants_words} {}

  template <class Words>
  void note(trace_event event, const Words& words) {
    fold(static_cast<std::uint64_t>(event.at.count()));
    fold(static_cast<std::uint64_t>(event.what) << 48 ^ event.node.value() << 32 ^ event.other.value() << 16
         ^ event.term.value());
    fold(event.message);
    ++count_;
    if (!wants_words_)
      return;
    event.words = words();
    events_.push_back(std::move(event));
  }

  /// What only stories have, and hashes do not: whoever does not want words has no such events.
  void remark(trace_event event) {
    if (wants_words_)
      events_.push_back(std::move(event));
  }

  /// More to be hashed than an event shows.
  void fold(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15ull ^ hash_ >> 29; }

  /// Of everything so far: equal for equal runs.
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::vector<trace_event> take() { return std::move(events_); }

private:
  bool wants_words_;
  std::uint64_t hash_ = 0x2545f4914f6cdd1dull;
  std::uint64_t count_ = 0;
  std::vector<trace_event> events_;
};

} // namespace troupe
