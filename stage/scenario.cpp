// Reads the text of a scenario. How it is played: scenario_play.cpp.
#include "stage/scenario.hpp"

#include "stage/scenario_words.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>
#include <utility>

namespace troupe {

namespace {

[[noreturn]] void wrong(const std::string& why) {
  throw bad_line{why};
}

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
  // -- nodes ---------------------------------------------------------------------------------------------------------

  cast_member read_member() {
    using kind = cast_member::kind;
    const auto nodes = story_.knobs.nodes;
    if (const auto number = parse_number(line_.peek())) {
      if (*number == 0 || *number > nodes)
        wrong("there is no node " + std::to_string(*number) + ": there are 1 to " + std::to_string(nodes));
      line_.next();
      return {kind::number, *number, {}};
    }
    for (const auto& [word, what] :
         {std::pair{"leader", kind::leader}, {"followers", kind::followers}, {"all", kind::all}})
      if (line_.take(word))
        return {what, 0, {}};
    if (line_.take("follower"))
      return {kind::follower, has_count() ? line_.need_number("which follower", 1, nodes - 1) : 1, {}};
    if (line_.take("any"))
      return {kind::any, has_count() ? line_.need_number("how many nodes", 1, nodes) : 1, {}};
    if (names_.contains(line_.peek()))
      return {kind::called, 0, std::string{line_.next()}};
    word_list known{"leader", "follower", "followers", "any", "all"};
    known.insert(known.end(), names_.begin(), names_.end());
    wrong("expected a node, found " + in_quotes(line_.peek()) + "; a number, or " + choices(line_.peek(), known));
  }

  /// The last number of what has a number itself is not a node's.
  [[nodiscard]] bool has_count() const {
    return parse_number(line_.peek()) && (!ends_with_number_ || line_.peek(1) == "," || parse_number(line_.peek(1)));
  }

  cast_member need_node() {
    auto member = read_member();
    using kind = cast_member::kind;
    if (member.what == kind::all || member.what == kind::followers || (member.what == kind::any && member.number > 1))
      wrong("expected one node, found several");
    return member;
  }

  cast_list need_nodes() {
    cast_list list{read_member()};
    while (line_.take(","))
      list.push_back(read_member());
    return list;
  }

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
      const auto member = read_member();
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
      past.log = need_terms();
    else
      past.term = term_number{line_.need_number("a term")};
    for (const auto id : whose)
      if (is_log)
        story_.pasts[id].log = past.log;
      else
        story_.pasts[id].term = past.term;
  }

  std::vector<term_number> need_terms() {
    std::vector<term_number> terms;
    do {
      const auto term = term_number{line_.need_number("the term of an entry")};
      if (term == term_number{} || (!terms.empty() && term < terms.back()))
        wrong("terms of a log begin with 1 at least, and never fall: found " + std::to_string(term.value()));
      terms.push_back(term);
    } while (parse_number(line_.peek()));
    return terms;
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
      s.what = read_expectation();
    else if (verb == "write" || verb == "read")
      s.what = read_question(verb == "write");
    else if (verb == "start")
      s.what =
          scene_healing{need_nodes(), {fault_kind::crash, fault_kind::rot, fault_kind::wipe, fault_kind::put_back}};
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
      f.nodes = need_nodes();
      f.both_ways = line_.take("<->");
      if (!f.both_ways)
        line_.need("->");
      f.others = need_nodes();
      sample += " 1 -> 2";
    } else if (verb != "network") {
      ends_with_number_ = verb == "fill";
      f.nodes = need_nodes();
      ends_with_number_ = false;
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
    healing.nodes = need_nodes();
    return healing;
  }

  scene_question read_question(bool is_write) {
    scene_question question;
    question.what = is_write ? operation::command : operation::query;
    if (line_.peek() != "at")
      question.count = line_.need_number("how many, or \"at\"", 1, 100'000);
    line_.need("at");
    question.nodes = need_nodes();
    has_asked_ = true;
    return question;
  }

  scene_naming read_naming() {
    scene_naming naming;
    naming.node = need_node();
    if (!is_name(line_.peek()))
      wrong("expected a name with a capital such as L1, found " + in_quotes(line_.peek()));
    naming.name = line_.next();
    names_.insert(naming.name);
    return naming;
  }

  // -- expectations --------------------------------------------------------------------------------------------------

  expectation read_expectation() {
    using subject = expectation::subject;
    expectation e;
    if (line_.take("leader")) {
      if (line_.take("is")) {
        e.what = line_.take("not") ? subject::not_leader : subject::leader_is;
        e.nodes.push_back(need_node());
      }
    } else if (line_.take("no")) {
      line_.need("leader");
      e.what = subject::no_leader;
    } else if (line_.take("same")) {
      line_.need("leader");
      e.what = subject::same_leader;
    } else if (line_.take("agreement")) {
      e.what = subject::agreement;
    } else if (line_.take("log")) {
      e.what = subject::log;
      e.nodes = need_nodes();
      line_.need(":");
      e.terms = need_terms();
      e.and_more = line_.take("...");
    } else if (line_.take("seen")) {
      e.what = subject::seen;
      read_mark(e);
    } else if (line_.peek() == "all" || line_.peek() == "none" || parse_number(line_.peek())) {
      read_operations(e);
    } else {
      read_quantity(e);
    }
    read_mode(e);
    return e;
  }

  void read_mark(expectation& e) {
    word_list all;
    for (std::size_t mark = 0; mark < sometimes_count; ++mark)
      all.emplace_back(name_of(static_cast<sometimes>(mark)));
    e.word = line_.next();
    if (std::find(all.begin(), all.end(), e.word) == all.end())
      wrong("nothing is called " + in_quotes(e.word) + "; " + choices(e.word, all));
  }

  void read_operations(expectation& e) {
    using outcome = expectation::outcome;
    e.what = expectation::subject::operations;
    if (!has_asked_)
      wrong("no line before has asked for anything");
    if (line_.take("none"))
      e.count = 0;
    else if (!line_.take("all"))
      e.count = line_.need_number("how many", 1, 100'000);
    const auto word = line_.next();
    for (const auto& [name, what] : {std::pair{"committed", outcome::committed},
                                     {"answered", outcome::answered},
                                     {"refused", outcome::refused},
                                     {"uncertain", outcome::uncertain}})
      if (word == name) {
        e.end = what;
        return;
      }
    wrong("expected what becomes of them, found " + in_quotes(word) + "; "
          + choices(word, {"committed", "answered", "refused", "uncertain"}));
  }

  void read_quantity(expectation& e) {
    using measure = expectation::measure;
    e.what = expectation::subject::quantity;
    const auto word = line_.next();
    if (word == "term")
      e.of = measure::term;
    else if (word == "commit")
      e.of = measure::commit;
    else if (word == "log-bytes")
      e.of = measure::log_bytes;
    else
      wrong("nothing can be expected of " + in_quotes(word) + "; "
            + choices(word,
                      {"leader", "no leader", "same leader", "agreement", "all", "none", "log", "seen", "term",
                       "commit", "log-bytes"}));
    e.comparison = line_.next();
    static const word_list comparisons{"=", "!=", "<", "<=", ">", ">="};
    if (std::find(comparisons.begin(), comparisons.end(), e.comparison) == comparisons.end())
      wrong("expected one of = != < <= > >=, found " + in_quotes(e.comparison));
    e.value = line_.need_number("a number");
  }

  void read_mode(expectation& e) {
    using mode = expectation::mode;
    if (line_.is_over())
      return;
    if (line_.take("within"))
      e.when = mode::within;
    else if (line_.take("for"))
      e.when = mode::throughout;
    else
      wrong("expected \"within\" or \"for\" and a time, or nothing more, found " + in_quotes(line_.peek()));
    e.span = line_.need_span();
  }

  scenario story_;
  line_of_words line_{{}};
  std::size_t number_ = 0;
  bool has_heading_ = false;
  bool has_begun_ = false;
  bool has_asked_ = false;
  bool ends_with_number_ = false;
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
