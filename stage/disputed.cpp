#include "stage/disputed.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <tuple>

namespace troupe {

namespace {

using kind = trace_event::kind;
using number = std::uint64_t;

/// The number that words begin with.
std::optional<number> leading_number(std::string_view words) {
  number found = 0;
  const auto [end, trouble] = std::from_chars(words.data(), words.data() + words.size(), found);
  if (trouble != std::errc{})
    return std::nullopt;
  return found;
}

/// The number behind the first `name`.
std::optional<number> number_behind(std::string_view words, std::string_view name) {
  const auto at = words.find(name);
  return at == words.npos ? std::nullopt : leading_number(words.substr(at + name.size()));
}

void collect(std::set<number>& into, std::string_view words, std::string_view name) {
  for (auto at = words.find(name); at != words.npos; at = words.find(name, at + name.size()))
    if (const auto found = leading_number(words.substr(at + name.size())))
      into.insert(*found);
}

std::string listed(const std::set<number>& all, const std::string& one, const std::string& many) {
  std::string out;
  for (const auto each : all)
    out += (out.empty() ? (all.size() == 1 ? one : many) + " " : ", ") + std::to_string(each);
  return out;
}

/// What a message says of the log, by its words (stage/transcript.hpp).
struct log_speech {
  std::optional<std::pair<number, number>> carries; ///< Entries behind the first, up to the second.
  std::optional<number> commit;
  std::optional<number> acknowledges; ///< Up to here.
  std::optional<number> stands_for;   ///< A snapshot, up to here.
};

log_speech speech_of(const passage& message) {
  log_speech says;
  const std::string_view words = message.words;
  if (words.starts_with("append #")) {
    if (const auto before = number_behind(words, " after "))
      if (const auto count = number_behind(words, " +"); count && *count > 0)
        says.carries = {*before, *before + *count};
    says.commit = number_behind(words, " commit=");
  } else if (words.starts_with("appended #")) {
    says.acknowledges = number_behind(words, " match=");
  } else if (words.starts_with("snapshot #") || words.starts_with("installed #")) {
    says.stands_for = number_behind(words, " of ");
  }
  return says;
}

class finder {
public:
  finder(disputed& about, const std::vector<trace_event>& trace, const reading& read,
         const std::vector<story_line>& lines)
      : about_{about}, trace_{trace}, read_{read}, lines_{lines} {}

  std::vector<std::size_t> find() {
    complete();
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < lines_.size(); ++i)
      if (is_about(lines_[i]) || (!found.empty() && is_turn_of_events(trace_[lines_[i].event])))
        found.push_back(i);
    return found;
  }

private:
  /// Who applies an entry says which operation it is of, and the other way round.
  void complete() {
    const auto named = about_;
    for (const auto& event : trace_) {
      if (event.what != kind::applies)
        continue;
      const auto index = number_behind(event.words, "index ");
      const auto of = number_behind(event.words, "operation ");
      if (!index || !of)
        continue;
      if (named.entries.contains(*index) || named.operations.contains(*of)) {
        about_.entries.insert(*index);
        about_.operations.insert(*of);
      }
    }
  }

  [[nodiscard]] static bool is_turn_of_events(const trace_event& event) {
    return event.what == kind::rises || event.what == kind::crashes || event.what == kind::starts
        || event.what == kind::strikes;
  }

  [[nodiscard]] bool is_about(const story_line& line) {
    const auto& event = trace_[line.event];
    if (!line.messages.empty()) {
      bool is = false;
      for (const auto of : line.messages)
        is |= is_about(read_.passages[of]);
      return is && !line.is_heartbeats;
    }
    switch (event.what) {
    case kind::applies: {
      const auto index = number_behind(event.words, "index ");
      return index && about_.entries.contains(*index);
    }
    case kind::asks:
    case kind::tells: return names_operation(event.words);
    case kind::logs: {
      const auto from = number_behind(event.words, "event=log_cut from=");
      return from && about_.entries.lower_bound(*from) != about_.entries.end();
    }
    case kind::writes: {
      const auto from = number_behind(event.words, "cut off from ");
      return about_.terms.contains(event.term.value())
          || (from && about_.entries.lower_bound(*from) != about_.entries.end());
    }
    case kind::rises: return about_.terms.contains(event.term.value());
    default: return false;
    }
  }

  /// `asks 12: ..`, `says 12: ..`, `answers 12: ..`, `refuses 12: ..`, `hears of 12: ..`
  [[nodiscard]] bool names_operation(std::string_view words) const {
    for (const std::string_view verb : {"asks ", "says ", "answers ", "refuses ", "hears of "})
      if (const auto of = number_behind(words, verb))
        return about_.operations.contains(*of);
    return false;
  }

  [[nodiscard]] bool is_about(const passage& message) {
    if (message.about == topic::votes && about_.terms.contains(message.term.value()))
      return true;
    const auto says = speech_of(message);
    bool is = false;
    for (const auto entry : about_.entries) {
      if (says.carries && says.carries->first < entry && entry <= says.carries->second)
        is |= is_news("carries", message, entry);
      if (says.commit && *says.commit >= entry)
        is |= is_news("commit", message, entry);
      if (says.acknowledges && *says.acknowledges >= entry)
        is |= is_news("acknowledges", message, entry);
      if (says.stands_for && *says.stands_for >= entry)
        is |= is_news(message.words.substr(0, 3), message, entry);
    }
    return is;
  }

  /// The first of its kind from this sender to this receiver in this term; and, if that one was lost, the first heard.
  [[nodiscard]] bool is_news(const std::string& what, const passage& message, number entry) {
    const auto key = std::tuple{what, message.from, message.to, message.term, entry};
    if (heard_.contains(key))
      return false;
    if (!message.heard.empty())
      heard_.insert(key);
    return lost_.insert(key).second || !message.heard.empty();
  }

  disputed& about_;
  const std::vector<trace_event>& trace_;
  const reading& read_;
  const std::vector<story_line>& lines_;
  using utterance = std::tuple<std::string, peer_id, peer_id, term_number, number>;
  std::set<utterance> heard_;
  std::set<utterance> lost_;
};

} // namespace

std::string disputed::in_words() const {
  std::string out;
  for (const auto& part : {listed(entries, "entry", "entries"), listed(operations, "operation", "operations"),
                           listed(terms, "term", "terms")})
    if (!part.empty())
      out += (out.empty() ? "" : ", ") + part;
  return out;
}

disputed find_disputed(const std::string& violation, const std::vector<std::string>& details) {
  disputed about;
  auto all = details;
  all.push_back(violation);
  for (const auto& words : all) {
    collect(about.entries, words, "entry ");
    for (const std::string_view what : {"operation ", "command ", "query "})
      collect(about.operations, words, what);
  }
  if (about.entries.empty() && about.operations.empty())
    for (const std::string_view what : {"term ", "round "})
      collect(about.terms, violation, what);
  return about;
}

std::vector<std::size_t> lines_about(disputed& about, const std::vector<trace_event>& trace, const reading& read,
                                     const std::vector<story_line>& lines) {
  return finder{about, trace, read, lines}.find();
}

} // namespace troupe
