// What a line of a scenario expects.
#include "stage/scenario_parts.hpp"

#include "stage/coverage.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

void read_mark(line_of_words& line, expectation& e) {
  word_list all;
  for (std::size_t mark = 0; mark < sometimes_count; ++mark)
    all.emplace_back(name_of(static_cast<sometimes>(mark)));
  e.word = line.next();
  if (std::find(all.begin(), all.end(), e.word) == all.end())
    wrong("nothing is called " + in_quotes(e.word) + "; " + choices(e.word, all));
}

void read_operations(line_of_words& line, expectation& e) {
  using outcome = expectation::outcome;
  e.what = expectation::subject::operations;
  if (line.take("none"))
    e.count = 0;
  else if (!line.take("all"))
    e.count = line.need_number("how many", 1, 100'000);
  const auto word = line.next();
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

void read_quantity(line_of_words& line, expectation& e) {
  using measure = expectation::measure;
  e.what = expectation::subject::quantity;
  const auto word = line.next();
  if (word == "term")
    e.of = measure::term;
  else if (word == "commit")
    e.of = measure::commit;
  else if (word == "log-bytes")
    e.of = measure::log_bytes;
  else
    wrong("nothing can be expected of " + in_quotes(word) + "; "
          + choices(word,
                    {"leader", "no leader", "same leader", "agreement", "all", "none", "log", "seen", "term", "commit",
                     "log-bytes"}));
  e.comparison = line.next();
  static const word_list comparisons{"=", "!=", "<", "<=", ">", ">="};
  if (std::find(comparisons.begin(), comparisons.end(), e.comparison) == comparisons.end())
    wrong("expected one of = != < <= > >=, found " + in_quotes(e.comparison));
  e.value = line.need_number("a number");
}

void read_mode(line_of_words& line, expectation& e) {
  using mode = expectation::mode;
  if (line.is_over())
    return;
  if (line.take("within"))
    e.when = mode::within;
  else if (line.take("for"))
    e.when = mode::throughout;
  else
    wrong("expected \"within\" or \"for\" and a time, or nothing more, found " + in_quotes(line.peek()));
  e.span = line.need_span();
}

} // namespace

std::vector<term_number> need_terms(line_of_words& line) {
  std::vector<term_number> terms;
  do {
    const auto term = term_number{line.need_number("the term of an entry")};
    if (term == term_number{} || (!terms.empty() && term < terms.back()))
      wrong("terms of a log begin with 1 at least, and never fall: found " + std::to_string(term.value()));
    terms.push_back(term);
  } while (parse_number(line.peek()));
  return terms;
}

expectation read_expectation(line_of_words& line, const known_nodes& known, bool has_asked) {
  using subject = expectation::subject;
  expectation e;
  if (line.take("leader")) {
    if (line.take("is")) {
      e.what = line.take("not") ? subject::not_leader : subject::leader_is;
      e.nodes.push_back(need_node(line, known));
    }
  } else if (line.take("no")) {
    line.need("leader");
    e.what = subject::no_leader;
  } else if (line.take("same")) {
    line.need("leader");
    e.what = subject::same_leader;
  } else if (line.take("agreement")) {
    e.what = subject::agreement;
  } else if (line.take("log")) {
    e.what = subject::log;
    e.nodes = need_nodes(line, known);
    line.need(":");
    e.terms = need_terms(line);
    e.and_more = line.take("...");
  } else if (line.take("seen")) {
    e.what = subject::seen;
    read_mark(line, e);
  } else if (line.peek() == "all" || line.peek() == "none" || parse_number(line.peek())) {
    if (!has_asked)
      wrong("no line before has asked for anything");
    read_operations(line, e);
  } else {
    read_quantity(line, e);
  }
  read_mode(line, e);
  return e;
}

} // namespace troupe
