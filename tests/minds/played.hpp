/// \file
/// Short runs, event by event, for those who tell of runs.
#pragma once

#include "stage/trace.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// A run that a test plays by hand. Times are milliseconds.
class played {
public:
  using kind = trace_event::kind;

  played& at(double milliseconds) {
    now_ = std::chrono::round<duration>(std::chrono::duration<double, std::milli>{milliseconds});
    return *this;
  }

  /// Returns the number of the message.
  std::uint64_t sends(std::uint64_t from, std::uint64_t to, std::uint64_t term, const std::string& words) {
    const auto prefix = std::to_string(from) + ">" + std::to_string(to) + " term=" + std::to_string(term) + " ";
    add(kind::sends, from, prefix + words, to, term, ++messages_);
    ways_.push_back({from, to, term});
    return messages_;
  }
  void hears(std::uint64_t message, const std::string& note = {}) {
    const auto& sent = ways_[message - 1];
    add(kind::hears, sent.to, note, sent.from, sent.term, message);
  }
  void loses(std::uint64_t message, const std::string& why = {}) {
    const auto& sent = ways_[message - 1];
    add(kind::loses, sent.from, why, sent.to, sent.term, message);
  }
  /// Sent and heard at once.
  void says(std::uint64_t from, std::uint64_t to, std::uint64_t term, const std::string& words) {
    hears(sends(from, to, term, words));
  }
  void add(kind what, std::uint64_t node, std::string words, std::uint64_t other = 0, std::uint64_t term = 0,
           std::uint64_t message = 0) {
    events_.push_back({now_, what, peer_id{node}, peer_id{other}, term_number{term}, message, std::move(words)});
  }

  [[nodiscard]] const std::vector<trace_event>& events() const { return events_; }

  /// A leader's empty AppendEntries to one follower, and the answer.
  void beats(std::uint64_t leader, std::uint64_t follower, std::uint64_t term) {
    const auto number = std::to_string(++beats_);
    says(leader, follower, term, "append #" + number + " after 4@2 +0 commit=4");
    says(follower, leader, term, "appended #" + number + " match=4");
  }

private:
  struct way {
    std::uint64_t from;
    std::uint64_t to;
    std::uint64_t term;
  };

  duration now_{};
  std::vector<trace_event> events_;
  std::vector<way> ways_;
  std::uint64_t messages_ = 0;
  std::uint64_t beats_ = 0;
};

/// Node 1 leads term 3, crashes, and node 2 leads term 4 though it may not.
[[nodiscard]] inline played a_short_run() {
  played run;
  run.add(played::kind::starts, 1, "life 1");
  run.add(played::kind::starts, 2, "life 1");
  run.add(played::kind::starts, 3, "life 1");
  run.at(100).says(1, 2, 3, "vote for me round=1 last=4@2");
  run.at(101).says(2, 1, 3, "I do round=1");
  run.add(played::kind::rises, 1, "", 0, 3);
  for (int beat = 0; beat < 7; ++beat)
    for (const std::uint64_t follower : {2, 3})
      run.at(110 + 50 * beat).beats(1, follower, 3);
  run.at(500).add(played::kind::crashes, 1, "power lost");
  run.at(700).says(2, 3, 4, "vote for me round=2 last=4@2");
  run.at(701).says(3, 2, 4, "I do round=2");
  run.add(played::kind::rises, 2, "", 0, 4);
  run.at(701.25).add(played::kind::breaks, 2, "peer 2 leads term 4 without committed entry 5", 0, 4);
  return run;
}

} // namespace troupe
