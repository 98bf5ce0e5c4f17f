/// \file
/// Puts single lines of a story in words: when, a column for each node, who, in which term, what.
#pragma once

#include "stage/story_lines.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// What it is made of must outlive it.
class teller {
public:
  teller(const std::vector<trace_event>& trace, const reading& read, const std::set<event_number>& told_apart);

  /// Whether there is a column for each node.
  [[nodiscard]] bool shows_columns() const { return shows_columns_; }

  /// What stands over them.
  [[nodiscard]] std::string names_of_columns() const;

  /// A line, ended. Lines are told in the order of time: what a column shows is how its node lives by then.
  [[nodiscard]] std::string line(const story_line& told);

  /// An instant, as lines begin with it.
  [[nodiscard]] std::string time(duration at) const;

private:
  void live_until(event_number i);
  [[nodiscard]] bool leads(peer_id id) const;
  [[nodiscard]] std::string columns() const;
  [[nodiscard]] std::string way(const story_line& told);
  [[nodiscard]] std::string later(event_number end, const passage& message) const;
  [[nodiscard]] std::string fate(const passage& message);
  [[nodiscard]] std::string fates(const story_line& told);
  [[nodiscard]] std::pair<std::string, std::string> end_of_message(const story_line& told);
  [[nodiscard]] std::pair<std::string, std::string> event(event_number i);
  [[nodiscard]] std::string beats(const story_line& told);

  const std::vector<trace_event>& trace_;
  const reading& read_;
  const std::set<event_number>& told_apart_;
  std::map<peer_id, bool> alive_;
  std::map<peer_id, char> acts_; ///< In the present line: what a node does.
  event_number next_ = 0;
  event_number at_ = 0;
  std::size_t whole_width_ = 2;
  bool shows_columns_ = true;
};

} // namespace troupe
