/// \file
/// The words of a scenario's line, one after the other, and what to say of a wrong one.
#pragma once

#include "troupe/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

using word_list = std::vector<std::string>;

/// What is missing or wrong in a line ends its reading.
struct bad_line {
  std::string why;
};
/// Throws that.
[[noreturn]] void wrong(const std::string& why);

[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view word);

[[nodiscard]] std::string in_quotes(std::string_view word);

/// All words that would do, and the one that was probably meant.
[[nodiscard]] std::string choices(std::string_view found, const word_list& known);

/// Blanks part words; commas, colons and arrows are words; what is in quotes is one word, without them. Whatever is
/// needed and not there throws `bad_line`.
class line_of_words {
public:
  explicit line_of_words(std::string_view line);

  [[nodiscard]] bool is_over() const { return at_ == words_.size(); }
  /// The next word, or the one so many behind it. Empty at the end.
  [[nodiscard]] std::string_view peek(std::size_t ahead = 0) const;
  std::string_view next();
  /// Takes the next word if it is this one.
  bool take(std::string_view word);
  void need(std::string_view word);
  void need_end() const;
  std::uint64_t need_number(const std::string& what);
  std::uint64_t need_number(const std::string& what, std::uint64_t least, std::uint64_t most);
  duration need_span();
  /// All words that are left, as a text.
  [[nodiscard]] std::string peek_rest() const;
  std::string rest();

private:
  word_list words_;
  std::size_t at_ = 0;
};

} // namespace troupe
