#include "stage/story_lines.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace troupe {

namespace {

using kind = trace_event::kind;

class chooser {
public:
  chooser(const std::vector<trace_event>& trace, const reading& read, const story_options& options)
      : trace_{trace}, read_{read}, options_{options} {}

  story_lines choose() {
    for (event_number i = 0; i < trace_.size(); ++i)
      if (is_wanted(i))
        take(i);
    return {std::move(lines_), std::move(told_apart_)};
  }

private:
  using line_number = std::size_t; ///< From 1.

  [[nodiscard]] bool is_wanted(event_number i) const {
    const auto& event = trace_[i];
    if (i == read_.violation || (options_.from && event.at < *options_.from)
        || (options_.until && event.at > *options_.until))
      return false;
    return options_.nodes.empty() || event.node == nobody || options_.nodes.contains(event.node)
        || options_.nodes.contains(event.other);
  }

  void take(event_number i) {
    const auto of = read_.passage_of[i];
    if (of == no_event)
      return add({i}, {trace_[i].node, trace_[i].other});
    const auto& message = read_.passages[of];
    if (options_.fold && message.about == topic::heartbeats)
      return fold(i, message.answers == no_event ? of : message.answers);
    if (trace_[i].what == kind::sends)
      return send(i, of);
    const auto told = sent_in_.find(of);
    if (trace_[i].what == kind::hears) {
      if (told != sent_in_.end() && last_of(message.to) <= told->second)
        last_line_[message.to] = told->second; // Nothing is told of the receiver since.
      else {
        told_apart_.insert(i);
        add({i, {of}}, {message.to});
      }
    } else if (told == sent_in_.end()) {
      add({i, {of}}, {message.from});
    }
  }

  void add(story_line line, const std::vector<peer_id>& whose) {
    lines_.push_back(std::move(line));
    runs_.clear();
    for (const auto id : whose)
      last_line_[id] = lines_.size();
    if (whose.front() == nobody)
      last_of_all_ = lines_.size();
  }

  void send(event_number i, std::size_t of) {
    const auto& message = read_.passages[of];
    if (!lines_.empty() && !lines_.back().is_heartbeats && says_the_same(lines_.back(), i))
      lines_.back().messages.push_back(of);
    else
      add({i, {of}}, {message.from});
    sent_in_[of] = lines_.size();
  }

  [[nodiscard]] bool says_the_same(const story_line& line, event_number i) const {
    if (trace_[line.event].what != kind::sends || trace_[line.event].at != trace_[i].at)
      return false;
    const auto& before = read_.passages[line.messages.back()];
    const auto& now = read_.passages[read_.passage_of[i]];
    return before.from == now.from && before.term == now.term && before.words == now.words
        && std::none_of(line.messages.begin(), line.messages.end(),
                        [&](std::size_t other) { return read_.passages[other].to == now.to; });
  }

  void fold(event_number i, std::size_t request) {
    if (!folded_.insert(request).second)
      return;
    const auto& message = read_.passages[request];
    const auto [run, is_new] = runs_.try_emplace({message.from, message.term}, lines_.size());
    if (is_new)
      lines_.push_back({i, {}, true});
    lines_[run->second].messages.push_back(request);
  }

  [[nodiscard]] line_number last_of(peer_id id) const {
    const auto found = last_line_.find(id);
    return std::max(found == last_line_.end() ? 0 : found->second, last_of_all_);
  }

  const std::vector<trace_event>& trace_;
  const reading& read_;
  const story_options& options_;
  std::vector<story_line> lines_;
  std::set<event_number> told_apart_;
  std::map<std::size_t, line_number> sent_in_;                  ///< By message: the line that tells of its sending.
  std::map<peer_id, line_number> last_line_;                    ///< By node: the last line it has a part in.
  line_number last_of_all_ = 0;                                 ///< The last line of what befell all.
  std::set<std::size_t> folded_;                                ///< Requests that are in some run.
  std::map<std::pair<peer_id, term_number>, std::size_t> runs_; ///< By leader: the line that still takes heartbeats.
};

} // namespace

story_lines choose_lines(const std::vector<trace_event>& trace, const reading& read, const story_options& options) {
  return chooser{trace, read, options}.choose();
}

} // namespace troupe
