#include "stage/scenario_words.hpp"

#include "stage/fault.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

namespace troupe {

namespace {

/// How many letters differ (Levenshtein 1966).
std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j)
      diagonal = std::exchange(row[j + 1], std::min({diagonal + (a[i] == b[j] ? 0 : 1), row[j] + 1, row[j + 1] + 1}));
  }
  return row.back();
}

word_list split(std::string_view line) {
  word_list found;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty())
      found.push_back(std::exchange(word, {}));
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      end_word();
      const auto end = line.find('"', i + 1);
      if (end == line.npos)
        wrong("a quotation has no end");
      found.emplace_back(line.substr(i + 1, end - i - 1));
      i = end;
    } else if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
      end_word();
    } else if (line[i] == ',' || line[i] == ':') {
      end_word();
      found.emplace_back(1, line[i]);
    } else if (line.substr(i, 3) == "<->" || line.substr(i, 2) == "->") {
      end_word();
      found.emplace_back(line.substr(i, line[i] == '<' ? 3 : 2));
      i += found.back().size() - 1;
    } else {
      word += line[i];
    }
  }
  end_word();
  return found;
}

} // namespace

void wrong(const std::string& why) {
  throw bad_line{why};
}

std::optional<std::uint64_t> parse_number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size())
    return std::nullopt;
  return value;
}

std::string in_quotes(std::string_view word) {
  return word.empty() ? "the end of the line" : '"' + std::string{word} + '"';
}

std::string choices(std::string_view found, const word_list& known) {
  std::string all;
  for (const auto& word : known)
    all += (all.empty() ? "" : ", ") + word;
  const auto nearest = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return letters_apart(found, a) < letters_apart(found, b);
  });
  if (nearest != known.end() && letters_apart(found, *nearest) <= std::max<std::size_t>(1, (nearest->size() + 1) / 3))
    return "did you mean \"" + *nearest + "\"? (There are: " + all + ")";
  return "there are: " + all;
}

line_of_words::line_of_words(std::string_view line) : words_{split(line)} {}

std::string_view line_of_words::peek(std::size_t ahead) const {
  return at_ + ahead < words_.size() ? words_[at_ + ahead] : std::string_view{};
}

std::string_view line_of_words::next() {
  const auto word = peek();
  at_ += is_over() ? 0 : 1;
  return word;
}

bool line_of_words::take(std::string_view word) {
  if (is_over() || peek() != word)
    return false;
  ++at_;
  return true;
}

void line_of_words::need(std::string_view word) {
  if (!take(word))
    wrong("expected " + in_quotes(word) + ", found " + in_quotes(peek()));
}

void line_of_words::need_end() const {
  if (!is_over())
    wrong("nothing was expected here, found " + in_quotes(peek()));
}

std::uint64_t line_of_words::need_number(const std::string& what) {
  const auto value = parse_number(peek());
  if (!value)
    wrong("expected " + what + ", found " + in_quotes(peek()));
  ++at_;
  return *value;
}

std::uint64_t line_of_words::need_number(const std::string& what, std::uint64_t least, std::uint64_t most) {
  const auto value = need_number(what);
  if (value < least || value > most)
    wrong("expected " + what + " from " + std::to_string(least) + " to " + std::to_string(most) + ", found "
                   + std::to_string(value));
  return value;
}

duration line_of_words::need_span() {
  const auto span = parse_span(peek());
  if (!span)
    wrong("expected a time such as 1.5s, 20ms or 300us, found " + in_quotes(peek()));
  ++at_;
  return *span;
}

std::string line_of_words::peek_rest() const {
  std::string text;
  for (auto i = at_; i < words_.size(); ++i)
    text += (i == at_ || words_[i] == "," || words_[i] == ":" ? "" : " ") + words_[i];
  return text;
}

std::string line_of_words::rest() {
  auto text = peek_rest();
  at_ = words_.size();
  return text;
}

} // namespace troupe
