/// \file
/// What one client wrote and was told, and what was found afterwards: judged apart from the nodes that did it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A token as it was read back, in the order of effect.
struct found_token {
  std::uint64_t token = 0;
  std::uint64_t end = 0; ///< Bytes up to its end, where the order of effect is one of bytes.
};

/// Reads "1,2,5," as found_tokens. Nothing if that is not what the text is: a token is whole or absent.
[[nodiscard]] std::optional<std::vector<found_token>> parse_tokens(std::string_view text);

/// The tokens of one client, each written once, in order, and never again whatever becomes of it. Judged:
/// - an acknowledged token is there, and where its answer said;
/// - a token of unknown outcome is there or not, a refused one is not, nor is one that nobody wrote;
/// - none is there twice;
/// - what was acknowledged before a token was written stands before it. (A token of unknown outcome may yet take effect
///   behind others.)
class token_ledger {
public:
  /// A token is about to be written. Tokens count from 0.
  std::uint64_t asks();

  /// It is done; `end` is how many bytes there are up to its end, if the answer says.
  void is_acknowledged(std::uint64_t token, std::optional<std::uint64_t> end = std::nullopt);
  /// It certainly is not and will not be done.
  void is_refused(std::uint64_t token);
  // Else its outcome is unknown.

  [[nodiscard]] std::uint64_t asked() const { return lines_.size(); }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

  /// What is wrong with that, one sentence each, at most a few. Only while nothing is being written.
  [[nodiscard]] std::vector<std::string> judge(const std::vector<found_token>& found) const;

private:
  enum class fate : std::uint8_t { unknown, acknowledged, refused };

  struct line {
    fate what = fate::unknown;
    std::optional<std::uint64_t> end;
    std::uint64_t known_before = 0; ///< Every token acknowledged when this one was written is below this.
  };

  std::vector<line> lines_;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t known_ = 0; ///< One past the last acknowledged token.
};

} // namespace troupe
