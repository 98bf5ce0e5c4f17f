// Reads the text of a scenario. How it is played: scenario_play.cpp.
#include "stage/scenario.hpp"

#include "stage/scenario_parts.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>
#include <utility>

namespace troupe {

namespace {

const word_list& fault_names() {
  static const auto names = [] {
    word_list all;
    const auto kinds = std::get<std::set<fault_kind>>(parse_fault_kinds("all"));
    for (const auto kind : kinds)
      all.emplace_back(name_of(kind));
    return all;
  }();
  return names;
}

bool is_name(std::string_view word) {
  return !word.empty() && word.front() >= 'A' && word.front() <= 'Z'
      && std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isalnum(c) || c == '-'; });
}

class reader {
public:
  explicit reader(std::string name) { story_.name = std::move(name); }

  std::variant<scenario, scenario_error> read(std::string_view text) {
    story_.knobs.clients = 1; // Who asks what the story asks.
    try {
      bool is_about = true;
      while (!text.empty()) {
        ++number_;
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (is_about && line.starts_with('#'))
          story_.about += (story_.about.empty() ? "" : "\n") + std::string{line.substr(line.starts_with("# ") ? 2 : 1)};
        else
          is_about = false;
        line_ = line_of_words{line.substr(0, line.find('#'))};
        if (!line_.is_over())
          read_line();
      }
      if (repeat_begin_) {
        number_ = repeat_line_;
        wrong("this \"repeat\" has no \"end\"");
      }
    } catch (const bad_line& failure) {
      return scenario_error{story_.name, number_, failure.why};
    }
    return std::move(story_);
  }

private:
  // -- heading -------------------------------------------------------------------------------------------------------

  void read_line() {
    static const word_list headings{"nodes",
                                    "seed",
                                    "heartbeat",
                                    "election-timeout",
                                    "clients",
                                    "value-bytes",
                                    "client-deadline",
                                    "snapshot-every",
                                    "keep-entries",
                                    "no-op",
                                    "log",
                                    "term"};
    static const word_list times{"at", "then", "after", "repeat", "end"};
    const auto first = std::string{line_.next()};
    if (std::find(times.begin(), times.end(), first) != times.end()) {
      has_begun_ = true;
      read_timed(first);
    } else if (std::find(headings.begin(), headings.end(), first) != headings.end()) {
      if (has_begun_)
        wrong("\"" + first + "\" belongs to the heading, before the first line with a time");
      if (first == "nodes" && has_heading_)
        wrong("\"nodes\" comes first");
      has_heading_ = true;
      read_heading(first);
    } else {
      auto all = has_begun_ ? word_list{} : headings;
      all.insert(all.end(), times.begin(), times.end());
      wrong("no line begins with " + in_quotes(first) + "; " + choices(first, all));
    }
    line_.need_end();
  }

  void read_heading(const std::string& what) {
    auto& knobs = story_.knobs;
    auto& peers = knobs.peers;
    if (what == "nodes")
      knobs.nodes = line_.need_number("how many nodes", 1, 15);
    else if (what == "seed")
      story_.seed = line_.need_number("a seed");
    else if (what == "heartbeat")
      peers.times.heartbeat = line_.need_span();
    else if (what == "client-deadline")
      peers.client_deadline = line_.need_span();
    else if (what == "election-timeout")
      read_election_timeout();
    else if (what == "clients")
      read_clients();
    else if (what == "value-bytes")
      knobs.value_bytes = line_.need_number("bytes", 1, 1 << 20);
    else if (what == "snapshot-every") {
      peers.snapshots.log_entries = line_.need_number("a number of entries", 1, 1'000'000);
      peers.snapshots.ratio_percent = 0;
      peers.snapshots.trailing_entries = 0;
    } else if (what == "keep-entries")
      peers.snapshots.trailing_entries = line_.need_number("a number of entries");
    else if (what == "no-op")
      peers.term_start_no_op = need_on_or_off();
    else
      read_past(what == "log");
  }

  void read_election_timeout() {
    auto& times = story_.knobs.peers.times;
    const auto range = line_.peek();
    const auto dots = std::min(range.find(".."), range.size());
    const auto least = parse_span(range.substr(0, dots));
    const auto most = dots == range.size() ? least : parse_span(range.substr(dots + 2));
    if (!least || !most || *most < *least)
      wrong("expected times such as 500ms..1s, found " + in_quotes(range));
    line_.next();
    times.election_timeout_min = *least;
    times.election_timeout_max = *most;
  }

  void read_clients() {
    auto& knobs = story_.knobs;
    if (line_.take("none"))
      return;
    knobs.clients = static_cast<unsigned>(line_.need_number("\"none\", or how many clients", 1, 1000));
    story_.clients_ask = true;
    if (!line_.take("at"))
      return;
    auto rate = line_.peek();
    const auto value = rate.ends_with("/s") ? parse_number(rate.substr(0, rate.size() - 2)) : std::nullopt;
    if (!value || *value == 0)
      wrong("expected operations per second such as 50/s, found " + in_quotes(rate));
    line_.next();
    knobs.operations_per_second = static_cast<double>(*value);
  }

  bool need_on_or_off() {
    if (line_.take("on"))
      return true;
    if (line_.take("off"))
      return false;
    wrong("expected \"on\" or \"off\", found " + in_quotes(line_.peek()));
  }

  void read_past(bool is_log) {
    std::vector<peer_id> whose;
    do {
      const auto member = read_member(line_, known());
      if (member.what == cast_member::kind::all)
        for (std::uint64_t id = 1; id <= story_.knobs.nodes; ++id)
          whose.emplace_back(id);
      else if (member.what == cast_member::kind::number)
        whose.emplace_back(member.number);
      else
        wrong("before the beginning nodes have numbers only");
    } while (line_.take(","));
    line_.need(":");
    scenario::past past;
    if (is_log)
      past.log = need_terms(line_);
    else
      past.term = term_number{line_.need_number("a term")};
    for (const auto id : whose)
      if (is_log)
        story_.pasts[id].log = past.log;
      else
        story_.pasts[id].term = past.term;
  }

  // -- timed lines ---------------------------------------------------------------------------------------------------

  void read_timed(const std::string& time) {
    if (time == "repeat") {
      if (repeat_begin_)
        wrong("a \"repeat\" cannot hold another");
      repeat_count_ = line_.need_number("how often", 1, 1000);
      repeat_begin_ = story_.scenes.size();
      repeat_line_ = number_;
      return;
    }
    if (time == "end")
      return end_repeat();
    scene s;
    s.line = number_;
    s.is_absolute = time == "at";
    if (s.is_absolute && repeat_begin_)
      wrong("what is repeated has no time of its own: \"then\" or \"after\"");
    if (time != "then")
      s.span = line_.need_span();
    if (s.is_absolute) {
      if (s.span < last_time_)
        wrong("it is " + to_text(last_time_) + " already: times do not go back");
      last_time_ = s.span;
    }
    s.words = line_.peek_rest();
    const auto verb = std::string{line_.next()};
    if (verb == "expect")
      s.what = read_expectation(line_, known(), has_asked_);
    else if (verb == "write" || verb == "read")
      s.what = read_question(verb == "write");
    else if (verb == "start")
      s.what = scene_healing{need_nodes(line_, known()),
                             {fault_kind::crash, fault_kind::rot, fault_kind::wipe, fault_kind::put_back}};
    else if (verb == "heal")
      s.what = read_healing();
    else if (verb == "call")
      s.what = read_naming();
    else
      s.what = read_fault(verb);
    line_.need_end();
    story_.scenes.push_back(std::move(s));
  }

  void end_repeat() {
    if (!repeat_begin_)
      wrong("there is no \"repeat\" that would end here");
    const std::vector<scene> once{story_.scenes.begin() + static_cast<std::ptrdiff_t>(*repeat_begin_),
                                  story_.scenes.end()};
    for (std::uint64_t i = 1; i < repeat_count_; ++i)
      story_.scenes.insert(story_.scenes.end(), once.begin(), once.end());
    repeat_begin_.reset();
  }

  scene_fault read_fault(const std::string& verb) {
    if (std::find(fault_names().begin(), fault_names().end(), verb) == fault_names().end()) {
      auto all = word_list{"expect", "write", "read", "start", "heal", "call"};
      all.insert(all.end(), fault_names().begin(), fault_names().end());
      wrong("nothing is done by " + in_quotes(verb) + "; " + choices(verb, all));
    }
    scene_fault f;
    f.verb = verb;
    // With some node in each place it is a fault as fault.hpp has them.
    auto sample = "at 0s " + verb;
    if (verb == "cut" || verb == "way") {
      f.nodes = need_nodes(line_, known());
      f.both_ways = line_.take("<->");
      if (!f.both_ways)
        line_.need("->");
      f.others = need_nodes(line_, known());
      sample += " 1 -> 2";
    } else if (verb != "network") {
      f.nodes = need_nodes(line_, known(), verb == "fill");
      sample += " 1";
    }
    if (!line_.is_over())
      f.rest = ' ' + line_.rest();
    if (const auto read = parse_fault(sample + f.rest); const auto* why = std::get_if<std::string>(&read))
      wrong(*why);
    return f;
  }

  scene_healing read_healing() {
    scene_healing healing;
    if (line_.peek().empty())
      return healing;
    for (const auto* family : {"network", "disks", "processes"})
      if (line_.take(family)) {
        healing.kinds = std::get<std::set<fault_kind>>(parse_fault_kinds(family));
        return healing;
      }
    healing.nodes = need_nodes(line_, known());
    return healing;
  }

  scene_question read_question(bool is_write) {
    scene_question question;
    question.what = is_write ? operation::command : operation::query;
    if (line_.peek() != "at")
      question.count = line_.need_number("how many, or \"at\"", 1, 100'000);
    line_.need("at");
    question.nodes = need_nodes(line_, known());
    has_asked_ = true;
    return question;
  }

  scene_naming read_naming() {
    scene_naming naming;
    naming.node = need_node(line_, known());
    if (!is_name(line_.peek()))
      wrong("expected a name with a capital such as L1, found " + in_quotes(line_.peek()));
    naming.name = line_.next();
    names_.insert(naming.name);
    return naming;
  }

  [[nodiscard]] known_nodes known() const { return {story_.knobs.nodes, names_}; }

  scenario story_;
  line_of_words line_{{}};
  std::size_t number_ = 0;
  bool has_heading_ = false;
  bool has_begun_ = false;
  bool has_asked_ = false;
  duration last_time_{};
  std::set<std::string, std::less<>> names_;
  std::optional<std::size_t> repeat_begin_;
  std::size_t repeat_line_ = 0;
  std::uint64_t repeat_count_ = 0;
};

} // namespace

std::string to_string(const scenario_error& error) {
  return error.name + ", line " + std::to_string(error.line) + ": " + error.words;
}

std::variant<scenario, scenario_error> parse_scenario(std::string_view text, std::string name) {
  return reader{std::move(name)}.read(text);
}

} // namespace troupe
