#include "stage/reading.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <tuple>
#include <utility>

namespace troupe {

namespace {

using kind = trace_event::kind;

bool drop_prefix(std::string_view& words, std::string_view prefix) {
  if (!words.starts_with(prefix))
    return false;
  words.remove_prefix(prefix.size());
  return true;
}

/// Without the names and the term that `describe` begins with, if they are the event's own.
std::string_view bare(const trace_event& event, peer_id from, peer_id to) {
  auto words = std::string_view{event.words};
  drop_prefix(words, std::to_string(from.value()) + ">" + std::to_string(to.value()) + " ");
  drop_prefix(words, "term=" + std::to_string(event.term.value()) + " ");
  return words;
}

/// The number after the first `before` in some words.
std::optional<std::uint64_t> number_after(std::string_view words, std::string_view before) {
  const auto at = words.find(before);
  if (at == words.npos)
    return std::nullopt;
  std::uint64_t number = 0;
  const auto rest = words.substr(at + before.size());
  if (std::from_chars(rest.data(), rest.data() + rest.size(), number).ec != std::errc{})
    return std::nullopt;
  return number;
}

topic topic_of(std::string_view words) {
  const auto begins = [&](auto... with) { return (words.starts_with(with) || ...); };
  if (begins("append #", "appended #", "refused #"))
    return topic::entries;
  if (begins("vote for me", "would you vote", "I do", "I would", "run for leader"))
    return topic::votes;
  if (begins("snapshot #", "installed #", "have #"))
    return topic::snapshots;
  if (begins("forward #", "forwarded #"))
    return topic::forwards;
  return topic::others;
}

/// A pre-vote names a term that its sender may never reach.
bool is_hypothetical(std::string_view words) {
  return words.starts_with("would you vote") || words.starts_with("I would");
}

bool speaks_as_leader(std::string_view words) {
  return words.starts_with("append #") || words.starts_with("snapshot #") || words.starts_with("run for leader");
}

class reader {
public:
  explicit reader(const std::vector<trace_event>& trace) : trace_{trace} {}

  reading read() {
    result_.passage_of.assign(trace_.size(), no_event);
    for (event_number i = 0; i < trace_.size(); ++i)
      step(i);
    find_heartbeats();
    nodes_.erase(nobody);
    result_.nodes.assign(nodes_.begin(), nodes_.end());
    return std::move(result_);
  }

private:
  /// The messages of one leadership to one follower, and the answers.
  using stream = std::tuple<peer_id, peer_id, term_number>;

  struct said {
    std::uint64_t commit = 0;
    std::uint64_t next = 0; ///< What the follower would have, had it heard all so far.
  };

  void step(event_number i);
  void take_end(event_number i);
  void take_sending(event_number i);
  void know_term(peer_id node, event_number at, term_number term);
  void end_leadership(peer_id node, event_number at);
  void find_answer(std::size_t passage_number);
  void find_heartbeats();
  bool is_old_news(const passage& request);
  bool is_old_news_answer(const passage& answer);

  const std::vector<trace_event>& trace_;
  reading result_;
  std::set<peer_id> nodes_;
  std::map<std::uint64_t, std::size_t> open_;
  std::map<std::uint64_t, event_number> asked_;
  std::map<peer_id, term_number> known_;
  std::map<peer_id, std::size_t> leading_;
  std::map<peer_id, std::size_t> living_;
  std::map<std::tuple<peer_id, peer_id, std::uint64_t>, std::size_t> requests_; ///< By way and number.
  std::map<stream, said> said_;
  std::map<stream, std::uint64_t> acknowledged_;
  std::set<std::size_t> late_; ///< Passages heard by somebody who was in a higher term.
};

void reader::step(event_number i) {
  const auto& event = trace_[i];
  nodes_.insert(event.node);
  nodes_.insert(event.other);
  switch (event.what) {
  case kind::sends:
  case kind::hears:
  case kind::loses: take_end(i); break;
  case kind::asks:
    if (event.message != 0)
      asked_.insert_or_assign(event.message, i);
    break;
  case kind::tells:
    if (const auto asked = asked_.find(event.message); asked != asked_.end())
      result_.questions.emplace(i, asked->second);
    break;
  case kind::starts:
    living_[event.node] = result_.lives.size();
    result_.lives.push_back({event.node, i, no_event});
    know_term(event.node, i, event.term);
    break;
  case kind::crashes:
    if (!living_.contains(event.node)) {
      living_[event.node] = result_.lives.size();
      result_.lives.push_back({event.node, no_event, no_event});
    }
    result_.lives[living_[event.node]].ends = i;
    living_.erase(event.node);
    end_leadership(event.node, i);
    break;
  case kind::rises:
    know_term(event.node, i, event.term);
    end_leadership(event.node, i);
    leading_[event.node] = result_.leaderships.size();
    result_.leaderships.push_back({event.node, event.term, i, i, no_event});
    break;
  case kind::breaks: result_.violation = i; break;
  default: break;
  }
}

void reader::take_end(event_number i) {
  const auto& event = trace_[i];
  // The end of a message is its receiver's event, its loss its sender's.
  const auto hears = event.what == kind::hears;
  const auto from = hears ? event.other : event.node;
  const auto to = hears ? event.node : event.other;
  auto words = printable(bare(event, from, to));
  const auto open = event.message == 0 ? open_.end() : open_.find(event.message);
  auto at = open == open_.end() || event.what == kind::sends ? result_.passages.size() : open->second;
  if (at == result_.passages.size()) {
    passage fresh;
    fresh.about = topic_of(words);
    fresh.from = from;
    fresh.to = to;
    fresh.term = event.term;
    fresh.words = words;
    result_.passages.push_back(std::move(fresh));
    if (event.message != 0)
      open_.insert_or_assign(event.message, at);
  }
  result_.passage_of[i] = at;
  auto& of = result_.passages[at];
  if (event.what == kind::sends)
    return take_sending(i);
  if (words == of.words)
    words.clear();
  (hears ? of.heard : of.lost).push_back({i, std::move(words)});
  if (hears && known_[of.to] > of.term)
    late_.insert(at);
}

void reader::take_sending(event_number i) {
  auto& of = result_.passages[result_.passage_of[i]];
  of.sent = i;
  if (!is_hypothetical(of.words))
    know_term(of.from, i, of.term);
  if (const auto leads = leading_.find(of.from); leads != leading_.end() && speaks_as_leader(of.words))
    if (auto& leadership = result_.leaderships[leads->second]; leadership.term == of.term)
      leadership.last_sign = i;
  find_answer(result_.passage_of[i]);
}

void reader::know_term(peer_id node, event_number at, term_number term) {
  auto& known = known_[node];
  if (term <= known)
    return;
  known = term;
  result_.terms.push_back({node, at, term});
  end_leadership(node, at);
}

void reader::end_leadership(peer_id node, event_number at) {
  const auto leads = leading_.find(node);
  if (leads == leading_.end())
    return;
  result_.leaderships[leads->second].ends = at;
  leading_.erase(leads);
}

void reader::find_answer(std::size_t passage_number) {
  auto& now = result_.passages[passage_number];
  if (now.about != topic::entries)
    return;
  const auto number = number_after(now.words, "#");
  if (!number)
    return;
  if (now.words.starts_with("append #")) {
    requests_.insert_or_assign({now.from, now.to, *number}, passage_number);
    return;
  }
  const auto request = requests_.find({now.to, now.from, *number});
  if (request == requests_.end())
    return;
  now.answers = request->second;
  result_.passages[request->second].answer = passage_number;
  requests_.erase(request);
}

/// An AppendEntries without entries, from where the follower should be by now, with a commit index already told.
bool reader::is_old_news(const passage& request) {
  const auto previous = number_after(request.words, " after ");
  const auto count = number_after(request.words, " +");
  const auto commit = number_after(request.words, " commit=");
  if (!previous || !count || !commit)
    return false;
  const auto [at, is_first] = said_.try_emplace({request.from, request.to, request.term});
  auto& before = at->second;
  const auto old = !is_first && *count == 0 && *commit == before.commit && *previous == before.next;
  before = {*commit, *previous + *count};
  return old;
}

bool reader::is_old_news_answer(const passage& answer) {
  const auto match = number_after(answer.words, " match=");
  if (!answer.words.starts_with("appended #") || !match || answer.answers == no_event)
    return false;
  const auto [at, is_first] = acknowledged_.try_emplace({answer.from, answer.to, answer.term});
  const auto old = !is_first && *match <= at->second;
  at->second = std::max(at->second, *match);
  return old;
}

void reader::find_heartbeats() {
  std::vector<char> old(result_.passages.size());
  for (std::size_t i = 0; i < result_.passages.size(); ++i) {
    const auto& now = result_.passages[i];
    if (now.about == topic::entries && now.sent != no_event)
      old[i] = (now.words.starts_with("append #") ? is_old_news(now) : is_old_news_answer(now)) && !late_.contains(i);
  }
  // A heartbeat whose answer is news is told too, and so is the answer to what is news.
  for (std::size_t i = 0; i < result_.passages.size(); ++i) {
    const auto& now = result_.passages[i];
    const auto partner = now.answer != no_event ? now.answer : now.answers;
    if (old[i] && (partner == no_event || old[partner]))
      result_.passages[i].about = topic::heartbeats;
  }
}

/// The length of the valid UTF-8 character that `text` begins with, and the character; 0 if there is none.
std::pair<std::size_t, char32_t> first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80)
    return {1, lead};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length)
    return {0, 0};
  char32_t character = lead & (0xff >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80)
      return {0, 0};
    character = character << 6 | (next & 0x3f);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (character < least[length] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
    return {0, 0};
  return {length, character};
}

bool is_fit(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  return !within(0, 0x1f) && !within(0x7f, 0x9f) && c != 0xad && c != 0x61c && !within(0x200b, 0x200f)
      && !within(0x2028, 0x202e) && !within(0x2060, 0x206f) && c != 0xfeff && !within(0xfff9, 0xfffb) && c != 0xfffe
      && c != 0xffff;
}

void append_hex(std::string& to, std::uint32_t number, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    to += "0123456789abcdef"[number >> shift & 0xf];
}

} // namespace

reading read(const std::vector<trace_event>& trace) {
  return reader{trace}.read();
}

std::string printable(std::string_view words) {
  std::string out;
  out.reserve(words.size());
  while (!words.empty()) {
    const auto [length, character] = first_character(words);
    if (length == 0 || (length == 1 && !is_fit(character))) {
      out += "\\x";
      append_hex(out, static_cast<unsigned char>(words[0]), 2);
    } else if (!is_fit(character)) {
      out += "\\u{";
      append_hex(out, character, 4);
      out += '}';
    } else {
      out += words.substr(0, length);
    }
    words.remove_prefix(std::max<std::size_t>(1, length));
  }
  return out;
}

std::string in_milliseconds(duration span) {
  const auto microseconds = std::chrono::round<std::chrono::microseconds>(span).count();
  const auto whole = std::abs(microseconds) / 1000;
  auto fraction = std::to_string(1000 + std::abs(microseconds) % 1000).substr(1);
  while (!fraction.empty() && fraction.back() == '0')
    fraction.pop_back();
  return (microseconds < 0 ? "-" : "") + std::to_string(whole) + (fraction.empty() ? "" : "." + fraction);
}

} // namespace troupe
