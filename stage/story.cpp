#include "stage/story.hpp"

#include "stage/disputed.hpp"
#include "stage/reading.hpp"
#include "stage/story_words.hpp"
#include "stage/teller.hpp"

#include <map>

namespace troupe {

using namespace story_words;

namespace {

using kind = trace_event::kind;

/// Lines on what a broken promise is about: so many from the first on, and as many up to the last.
constexpr std::size_t most_disputed = 24;
/// Leaderships named in the heading.
constexpr std::size_t most_leaderships = 12;

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
  if (!options.standings.empty())
    out +=
        "  (log end: with what is being written or cut off; durable: on disk; told commit: the highest index that it\n"
        "  has told others, or been told, is committed; no say: lost part of its log, and does not vote until that is\n"
        "  repaired)\n";
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
           "? a client asks (or a message is on its way at the end), = a client is told.\n";
  out += "Words: 8@2 is the entry at index 8, of term 2; `append after 8@2 +3`: a request with the three entries "
         "behind it\n"
         "(# numbers requests). `appended match=11`: they are on the follower's disk. `refused last=6 conflict=0@0`: "
         "its log\n"
         "ends at 6; `conflict=5@1`: where the request begins it has entries of term 1, from 5 on. `commit=`: "
         "committed up to\n"
         "there. `writes`: what has become durable; `logs`: what the node itself says of what it does.\n\n";
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
