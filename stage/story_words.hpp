/// \file
/// Small words that a story is made of.
#pragma once

#include "stage/trace.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace troupe::story_words {

inline std::string text(peer_id id) {
  return std::to_string(id.value());
}

inline std::string text(term_number term) {
  return std::to_string(term.value());
}

inline std::string counted(std::size_t n, const std::string& one, const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

inline std::string joined(const std::vector<std::string>& parts, const std::string& between) {
  std::string out;
  for (const auto& part : parts)
    out += (out.empty() ? "" : between) + part;
  return out;
}

inline std::string padded(std::string words, std::size_t width) {
  if (words.size() < width)
    words.append(width - words.size(), ' ');
  return words;
}

inline char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Puts a verb before some words that may begin with it already.
inline std::string phrase(const std::string& verb, std::string words) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  if (words.size() >= verb.size() && std::equal(verb.begin(), verb.end(), words.begin(), same))
    return verb + words.substr(verb.size());
  return words.empty() ? verb : verb + ": " + words;
}

inline std::string verb_of(const trace_event& event) {
  switch (event.what) {
  case trace_event::kind::starts: return "STARTS";
  case trace_event::kind::crashes: return "CRASHES";
  case trace_event::kind::rises: return "LEADS term " + text(event.term);
  case trace_event::kind::commits: return "commits";
  case trace_event::kind::applies: return "applies";
  case trace_event::kind::logs: return "logs";
  case trace_event::kind::writes: return "writes";
  case trace_event::kind::asks: return "client asks";
  case trace_event::kind::tells: return "client is told";
  case trace_event::kind::strikes: return "FAULT";
  case trace_event::kind::breaks: return "BREAKS";
  case trace_event::kind::hears: return "hears";
  case trace_event::kind::loses: return "lost";
  default: return "says";
  }
}

} // namespace troupe::story_words
