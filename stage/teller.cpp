#include "stage/teller.hpp"

#include "stage/story_words.hpp"

#include <algorithm>
#include <tuple>

namespace troupe {

using namespace story_words;

namespace {

using kind = trace_event::kind;

/// Beyond this many nodes there is no room for a column each.
constexpr std::size_t most_columns = 9;

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

} // namespace

teller::teller(const std::vector<trace_event>& trace, const reading& read, const std::set<event_number>& told_apart)
    : trace_{trace}, read_{read}, told_apart_{told_apart} {
  for (const auto id : read.nodes) {
    const auto life = std::find_if(read.lives.begin(), read.lives.end(), [&](const auto& l) { return l.node == id; });
    alive_[id] = life == read.lives.end() || life->begins == no_event;
  }
  if (!trace.empty())
    whole_width_ = std::to_string(trace.back().at / std::chrono::milliseconds{1}).size();
  shows_columns_ = read.nodes.size() <= most_columns;
}

std::string teller::names_of_columns() const {
  std::string out = padded("ms", whole_width_ + 4) + "  ";
  if (shows_columns_)
    for (const auto id : read_.nodes)
      out += text(id) + "  ";
  return out;
}

std::string teller::line(const story_line& told) {
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
  return time(trace_[told.event].at) + "  " + columns() + padded(who, 9) + " " + padded(in_term, 4) + " " + what + "\n";
}

std::string teller::time(duration at) const {
  const auto words = in_milliseconds(at);
  const auto point = std::min(words.find('.'), words.size());
  return std::string(whole_width_ > point ? whole_width_ - point : 0, ' ') + padded(words, point + 4);
}

void teller::live_until(event_number i) {
  for (; next_ <= i; ++next_)
    if (trace_[next_].what == kind::starts)
      alive_[trace_[next_].node] = true;
    else if (trace_[next_].what == kind::crashes)
      alive_[trace_[next_].node] = false;
  at_ = i;
}

bool teller::leads(peer_id id) const {
  return std::any_of(read_.leaderships.begin(), read_.leaderships.end(),
                     [&](const node_leadership& l) { return l.node == id && l.rises <= at_ && at_ <= l.last_sign; });
}

std::string teller::columns() const {
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

std::string teller::way(const story_line& told) {
  std::vector<std::string> receivers;
  for (const auto of : told.messages)
    if (const auto to = text(read_.passages[of].to);
        std::find(receivers.begin(), receivers.end(), to) == receivers.end())
      receivers.push_back(to);
  return text(read_.passages[told.messages.front()].from) + " -> " + joined(receivers, " ");
}

std::string teller::later(event_number end, const passage& message) const {
  if (message.sent == no_event || trace_[end].at == trace_[message.sent].at)
    return message.sent == no_event ? "" : " at once";
  return " +" + in_milliseconds(trace_[end].at - trace_[message.sent].at) + " ms";
}

std::string teller::fate(const passage& message) {
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

std::string teller::fates(const story_line& told) {
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

std::pair<std::string, std::string> teller::end_of_message(const story_line& told) {
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

std::pair<std::string, std::string> teller::event(event_number i) {
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

std::string teller::beats(const story_line& told) {
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

} // namespace troupe
