/// \file
/// What a node remembers durably, in the words of stories.
#pragma once

#include "troupe/types.hpp"

#include <string>

namespace troupe {

/// `216@3`: index and term.
inline std::string in_words(const log_position& at) {
  return std::to_string(at.index.value()) + "@" + std::to_string(at.term.value());
}

/// `term 3, vote for 2` or `term 3, no vote`; and `, a loss` of one without a say.
inline std::string in_words(const hard_state& vote) {
  return "term " + std::to_string(vote.current_term.value())
      + (vote.voted_for == nobody ? ", no vote" : ", vote for " + std::to_string(vote.voted_for.value()))
      + (vote.lost == 0 ? "" : ", a loss");
}

} // namespace troupe
