#include "stage/story.hpp"

#include "stage/disputed.hpp"
#include "stage/reading.hpp"
#include "stage/story_lines.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace troupe {

namespace {

using kind = trace_event::kind;

/// Beyond this many nodes there is no room for a column each.
constexpr std::size_t most_columns = 9;
/// Lines on what a broken promise is about: so many from the first on, and as many up to the last.
constexpr std::size_t most_disputed = 24;
/// Leaderships named in the heading.
constexpr std::size_t most_leaderships = 12;

std::string text(peer_id id) {
  return std::to_string(id.value());
}

std::string text(term_number term) {
  return std::to_string(term.value());
}

std::string counted(std::size_t n, const std::string& one, const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string joined(const std::vector<std::string>& parts, const std::string& between) {
  std::string out;
  for (const auto& part : parts)
    out += (out.empty() ? "" : between) + part;
  return out;
}

std::string padded(std::string words, std::size_t width) {
  if (words.size() < width)
    words.append(width - words.size(), ' ');
  return words;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Puts a verb before some words that may begin with it already.
std::string phrase(const std::string& verb, std::string words) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  if (words.size() >= verb.size() && std::equal(verb.begin(), verb.end(), words.begin(), same))
    return verb + words.substr(verb.size());
  return words.empty() ? verb : verb + ": " + words;
}

std::string verb_of(const trace_event& event) {
  switch (event.what) {
  case kind::starts: return "STARTS";
  case kind::crashes: return "CRASHES";
  case kind::rises: return "LEADS term " + text(event.term);
  case kind::commits: return "commits";
  case kind::applies: return "applies";
  case kind::writes: return "writes";
  case kind::asks: return "client asks";
  case kind::tells: return "client is told";
  case kind::strikes: return "FAULT";
  case kind::breaks: return "BREAKS";
  case kind::hears: return "hears";
  case kind::loses: return "lost";
  default: return "says";
  }
}

/// Puts lines in words.
class teller {
public:
  teller(const std::vector<trace_event>& trace, const reading& read, const std::set<event_number>& told_apart)
      : trace_{trace}, read_{read}, told_apart_{told_apart} {
    for (const auto id : read.nodes) {
      const auto life = std::find_if(read.lives.begin(), read.lives.end(), [&](const auto& l) { return l.node == id; });
      alive_[id] = life == read.lives.end() || life->begins == no_event;
    }
    if (!trace.empty())
      whole_width_ = std::to_string(trace.back().at / std::chrono::milliseconds{1}).size();
    shows_columns_ = read.nodes.size() <= most_columns;
  }

  [[nodiscard]] bool shows_columns() const { return shows_columns_; }

  [[nodiscard]] std::string names_of_columns() const {
    std::string out = padded("ms", whole_width_ + 4) + "  ";
    if (shows_columns_)
      for (const auto id : read_.nodes)
        out += text(id) + "  ";
    return out;
  }

  std::string line(const story_line& told) {
    live_until(told.event);
    acts_.clear();
    std::string who;
    std::string what;
    auto term = trace_[told.event].term;
    if (told.is_heartbeats) {
      who = way(told);
      what = beats(told);
    } else if (trace_[told.event].what == kind::sends) {
      who = way(told);
      what = read_.passages[told.messages.front()].words + "  (" + fates(told) + ")";
    } else if (!told.messages.empty()) {
      std::tie(who, what) = end_of_message(told);
    } else {
      std::tie(who, what) = event(told.event);
      if (trace_[told.event].what == kind::rises)
        term = {};
    }
    const auto in_term = term == term_number{} ? std::string{} : "t" + text(term);
    return time(trace_[told.event].at) + "  " + columns() + padded(who, 9) + " " + padded(in_term, 4) + " " + what
        + "\n";
  }

  [[nodiscard]] std::string time(duration at) const {
    const auto words = in_milliseconds(at);
    const auto point = std::min(words.find('.'), words.size());
    return std::string(whole_width_ > point ? whole_width_ - point : 0, ' ') + padded(words, point + 4);
  }

private:
  void live_until(event_number i) {
    for (; next_ <= i; ++next_)
      if (trace_[next_].what == kind::starts)
        alive_[trace_[next_].node] = true;
      else if (trace_[next_].what == kind::crashes)
        alive_[trace_[next_].node] = false;
    at_ = i;
  }

  [[nodiscard]] bool leads(peer_id id) const {
    return std::any_of(read_.leaderships.begin(), read_.leaderships.end(),
                       [&](const node_leadership& l) { return l.node == id && l.rises <= at_ && at_ <= l.last_sign; });
  }

  std::string columns() const {
    if (!shows_columns_)
      return {};
    std::string out;
    for (const auto id : read_.nodes) {
      out += !alive_.at(id) ? '.' : leads(id) ? '#' : '|';
      const auto act = acts_.find(id);
      out += act == acts_.end() ? ' ' : act->second;
      out += ' ';
    }
    return out;
  }

  std::string way(const story_line& told) {
    std::vector<std::string> receivers;
    for (const auto of : told.messages)
      if (const auto to = text(read_.passages[of].to);
          std::find(receivers.begin(), receivers.end(), to) == receivers.end())
        receivers.push_back(to);
    return text(read_.passages[told.messages.front()].from) + " -> " + joined(receivers, " ");
  }

  std::string later(event_number end, const passage& message) const {
    if (message.sent == no_event || trace_[end].at == trace_[message.sent].at)
      return message.sent == no_event ? "" : " at once";
    return " +" + in_milliseconds(trace_[end].at - trace_[message.sent].at) + " ms";
  }

  std::string fate(const passage& message) {
    std::vector<std::string> parts;
    for (const auto& end : message.heard)
      parts.push_back("heard" + later(end.at, message) + (told_apart_.contains(end.at) ? ", below" : "")
                      + (end.note.empty() ? "" : ": " + end.note));
    for (const auto& end : message.lost)
      parts.push_back((trace_[end.at].at == trace_[message.sent].at ? "lost" : "lost" + later(end.at, message))
                      + (end.note.empty() ? "" : ": " + end.note));
    acts_[message.to] = message.heard.empty() ? message.lost.empty() ? '?' : 'x' : '<';
    return parts.empty() ? "on its way at the end" : joined(parts, ", ");
  }

  std::string fates(const story_line& told) {
    std::vector<std::pair<std::string, std::string>> by_fate; // Fate, and who met it.
    for (const auto of : told.messages) {
      const auto& message = read_.passages[of];
      const auto met = fate(message);
      const auto same = std::find_if(by_fate.begin(), by_fate.end(), [&](const auto& f) { return f.first == met; });
      if (same == by_fate.end())
        by_fate.emplace_back(met, text(message.to));
      else
        same->second += " " + text(message.to);
    }
    acts_[read_.passages[told.messages.front()].from] = 'o';
    if (by_fate.size() == 1)
      return (told.messages.size() == 1 ? "" : told.messages.size() == 2 ? "both " : "all ") + by_fate.front().first;
    std::vector<std::string> parts;
    for (const auto& [met, who] : by_fate)
      parts.push_back(who + " " + met);
    return joined(parts, "; ");
  }

  std::pair<std::string, std::string> end_of_message(const story_line& told) {
    const auto& message = read_.passages[told.messages.front()];
    const auto hears = trace_[told.event].what == kind::hears;
    const auto& ends = hears ? message.heard : message.lost;
    const auto end = std::find_if(ends.begin(), ends.end(), [&](const auto& e) { return e.at == told.event; });
    std::string aside;
    if (message.sent != no_event)
      aside = "sent " + in_milliseconds(trace_[told.event].at - trace_[message.sent].at) + " ms before";
    if (hears && end != ends.begin())
      aside += (aside.empty() ? "" : ", ") + std::string{"not for the first time"};
    if (!end->note.empty())
      aside += (aside.empty() ? "" : ": ") + end->note;
    acts_[message.to] = hears ? '<' : 'x';
    return {hears ? text(message.to) + " <- " + text(message.from) : text(message.from) + " -> " + text(message.to),
            (hears ? "hears " : "lost: ") + message.words + (aside.empty() ? "" : "  (" + aside + ")")};
  }

  std::pair<std::string, std::string> event(event_number i) {
    const auto& now = trace_[i];
    auto words = phrase(verb_of(now), printable(now.words));
    if (const auto question = read_.questions.find(i); question != read_.questions.end())
      words += "  (asked " + in_milliseconds(now.at - trace_[question->second].at) + " ms before)";
    if (now.node == nobody) {
      for (const auto id : read_.nodes)
        acts_[id] = '!';
      return {"all", words};
    }
    const char act = now.what == kind::asks ? '?' : now.what == kind::tells ? '=' : '!';
    acts_[now.node] = act;
    if (now.other == nobody)
      return {text(now.node), words};
    acts_[now.other] = act;
    return {text(now.node) + " - " + text(now.other), words};
  }

  /// Of heartbeats to one follower.
  struct beaten {
    std::size_t sent = 0;
    std::size_t heard = 0;
    std::size_t twice = 0;
    std::size_t answered = 0;

    [[nodiscard]] std::string in_words() const {
      if (answered == sent)
        return " answered" + (sent == 1 ? "" : " all " + std::to_string(sent));
      if (heard == 0)
        return " did not hear" + (sent == 1 ? "" : " any of " + std::to_string(sent));
      return " answered " + std::to_string(answered) + " of " + std::to_string(sent)
          + (heard == sent ? "" : ", did not hear " + std::to_string(sent - heard));
    }
  };

  std::string beats(const story_line& told) {
    std::map<peer_id, beaten> followers;
    duration until{};
    duration slowest{};
    for (const auto of : told.messages) {
      const auto& request = read_.passages[of];
      auto& follower = followers[request.to];
      ++follower.sent;
      follower.heard += !request.heard.empty();
      follower.twice += request.heard.size() > 1;
      if (request.answer != no_event)
        follower.answered += !read_.passages[request.answer].heard.empty();
      until = std::max(until, trace_[request.sent].at);
      for (const auto& end : request.heard)
        slowest = std::max(slowest, trace_[end.at].at - trace_[request.sent].at);
    }
    auto out = counted(told.messages.size(), "heartbeat", "heartbeats");
    if (until > trace_[told.event].at)
      out += " until " + in_milliseconds(until) + " ms";
    acts_[read_.passages[told.messages.front()].from] = 'o';
    std::vector<std::string> parts;
    std::size_t heard = 0;
    std::size_t answered = 0;
    std::size_t twice = 0;
    for (const auto& [id, of] : followers) {
      acts_[id] = of.heard > 0 ? '<' : 'x';
      heard += of.heard;
      answered += of.answered;
      twice += of.twice;
      parts.push_back(text(id) + of.in_words());
    }
    if (answered == told.messages.size())
      out += told.messages.size() == 1 ? ", answered" : ", all answered";
    else if (heard == 0)
      out += told.messages.size() == 1 ? ", not heard" : ", none heard";
    else if (told.messages.size() == 1)
      out += ", not answered";
    else
      out += ": " + joined(parts, "; ");
    std::vector<std::string> asides;
    if (slowest > duration{})
      asides.push_back((told.messages.size() == 1 ? "heard +" : "the slowest heard +") + in_milliseconds(slowest)
                       + " ms");
    if (twice > 0)
      asides.push_back(std::to_string(twice) + " heard twice");
    return asides.empty() ? out : out + "  (" + joined(asides, ", ") + ")";
  }

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

/// What the run was, in short.
std::string in_short(const std::vector<trace_event>& trace, const reading& read, const teller& words) {
  std::size_t counts[16] = {};
  for (const auto& event : trace)
    ++counts[static_cast<std::size_t>(event.what) % 16];
  const auto of = [&](kind what) { return counts[static_cast<std::size_t>(what)]; };
  std::vector<std::string> nodes;
  for (const auto id : read.nodes)
    nodes.push_back(text(id));
  std::string out = counted(trace.size(), "event", "events") + " at " + (nodes.size() == 1 ? "node " : "nodes ")
      + joined(nodes, " ") + " in " + in_milliseconds(trace.back().at)
      + " ms: " + counted(of(kind::sends), "message", "messages") + ", " + std::to_string(of(kind::loses)) + " lost; "
      + counted(of(kind::crashes), "crash", "crashes") + "; " + counted(of(kind::strikes), "fault", "faults")
      + " and ends of faults\n";
  const auto first = read.leaderships.size() - std::min(read.leaderships.size(), most_leaderships);
  if (read.leaderships.empty())
    out += "Nobody led.\n";
  else
    out += "Who led" + (first > 0 ? ", " + std::to_string(first) + " earlier ones left out" : std::string{}) + ":\n";
  for (auto i = first; i < read.leaderships.size(); ++i) {
    const auto& led = read.leaderships[i];
    out += words.time(trace[led.rises].at) + "  node " + text(led.node) + ", term " + text(led.term)
        + ", last spoke as leader at " + in_milliseconds(trace[led.last_sign].at) + " ms\n";
  }
  return out;
}

/// What the run says of what the broken promise is about: where to begin reading.
std::string on_what_is_disputed(const std::vector<trace_event>& trace, const reading& read, const story_lines& chosen,
                                const story_options& options) {
  if (read.violation == no_event)
    return {};
  auto about = find_disputed(trace[read.violation].words, options.details);
  const auto lines = lines_about(about, trace, read, chosen.lines);
  if (lines.empty())
    return {};
  teller words{trace, read, chosen.told_apart};
  auto out = "What the run says of " + about.in_words() + ":\n";
  const auto left_out = lines.size() - std::min(lines.size(), 2 * most_disputed);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (left_out > 0 && i == most_disputed) {
      out += "(" + counted(left_out, "line", "lines") + " left out)\n";
      i += left_out;
    }
    out += words.line(chosen.lines[lines[i]]);
  }
  return out + "\n";
}

/// How each node stood when the run ended.
std::string at_the_end(const std::vector<trace_event>& trace, const reading& read, const story_options& options,
                       const teller& words) {
  std::string out = "At the end:\n";
  for (const auto& line : options.standings)
    out += "  " + line + "\n";
  for (const auto id : read.nodes) {
    if (!options.nodes.empty() && !options.nodes.contains(id))
      continue;
    std::string state = "lives";
    event_number begins = 0;
    for (const auto& life : read.lives)
      if (life.node == id) {
        begins = life.begins == no_event ? 0 : life.begins;
        state = life.ends != no_event ? "down since " + in_milliseconds(trace[life.ends].at) + " ms"
            : life.begins == no_event ? "lives"
                                      : "lives since " + in_milliseconds(trace[life.begins].at) + " ms";
      }
    term_number term;
    for (const auto& known : read.terms)
      if (known.node == id)
        term = known.term;
    state += ", term " + text(term);
    for (const auto& led : read.leaderships)
      if (led.node == id && led.ends == no_event)
        state += ", rose to lead term " + text(led.term) + " at " + in_milliseconds(trace[led.rises].at)
            + " ms, last spoke as leader at " + in_milliseconds(trace[led.last_sign].at) + " ms";
    out += "  node " + text(id) + "  " + state + "\n";
    std::map<kind, event_number> last;
    for (auto i = begins; i < trace.size(); ++i) // In its last life.
      if (trace[i].node == id)
        last[trace[i].what] = i;
    for (const auto what : {kind::hears, kind::writes, kind::commits, kind::applies}) {
      const auto found = last.find(what);
      if (found == last.end())
        continue;
      const auto i = found->second;
      out += "    " + words.time(trace[i].at) + "  last "
          + (what == kind::hears ? "hears from " + text(trace[i].other) + ": " + read.passages[read.passage_of[i]].words
                                 : phrase(verb_of(trace[i]), printable(trace[i].words)))
          + "\n";
    }
  }
  return out;
}

/// What a node heard last, of messages; `no_event` if nothing.
event_number last_heard(const std::vector<trace_event>& trace, const reading& read, peer_id node) {
  for (auto i = read.violation; node != nobody && i-- > 0;)
    if (trace[i].node == node && trace[i].what == kind::hears)
      return i;
  return no_event;
}

/// The broken promise, or that there is none.
std::string verdict_on(const std::vector<trace_event>& trace, const reading& read, const story_options& options) {
  if (read.violation == no_event)
    return "No promise was broken.\n";
  const auto& broken = trace[read.violation];
  const std::string bar(100, '!');
  auto out = bar + "\n!! BROKEN at " + in_milliseconds(broken.at) + " ms";
  if (broken.node != nobody)
    out += ", by node " + text(broken.node);
  if (broken.other != nobody)
    out += " and node " + text(broken.other);
  if (broken.term != term_number{})
    out += ", in term " + text(broken.term);
  out += ":\n!!   " + printable(broken.words) + "\n";
  for (const auto& more : options.details)
    out += "!!   " + printable(more) + "\n";
  if (const auto last = last_heard(trace, read, broken.node); last != no_event)
    out += "!!   the last that node " + text(broken.node) + " had heard, " + in_milliseconds(broken.at - trace[last].at)
        + " ms before, from node " + text(trace[last].other) + ": " + read.passages[read.passage_of[last]].words + "\n";
  return out + bar + "\n";
}

} // namespace

std::string tell(const std::vector<trace_event>& trace, const story_options& options) {
  std::string out;
  for (const auto& line : options.heading)
    out += printable(line) + "\n";
  if (trace.empty())
    return out + "Nothing happened.\n";
  const auto whole = read(trace);
  const auto chosen = choose_lines(trace, whole, options);
  const auto& lines = chosen.lines;
  teller words{trace, whole, chosen.told_apart};
  out += in_short(trace, whole, words) + "\n";
  if (words.shows_columns())
    out += "Columns: # leads, | lives, . is down; o says, < hears, x does not hear, ! something happens to it,\n"
           "? a client asks (or a message is on its way at the end), = a client is told.\n\n";
  const auto first = options.last ? lines.size() - std::min(lines.size(), *options.last) : 0;
  if (first > 0)
    out += "(" + counted(first, "line", "lines") + " before this left out)\n";
  out += words.names_of_columns() + "\n";
  for (auto i = first; i < lines.size(); ++i)
    out += words.line(lines[i]);
  return out + "\n" + on_what_is_disputed(trace, whole, chosen, options) + at_the_end(trace, whole, options, words)
      + "\n" + verdict_on(trace, whole, options);
}

} // namespace troupe
